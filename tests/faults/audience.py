"""Those who are told in the tests that kill: Alice writes, Bob and the sleepers hear of it in every way."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread

from websockets.exceptions import WebSocketException
from websockets.sync.client import connect

from chalicelib.cli.demo import people
from chalicelib.cli.demo.people import Person
from chalicelib.client import Dm3Client, Sent
from chalicelib.client.notifications import ChannelType
from infra.local.messaging import Messaging
from infra.local.serve import LocalRelay
from tests.faults.hook import Hook
from tests.unit.notify.desk_world import Browser

# As socket.io-client waits for a handshake, but not as long.
_HANDSHAKE_S = 3.0
_COUNTS = (
    "ApproximateNumberOfMessages",
    "ApproximateNumberOfMessagesNotVisible",
    "ApproximateNumberOfMessagesDelayed",
)


def member(relay: LocalRelay, name: str, account: int) -> Person:
    """Somebody with a published profile and an account."""
    person = people.create(relay, name, account)
    people.publish(relay, person)
    person.client.register()
    return person


def another_client(relay: LocalRelay, person: Person) -> Dm3Client:
    """A client is for one thread."""
    return Dm3Client.connect(person.identity, relay.rpc_url, universal_resolver=relay.universal_resolver)


@dataclass(frozen=True)
class Subscription:
    """A webhook of somebody's."""

    person: Person
    hook: Hook
    webhook_id: str

    @classmethod
    def of(cls, person: Person, hook: Hook) -> Subscription:
        """Let `hook` hear of the person's messages from now on."""
        (webhook,) = (one for one in person.client.webhooks.add(hook.url).webhooks if one.secret)
        assert webhook.state == "active"
        assert webhook.secret is not None
        hook.secret = webhook.secret
        return cls(person, hook, webhook.id)

    def missing(self, sent: list[str]) -> set[str]:
        """The ids of messages that it has not been told of."""
        return set(sent) - self.hook.told

    def check(self, sent: list[str]) -> None:
        """Each message was told under one webhook-id, every request was genuine, and all is settled."""
        assert self.hook.forged == 0
        assert set(self.hook.ids) == set(sent)
        assert all(len(ids) == 1 for ids in self.hook.ids.values())
        assert len({webhook_id for webhook_id, _ in self.hook.requests}) == len(sent)
        log = self.log()
        assert set(log) == set(sent)
        assert set(log.values()) == {"delivered"}

    def log(self) -> dict[str, str]:
        """The state of every delivery, by the id of its message."""
        found: dict[str, str] = {}
        cursor, more = None, True
        while more:
            page = self.person.client.webhooks.log(self.webhook_id, cursor, limit=100)
            found |= {str(one.message_id): one.state for one in page.deliveries}
            cursor = page.cursor
            more = cursor is not None
        return found


class Writers:
    """Send from several threads; `sent` has the message ids by the name of the receiver."""

    def __init__(self, relay: LocalRelay, person: Person) -> None:
        self._relay = relay
        self._person = person
        self._lock = Lock()
        self.sent: dict[str, list[str]] = {}

    def write(self, receivers: list[str], threads: int) -> None:
        """One message to each of the receivers, in about this order. Raises if one is not accepted."""
        waiting = [(number, name) for number, name in enumerate(receivers)][::-1]

        def run() -> None:
            client = another_client(self._relay, self._person)
            while (following := self._next(waiting)) is not None:
                number, name = following
                sent = client.send(name, f"message {number}")
                assert isinstance(sent, Sent)
                assert sent.receipt is not None
                with self._lock:
                    self.sent.setdefault(name, []).append(sent.receipt.message_id)

        with ThreadPoolExecutor(threads) as pool:
            for begun in [pool.submit(run) for _ in range(threads)]:
                begun.result()

    def _next(self, waiting: list[tuple[int, str]]) -> tuple[int, str] | None:
        with self._lock:
            return waiting.pop() if waiting else None


class Follower:
    """Follows somebody's mail over a live connection; `texts` counts what came in."""

    def __init__(self, client: Dm3Client) -> None:
        self.texts: Counter[str] = Counter()
        self._following = client.follow()
        self._thread = Thread(target=self._run)

    def _run(self) -> None:
        for received in self._following:
            self.texts[str(received.message.message)] += 1

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends."""
        self._thread.start()
        try:
            yield
        finally:
            self._following.stop()
            self._thread.join()


@dataclass
class Visitor:
    """Opens Socket.IO sockets one after another and waits for each one's first packet.

    `greeted` counts those that got it, `again` those that had to be opened anew.
    """

    ws_url: str
    greeted: int = 0
    again: int = 0
    _ended: Event = field(default_factory=Event)

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends."""
        thread = Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(0.2):
            self.visit()

    def visit(self) -> bool:
        """Open a socket; whether it was greeted in time."""
        try:
            with connect(f"{self.ws_url}/socket.io/?EIO=4&transport=websocket", compression=None) as one:
                assert str(one.recv(_HANDSHAKE_S)).startswith("0{")
        except (TimeoutError, WebSocketException):
            self.again += 1
            return False
        self.greeted += 1
        return True


@contextmanager
def push_service() -> Iterator[tuple[str, Counter[str]]]:
    """A push service on loopback: its URL, and how many messages each path got."""
    got: Counter[str] = Counter()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.rfile.read(int(self.headers["content-length"]))
            got[self.path] += 1
            self.send_response(201)
            self.send_header("content-length", "0")
            self.end_headers()

        def log_message(self, *_args: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", got
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def wake_by_mail_and_push(relay: LocalRelay, person: Person, push_url: str) -> tuple[str, str]:
    """Let the person be woken by e-mail and web push; the address, and the path of the subscription."""
    address, path = f"{person.name.removesuffix('.eth')}@example.com", f"/{person.name}"
    notifications = person.client.notifications
    notifications.switch(on=True)
    notifications.add(ChannelType.EMAIL, address)
    code = relay.mails()[-1].code
    assert code is not None
    notifications.verify(ChannelType.EMAIL, code)
    notifications.add(ChannelType.PUSH, Browser(push_url + path).subscription)
    return address, path


class Letterboxes:
    """The queues of a relay and their dead-letter queues."""

    def __init__(self, relay: LocalRelay) -> None:
        messaging = relay.aws.messaging
        assert messaging is not None
        self._messaging: Messaging = messaging
        self._sqs = relay.aws.clients("sqs")
        self.redriven = 0

    def waiting(self) -> dict[str, int]:
        """How many messages each queue holds that is not empty."""
        counted = {str(queue): self._count(url) for queue, url in self._messaging.queues.items()}
        return {name: number for name, number in counted.items() if number}

    def redrive(self) -> None:
        """Move what is dead back into its queue, as an operator does who has mended what was wrong."""
        for queue, dead in self._messaging.dead.items():
            while messages := self._sqs.receive_message(
                QueueUrl=dead, MaxNumberOfMessages=10, MessageAttributeNames=["All"]
            ).get("Messages", []):
                for message in messages:
                    self._sqs.send_message(
                        QueueUrl=self._messaging.queues[queue],
                        MessageBody=message["Body"],
                        MessageAttributes={
                            name: {key: value[key] for key in ("DataType", "StringValue")}
                            for name, value in message.get("MessageAttributes", {}).items()
                        },
                    )
                    self._sqs.delete_message(QueueUrl=dead, ReceiptHandle=message["ReceiptHandle"])
                    self.redriven += 1

    def _count(self, url: str) -> int:
        answer = self._sqs.get_queue_attributes(QueueUrl=url, AttributeNames=list(_COUNTS))
        return sum(int(answer["Attributes"][name]) for name in _COUNTS)


def when(look: Callable[[], object], within_s: float, tell: Callable[[], object]) -> None:
    """Wait until `look` finds something true; what `tell` says is in the error if it does not."""
    pause, ends = Event(), within_s
    while not look():
        assert ends > 0, json.dumps(tell(), default=str)
        pause.wait(0.2)
        ends -= 0.2
