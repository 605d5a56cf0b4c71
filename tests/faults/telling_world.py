"""A world (`tests.faults.world`) that also tells: every call of its workers goes over the wire.

The event sources are the test's: what a worker did not take, or died over, comes again.
"""

from __future__ import annotations

import json
import secrets
from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from botocore.exceptions import ClientError

from chalicelib.aws.clients import client
from chalicelib.aws.mail import SesMailer
from chalicelib.aws.posting import ApiGatewayPoster
from chalicelib.aws.queues import SqsQueues
from chalicelib.aws.stream import DynamoStreamReader
from chalicelib.aws.topic import SnsTopic
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Answer
from chalicelib.foundation import SystemChance
from chalicelib.names.counting import Counting, uncounted
from chalicelib.notify.compose import Workshop
from chalicelib.notify.ports import Queue
from chalicelib.notify.service import Notify
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Chance
from chalicelib.relay.settings import Limits
from chalicelib.relay.vault import Vault
from chalicelib.store.dynamodb import DynamoStore
from infra.local.clients import StreamsWithKeys
from infra.local.mails import SENDER, Mails
from infra.local.messaging import Messaging, QueueTimes, create_messaging
from infra.local.queues import _as_lambda_sees_it as as_record
from infra.local.streams import _as_lambda_sees_it as as_stream_record
from tests.faults.ground import CREDENTIALS, REGION
from tests.faults.hook import Hook
from tests.faults.wire import Crash, Wire
from tests.faults.world import LIMITS, SOURCE, Ground, TickingClock, World
from tests.unit.notify.sockets.house import ENGINE
from tests.unit.notify.sockets.house import event as socket_event

# In the order in which an event comes to them; those that wake nobody first.
QUEUES = (Queue.GREETINGS, Queue.UNTOLD, Queue.SOCKETS, Queue.WEBHOOKS, Queue.EMAIL)
_MOST_ROUNDS = 8
# What submitting counts is no matter here, and `test_every_call` makes it fail. What sockets count is.
UNCOUNTED = Limits(
    sender_messages_per_hour=0,
    receiver_kib_per_day=0,
    source_submits_per_minute=0,
    source_registrations_per_hour=0,
    source_kib_per_day=0,
)


def free_client(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
    """A client that no fault reaches."""
    return client(service, region=REGION, credentials=CREDENTIALS)


@dataclass(frozen=True)
class TellingGround:
    """The stream beside a `Ground`, what the workers call over the wire, and what the event sources call."""

    ground: Ground
    wire: Wire
    sns: Any
    sqs: Any
    sesv2: Any
    streams: Any
    stream_arn: str
    sources: Any
    source_stream: Any
    mails: Mails

    @classmethod
    def on(cls, ground: Ground, wire: Wire) -> TellingGround:
        """Make them, in moto."""
        free_client("sesv2").create_email_identity(EmailIdentity=SENDER)
        table = free_client("dynamodb").describe_table(TableName=ground.tables.inbox)["Table"]
        watched = {service: free_client(service) for service in ("sns", "sqs", "sesv2", "dynamodbstreams")}
        for one in watched.values():
            wire.watch(one)
        mails = Mails()
        watched["sesv2"].meta.events.register(
            "provide-client-params.sesv2.SendEmail",
            lambda params, **_: mails.watch("sesv2", "send_email", params),
        )
        return cls(
            ground=ground,
            wire=wire,
            sns=watched["sns"],
            sqs=watched["sqs"],
            sesv2=watched["sesv2"],
            streams=StreamsWithKeys(watched["dynamodbstreams"]),
            stream_arn=table["LatestStreamArn"],
            sources=free_client("sqs"),
            source_stream=StreamsWithKeys(free_client("dynamodbstreams")),
            mails=mails,
        )


class Undelayed:
    """Queues that keep nothing back; `due_ms` says until when what is in them should have been kept."""

    def __init__(self, queues: SqsQueues, clock: TickingClock, due_ms: dict[str, int]) -> None:
        self._queues = queues
        self._clock = clock
        self._due_ms = due_ms

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        """See `Queues.send`."""
        self._due_ms[text] = self._clock.now_ms() + delay_s * 1_000
        self._queues.send(queue, text)


class WatchedFetcher:
    """A `Fetcher` over the wire."""

    def __init__(self, wire: Wire) -> None:
        self._wire = wire
        self._inner = GuardedFetcher(allow_local=True)

    def fetch(self, url: str, **asked: Any) -> Answer:  # noqa: ANN401 - as `Fetcher`
        """See `Fetcher.fetch`."""
        return self._wire.through("webhook POST", lambda: self._inner.fetch(url, **asked), Unavailable)


@dataclass
class Gateway:
    """The sockets that are open, in the form of the client that posts to them, over the wire."""

    wire: Wire
    open: dict[str, list[str]] = field(default_factory=dict)

    def post_to_connection(self, *, ConnectionId: str, Data: bytes) -> None:  # noqa: N803
        """Send a frame."""
        self.wire.through(
            "gateway PostToConnection", lambda: self._inbox(ConnectionId).append(Data.decode()), _refusal
        )

    def delete_connection(self, *, ConnectionId: str) -> None:  # noqa: N803
        """Close a socket."""

        def close() -> None:
            self.open.pop(ConnectionId, None)

        self.wire.through("gateway DeleteConnection", close, _refusal)

    def _inbox(self, connection_id: str) -> list[str]:
        if connection_id not in self.open:
            raise _refusal(410)
        return self.open[connection_id]


def _refusal(status: int = 500) -> ClientError:
    answer: Any = {"Error": {"Code": "Refused"}, "ResponseMetadata": {"HTTPStatusCode": status}}
    return ClientError(answer, "PostToConnection")


class TravellingClock(TickingClock):
    """A clock that can be put forward."""

    def forward(self, seconds: int) -> None:
        """Let time pass."""
        self._now_ms += seconds * 1_000

    def forward_to(self, at_ms: int) -> None:
        """Let time pass until `at_ms`, if that has not come yet."""
        self._now_ms = max(self._now_ms, at_ms)


@dataclass
class TellingWorld:
    """A relay with its workers as they are now, and the event sources before them.

    `pending` is what the stream has told of and no outbox has taken yet, `sent` are the ids of all messages.
    """

    base: TellingGround
    world: World = field(init=False)
    clock: TravellingClock = field(default_factory=TravellingClock)
    gateway: Gateway = field(init=False)
    messaging: Messaging = field(init=False)
    pending: list[dict[str, Any]] = field(default_factory=list)
    notify: Notify = field(init=False)
    sent: list[str] = field(default_factory=list)
    _due_ms: dict[str, int] = field(default_factory=dict)
    vapid: None = None
    texter: None = None
    url: str = "https://relay.example"
    allow_local: bool = True
    count: Counting = uncounted

    def __post_init__(self) -> None:
        self.world = World(self.base.ground, limits=UNCOUNTED, clock=self.clock)
        self.gateway = Gateway(self.base.wire)
        times = QueueTimes(visibility_s=300, waking_delay_s=0)
        self.messaging = create_messaging(free_client, f"test-{secrets.token_hex(8)}-", times)
        self.restart()

    def restart(self) -> None:
        """New processes: nothing is remembered but what is stored."""
        self.world.restart()
        self.notify = Workshop(self).notify(self.world.relay, limits=LIMITS)

    # --- the ports of telling ---

    @property
    def stores(self) -> DynamoStore:
        return self.base.ground.store()

    @property
    def topic(self) -> SnsTopic:
        return SnsTopic(self.base.sns, self.messaging.topic_arn)

    @property
    def queues(self) -> Undelayed:
        return Undelayed(SqsQueues(self.base.sqs, self.messaging.queues), self.clock, self._due_ms)

    @property
    def stream(self) -> DynamoStreamReader:
        return DynamoStreamReader(self.base.streams, self.base.stream_arn)

    @property
    def poster(self) -> ApiGatewayPoster:
        poster: Any = self.gateway
        return ApiGatewayPoster(poster)

    @property
    def mailer(self) -> SesMailer:
        return SesMailer(self.base.sesv2, SENDER)

    @property
    def fetcher(self) -> WatchedFetcher:
        return WatchedFetcher(self.base.wire)

    @property
    def vault(self) -> Vault:
        return self.world.vault()

    @property
    def chance(self) -> Chance:
        return SystemChance()

    # --- what happens ---

    def write(self) -> str:
        """Alice writes something new to Bob; the message's id. The stream tells of it."""
        with self._stream_from_here() as told:
            submitted = self.world.submit(f"message {len(self.sent)}")
        self.pending += told
        self.sent.append(submitted.receipt.message_id)
        return self.sent[-1]

    def given_up(self) -> dict[str, Any]:
        """What Lambda sends when it gives up on what the stream has told last."""
        number = self.pending[-1]["dynamodb"]["SequenceNumber"]
        shard = self._shard()
        info = {"shardId": shard, "startSequenceNumber": number, "endSequenceNumber": number}
        self.pending.clear()
        return {"DDBStreamBatchInfo": info}

    def put(self, queue: Queue, text: str) -> None:
        """Somebody else puts a text into a queue."""
        self.base.sources.send_message(QueueUrl=self.messaging.queues[queue], MessageBody=text)

    def work(self) -> bool:
        """Hand on what there is, once each; False as soon as something is to come again. Raises Crash."""
        if self.pending:
            answer = self.notify.workers.outbox({"Records": self.pending})
            if answer["batchItemFailures"]:
                return False
            self.pending = []
        return all(self._work_queue(queue) for queue in QUEUES)

    def settle(self) -> None:
        """Hand on again and again, until nothing is left to be done."""
        for _ in range(_MOST_ROUNDS):
            if self.work():
                return
        raise AssertionError("something comes again for ever")

    def left(self) -> dict[str, int]:
        """How much stands in queues or in dead-letter queues."""
        counted: Counter[str] = Counter()
        for urls in (self.messaging.queues, self.messaging.dead):
            for queue, url in urls.items():
                answer = self.base.sources.get_queue_attributes(QueueUrl=url, AttributeNames=["All"])
                counted[queue] += int(answer["Attributes"]["ApproximateNumberOfMessages"])
                counted[queue] += int(answer["Attributes"]["ApproximateNumberOfMessagesNotVisible"])
        return {queue: number for queue, number in counted.items() if number}

    def _work_queue(self, queue: Queue) -> bool:
        url, worker = self.messaging.queues[queue], getattr(self.notify.workers, queue)
        while messages := self.base.sources.receive_message(
            QueueUrl=url, AttributeNames=["All"], MessageAttributeNames=["All"]
        ).get("Messages"):
            (message,) = messages
            self.clock.forward_to(self._due_ms.get(message["Body"], 0))
            try:
                failed = worker({"Records": [as_record(message)]})["batchItemFailures"]
            except Crash:
                self._again(url, message)
                raise
            if failed:
                self._again(url, message)
                return False
            self.base.sources.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
        return True

    def _again(self, url: str, message: Mapping[str, Any]) -> None:
        self.base.sources.change_message_visibility(
            QueueUrl=url, ReceiptHandle=message["ReceiptHandle"], VisibilityTimeout=0
        )

    def _shard(self) -> str:
        described = self.base.source_stream.describe_stream(StreamArn=self.base.stream_arn)
        shards: list[dict[str, str]] = described["StreamDescription"]["Shards"]
        return shards[0]["ShardId"]

    @contextmanager
    def _stream_from_here(self) -> Iterator[list[dict[str, Any]]]:
        """The inserts that the stream tells of from now on, once the block has ended."""
        iterator = self.base.source_stream.get_shard_iterator(
            StreamArn=self.base.stream_arn, ShardId=self._shard(), ShardIteratorType="LATEST"
        )["ShardIterator"]
        told: list[dict[str, Any]] = []
        yield told
        records = self.base.source_stream.get_records(ShardIterator=iterator)["Records"]
        told += [
            json.loads(json.dumps(as_stream_record(one, self.base.stream_arn)))
            for one in records
            if one["eventName"] == "INSERT"
        ]

    # --- who is told ---

    def add_hook(self, hook: Hook) -> None:
        """Bob's webhook."""
        added = self.notify.webhooks.add(self.world.account(), {"url": hook.url})
        hook.secret = str(added["secret"])

    def add_mail(self) -> None:
        """Bob's e-mail address, proven."""
        account, notifications = self.world.account(), self.notify.notifications
        notifications.set_enabled(account, True)
        notifications.add(account, "EMAIL", "bob@example.com")
        notifications.verify_code(account, "EMAIL", self.base.mails.sent()[-1].code)

    def mails(self) -> int:
        """How many e-mails have gone out."""
        return len(self.base.mails.sent())

    def connect(self, connection_id: str, query: dict[str, str] | None = None) -> bool:
        """A client opens a socket; whether the gateway lets it."""
        answer = self.notify.sockets.connect(socket_event(connection_id, query=query, source=SOURCE))
        if answer["statusCode"] != 200:
            return False
        self.gateway.open[connection_id] = []
        return True

    def leave(self) -> None:
        """Bob closes all sockets, and acknowledges what he has."""
        for connection_id in tuple(self.gateway.open):
            del self.gateway.open[connection_id]
            self.notify.sockets.disconnect(socket_event(connection_id, source=SOURCE))
        self.world.acknowledge(self.world.fetch())

    def say(self, connection_id: str, frame: str) -> list[str]:
        """The client sends a frame; what it has heard by then, nothing if it was cut off."""
        self.notify.sockets.message(socket_event(connection_id, body=frame, source=SOURCE))
        return self.gateway.open.get(connection_id, [])

    def connect_io(self, connection_id: str) -> bool:
        """A client of Socket.IO opens a socket and signs in; whether it came to the end of that."""
        if not self.connect(connection_id, ENGINE) or not self.work():
            return False
        if not any(text.startswith("0{") for text in self.gateway.open.get(connection_id, [])):
            return False
        auth = {"account": {"ensName": self.base.ground.bob.name}, "token": self.world.token}
        return '42["authorized"]' in self.say(connection_id, "40" + json.dumps(auth))

    def connect_plain(self, connection_id: str) -> bool:
        """As `connect_io`, in the plain dialect, and up to the end of the backlog."""
        if not self.connect(connection_id):
            return False
        name, token = self.base.ground.bob.name, self.world.token
        subscribe = {"type": "subscribe", "name": name, "token": token, "cursor": None}
        frames = [json.loads(text) for text in self.say(connection_id, json.dumps(subscribe))]
        return any(frame["type"] == "caughtUp" for frame in frames)

    def pushed(self, connection_id: str) -> int:
        """How often the last message came to the socket."""
        envelope = self.world.envelopes[f"message {len(self.sent) - 1}"]
        beginning = json.loads(envelope.message)["ciphertext"][:40]
        return sum(beginning in text for text in self.gateway.open.get(connection_id, []))
