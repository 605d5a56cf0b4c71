"""Nobody is told who writes to whom, or what: a whole story, and a search of everything that was emitted.

Where somebody may be named, `MAY_NAME` says so. That the search finds what is there is shown by planting a
name in every place that is searched.
"""

from __future__ import annotations

import json
import logging
import sys
import time
import urllib.request
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Any, Final

import http_ece
import pytest

from chalicelib.client.identity import Identity
from chalicelib.metrics import Metrics
from chalicelib.notify.channels.web_push import sealed
from chalicelib.notify.ports import Queue
from chalicelib.notify.recipients import Subscription
from chalicelib.protocol.envelope import Envelope
from infra.local.mails import SENDER as MAIL_SENDER
from infra.local.messaging import QueueTimes
from infra.local.serve import LocalRelay, Times, start_local
from tests.integration.emissions import Log, Subscriber, Trace, Wiretap, bodies, drained, flat, rows, search
from tests.integration.loopback import Listener, Receiver
from tests.support.relay_over_http import Refused, RelayOverHttp, person, relay_key, seal
from tests.unit.notify.desk_world import Browser

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("telling-relay")]

WITHIN_S = 60.0
SENDER, RECEIVER, BYSTANDER = "quetzalcoatlus.eth", "dunkleosteus.eth", "archaeopteryx.eth"
EMAIL, NUMBER = "hannelore.dunkel@mailbox.example", "+4915199887766"
TEXT = "the-comet-comes-on-tuesday"
LARGE_CHARACTERS = 150_000
HOOK, FAILING_HOOK = "/hooks/of-the-armoured-fish", "/hooks/that-always-fails"
PUSH, GONE_PUSH = "/push/to-the-armoured-fish", "/push/that-has-gone"
POISON, ROW_POISON, BAD_TOKEN = "belladonna-berries", "arsenic-and-old-lace", "not-a-token-at-all"

CHANNELS: Final = (
    "topic",
    "operator's subscription",
    "queues",
    "dead letters",
    "writes",
    "rows",
    "bodies",
    "log",
    "written",
    "metrics",
    "e-mails",
    "sms",
    "pushes",
    "pushes, decrypted",
    "webhooks",
    "webhooks' answers to their owner",
    "sockets of others",
    "own sockets",
)
MAY_NAME: Final[Mapping[str, set[str]]] = {
    # A letter has an address on it, and nothing else.
    "e-mails": {"e-mail address"},
    "sms": {"telephone number"},
    # An open socket brings its owner their mail, sealed as it came, and the session it was opened with knows
    # both names. It is the only way in which mail leaves but for the inbox itself.
    "own sockets": {"sender's name", "receiver's name", "ciphertext"},
    # The owner is shown their own webhooks when they ask; the secret comes once, when it is made.
    "webhooks' answers to their owner": {"webhook's path", "webhook's secret"},
    # What the story itself throws in there. What it throws into one queue must not come out elsewhere.
    "topic": {"poison"},
    "operator's subscription": {"poison"},
    "queues": {"poison"},
    "dead letters": {"poison"},
    "writes": {"poisoned row"},
    "rows": {"poisoned row"},
}


def wait_for(look: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WITHIN_S
    while not look():
        assert time.monotonic() < deadline, what
        time.sleep(0.05)


@dataclass
class Story:
    """A relay, three people, servers of theirs, and what is emitted."""

    relay: LocalRelay
    log: Log
    receiver_server: Receiver
    http: RelayOverHttp = field(init=False)
    listeners: dict[str, Listener] = field(default_factory=dict)
    traces: dict[str, Trace] = field(default_factory=dict)
    answers: list[bytes] = field(default_factory=list)
    dead_letters: list[bytes] = field(default_factory=list)
    envelopes: list[Envelope] = field(default_factory=list)
    tokens: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        relay = self.relay
        self.wire, self.subscriber = Wiretap(relay), Subscriber(relay)
        self.http, self.key = RelayOverHttp(relay.url), relay_key(relay)
        self.sender, self.receiver, self.bystander = (
            person(relay, name) for name in (SENDER, RECEIVER, BYSTANDER)
        )
        for one in (self.sender, self.receiver, self.bystander):
            self.tokens[one.name] = self.http.settle(one)
        self.browser = Browser(f"{self.receiver_server.url}{PUSH}")
        self.gone_browser = Browser(f"{self.receiver_server.url}{GONE_PUSH}", seed=9)

    # --- what people do ---

    def own(self, method: str, path: str, body: object = None) -> Any:  # noqa: ANN401 - JSON
        """What the receiver asks, signed in."""
        return self.http.ask(method, path, body, self.tokens[RECEIVER])

    def refused(self, method: str, path: str, body: object = None, token: str | None = None) -> None:
        with pytest.raises(Refused):
            self.http.ask(method, path, body, token)

    def letter(self, text: str = TEXT) -> str:
        envelope = seal(self.sender, self.receiver, text, self.key)
        self.envelopes.append(envelope)
        return json.dumps(envelope.to_json())

    def listen(self, name: str, path: str, *frames: str) -> Listener:
        self.listeners[name] = listener = Listener(self.relay.ws_url + path)
        for frame in frames:
            listener.send(frame)
        return listener

    def plain(self, name: str, person: str, token: str) -> Listener:
        subscribe = {"type": "subscribe", "name": person, "token": token, "cursor": None}
        return self.listen(name, "/live", json.dumps(subscribe))

    def socket_io(self, name: str, person: str, token: str) -> Listener:
        listener = self.listen(name, "/socket.io/?EIO=4&transport=websocket")
        wait_for(lambda: listener.has('0{"'), "the socket is greeted")
        listener.send("40" + json.dumps({"account": {"ensName": person}, "token": token}))
        return listener

    # --- the story ---

    def tell(self) -> None:
        self._sign_up()
        self._mail_without_sockets()
        self._mail_with_sockets()
        self._poison()
        self._refusals()
        self._trace()

    def _sign_up(self) -> None:
        url = self.receiver_server.url
        self.receiver_server.statuses |= {FAILING_HOOK: 500, GONE_PUSH: 410, PUSH: 201}
        closed = Receiver()
        closed.stop()
        for hook in (url + HOOK, url + FAILING_HOOK, closed.url + HOOK):
            self._answered(self.own("POST", f"/webhooks/{RECEIVER}", {"url": hook}))
        self.own("POST", f"/notifications/global/{RECEIVER}", {"isEnabled": True})
        for kind, recipient in (
            ("EMAIL", EMAIL),
            ("SMS", NUMBER),
            ("PUSH", self.browser.subscription),
            ("PUSH", self.gone_browser.subscription),
        ):
            channel = {"notificationChannelType": kind, "recipientValue": recipient}
            self.own("POST", f"/notifications/{RECEIVER}", channel)
        verify = f"/notifications/otp/verify/{RECEIVER}"
        code = self.relay.mails()[-1].code
        wrong = {"notificationChannelType": "EMAIL", "otp": "00000" if code != "00000" else "11111"}
        self.refused("POST", verify, wrong, self.tokens[RECEIVER])
        self.own("POST", verify, {"notificationChannelType": "EMAIL", "otp": code})
        (said,) = [text for text in self.wire.of("sms") if b"code" in text]
        self.own("POST", verify, {"notificationChannelType": "SMS", "otp": said[:5].decode()})

    def _mail_without_sockets(self) -> None:
        self.http.submit(self.letter())
        server = self.receiver_server
        wait_for(lambda: server.events(HOOK), "the webhook is told")
        wait_for(lambda: server.events(FAILING_HOOK), "the other one, too")
        wait_for(lambda: len(self.relay.mails()) == 2, "a code, and a mail")
        wait_for(lambda: server.at(PUSH) and server.at(GONE_PUSH), "both browsers")
        wait_for(lambda: any(text.startswith(b"A new") for text in self.wire.of("sms")), "the telephone")
        self._answered(self.own("GET", f"/webhooks/{RECEIVER}"))

    def _mail_with_sockets(self) -> None:
        tokens = self.tokens
        own = [
            self.plain("own, plain", RECEIVER, tokens[RECEIVER]),
            self.socket_io("own, Socket.IO", RECEIVER, tokens[RECEIVER]),
        ]
        writing = self.socket_io("sender's", SENDER, tokens[SENDER])
        bystander = self.plain("bystander's", BYSTANDER, tokens[BYSTANDER])
        refused = [
            self.plain("bad token, plain", RECEIVER, BAD_TOKEN),
            self.socket_io("bad token, Socket.IO", RECEIVER, BAD_TOKEN),
            self.plain("somebody else's token", RECEIVER, tokens[BYSTANDER]),
            self.listen("nonsense", "/live", json.dumps({"type": RECEIVER, "token": BAD_TOKEN})),
        ]
        wait_for(lambda: own[0].has("caughtUp") and bystander.has("caughtUp"), "subscribed")
        wait_for(lambda: own[1].has("authorized") and writing.has("authorized"), "authorised")
        wait_for(lambda: all(one.closed for one in refused), "the others are refused")
        submit = {"envelop": json.loads(self.letter()), "token": tokens[SENDER]}
        writing.send("420" + json.dumps(["submitMessage", submit]))
        writing.send("421" + json.dumps(["submitMessage", {"envelop": {}, "token": BAD_TOKEN}]))
        wait_for(lambda: own[1].has('42["message"'), "pushed")
        wait_for(lambda: writing.has('430[{"response":"success"}]') and writing.has("431["), "answered")
        self.relay.workers["outbox"].kill()
        self.http.submit(self.letter(TEXT + "x" * LARGE_CHARACTERS))
        self.relay.workers["outbox"].start()
        wait_for(lambda: own[0].has('"announcement"'), "announced")
        page = self.own("GET", f"/inbox/{RECEIVER}")
        ids = [page["messages"][0]["id"]]
        own[0].send(json.dumps({"type": "acknowledge", "ids": ids}))
        wait_for(lambda: own[0].has('"acknowledged"'), "acknowledged")

    def _poison(self) -> None:
        """In the topic, in every queue, and in the stream."""
        messaging, clients = self.relay.aws.messaging, self.relay.aws.clients
        assert messaging is not None
        channels = {"channels": {"DataType": "String.Array", "StringValue": '["socket","email"]'}}
        clients("sns").publish(
            TopicArn=messaging.topic_arn, Message=json.dumps({"type": POISON}), MessageAttributes=channels
        )
        for url in messaging.queues.values():
            clients("sqs").send_message(QueueUrl=url, MessageBody=POISON)
        stretch = {"shardId": "none", "startSequenceNumber": POISON, "endSequenceNumber": POISON}
        clients("sqs").send_message(
            QueueUrl=messaging.queues[Queue.UNTOLD], MessageBody=json.dumps({"DDBStreamBatchInfo": stretch})
        )
        row = {"pk": {"B": b"?" * 32}, "sk": {"B": b"?"}, "payload": {"B": ROW_POISON.encode()}}
        clients("dynamodb").put_item(TableName=self.relay.aws.tables.inbox, Item=row)
        wait_for(lambda: all(map(self._waiting, messaging.dead.values())), "all poison is set aside")

    def _waiting(self, url: str) -> bool:
        name = "ApproximateNumberOfMessages"
        answer = self.relay.aws.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=[name])
        return int(answer["Attributes"][name]) > 0

    def _refusals(self) -> None:
        challenge = self.http.ask("GET", f"/auth/{RECEIVER}")
        self.refused("POST", f"/auth/{RECEIVER}", {"challenge": challenge, "signature": BAD_TOKEN})
        self.refused("GET", f"/inbox/{RECEIVER}", token=BAD_TOKEN)
        self.refused("GET", f"/inbox/{RECEIVER}", token=self.tokens[BYSTANDER])
        self.refused("POST", f"/unsubscribe/{BAD_TOKEN}")
        self.refused("POST", f"/webhooks/{RECEIVER}", {"url": EMAIL}, self.tokens[RECEIVER])
        for params in ([POISON], [self.letter()[:-2]], [{"message": TEXT}]):
            asked = {"jsonrpc": "2.0", "id": 1, "method": "dm3_submitMessage", "params": params}
            self.refused("POST", "/rpc", asked)
        self.own("GET", f"/account/{RECEIVER}/export")
        self.http.ask("DELETE", f"/account/{BYSTANDER}", token=self.tokens[BYSTANDER])

    def _answered(self, answer: object) -> None:
        self.answers += flat(answer)
        secrets = [text for text in self.answers if text.startswith(b"whsec_")]
        self.traces["webhook's secret"] = Trace(*(secret.decode() for secret in secrets))

    def _trace(self) -> None:
        """What is searched for."""
        ciphertexts = [
            part
            for one in self.envelopes
            for part in (
                json.loads(one.message)["ciphertext"][:60],
                json.loads(one.delivery_information)["ciphertext"][:60],
                one.signature,
            )
        ]
        self.traces |= {
            "sender's name": _name(self.sender),
            "sender's address": Trace(self.sender.address),
            "receiver's name": _name(self.receiver),
            "receiver's address": Trace(self.receiver.address),
            "bystander": Trace(BYSTANDER, self.bystander.address),
            "e-mail address": Trace(EMAIL, EMAIL.partition("@")[0]),
            "telephone number": Trace(NUMBER, NUMBER[1:]),
            "webhook's path": Trace(HOOK, FAILING_HOOK),
            "push service's path": Trace(PUSH, GONE_PUSH),
            "content": Trace(TEXT),
            "ciphertext": Trace(*ciphertexts),
            "token": Trace(*self.tokens.values(), *(token.split(".")[-1] for token in self.tokens.values())),
            "bad token": Trace(BAD_TOKEN),
            "poison": Trace(POISON),
            "poisoned row": Trace(ROW_POISON),
        }

    # --- what is searched ---

    def emitted(self, channel: str) -> list[bytes]:
        """Everything that was emitted by one of CHANNELS until now."""
        relay, wire, server = self.relay, self.wire, self.receiver_server
        assert relay.aws.messaging is not None
        dead = relay.aws.messaging.dead.values()
        pushes = [post for path in (PUSH, GONE_PUSH) for post in server.at(path)]
        hooks = [post for path in (HOOK, FAILING_HOOK) for post in server.at(path)]
        own = [name for name in self.listeners if name.startswith("own")]
        looks: dict[str, Callable[[], list[bytes]]] = {
            "topic": lambda: wire.of("topic"),
            "operator's subscription": lambda: self.subscriber.got,
            "queues": lambda: wire.of("sqs"),
            "dead letters": lambda: self._letters(dead),
            "writes": lambda: wire.of("dynamodb", "s3"),
            "rows": lambda: [text for table in rows(relay).values() for text in table],
            "bodies": lambda: bodies(relay),
            "log": lambda: self.log.lines,
            "written": lambda: self.log.written,
            "metrics": lambda: self.log.metrics,
            "e-mails": lambda: wire.of("sesv2"),
            "sms": lambda: wire.of("sms"),
            "pushes": lambda: [text for post in pushes for text in (post.headers.encode(), post.body)],
            "pushes, decrypted": lambda: [self._decrypted(post.path, post.body) for post in pushes],
            "webhooks": lambda: [text for post in hooks for text in (post.headers.encode(), post.body)],
            "webhooks' answers to their owner": lambda: self.answers,
            "sockets of others": lambda: self._frames(set(self.listeners) - set(own)),
            "own sockets": lambda: self._frames(set(own)),
        }
        return looks[channel]()

    def _letters(self, urls: Iterable[str]) -> list[bytes]:
        """What has come into dead-letter queues, which are emptied by it."""
        sqs = self.relay.aws.clients("sqs")
        self.dead_letters += [text for url in urls for text in drained(sqs, url)]
        return list(self.dead_letters)

    def _frames(self, names: set[str]) -> list[bytes]:
        return [frame.encode() for name in sorted(names) for frame in tuple(self.listeners[name].frames)]

    def _decrypted(self, path: str, body: bytes) -> bytes:
        browser = self.browser if path == PUSH else self.gone_browser
        plain: bytes = http_ece.decrypt(
            body, private_key=browser.key, auth_secret=browser.secret, version="aes128gcm"
        )
        return plain

    # --- what the search must find ---

    def plant(self, channel: str, name: str) -> None:
        """Emit a name by that channel."""
        clients, tables, url = self.relay.aws.clients, self.relay.aws.tables, self.receiver_server.url
        messaging = self.relay.aws.messaging
        assert messaging is not None
        data = name.encode()
        subscription = Subscription.parse(self.browser.subscription)

        def publish() -> None:
            clients("sns").publish(TopicArn=messaging.topic_arn, Message=name)

        def post(path: str, body: bytes, header: str = "") -> None:
            request = urllib.request.Request(url + path, body, {"x-of": header})  # noqa: S310 - loopback
            urllib.request.urlopen(request, timeout=WITHIN_S).close()  # noqa: S310

        def row(value: bytes) -> None:
            item = {"pk": {"B": b"planted"}, "sk": {"B": b"planted"}, "value": {"B": value}}
            clients("dynamodb").put_item(TableName=tables.deliveries, Item=item)

        def log() -> None:
            with self.log.kept():
                logging.getLogger("dm3.notify").error("defect", extra={"fields": {"type": name}})

        def write() -> None:
            with self.log.kept():
                sys.stderr.write(f"defect: {name}\n")

        def metric() -> None:
            with self.log.kept():
                metrics = Metrics("local", lambda: 0)
                metrics("NotificationFailed", Queue=name)
                metrics.flush()

        def mail() -> None:
            text = {"Data": f"{name} has written to you."}
            clients("sesv2").send_email(
                FromEmailAddress=MAIL_SENDER,
                Destination={"ToAddresses": [EMAIL]},
                Content={"Simple": {"Subject": text, "Body": {"Text": text}}},
            )

        def frame() -> None:
            for connection_id in self.relay.sockets.connection_ids:
                self.relay.sockets.connection(connection_id).post(data)

        plants: dict[str, Callable[[], object]] = {
            "topic": publish,
            "operator's subscription": publish,
            "queues": lambda: clients("sqs").send_message(
                QueueUrl=messaging.queues[Queue.EMAIL], MessageBody=name
            ),
            "dead letters": lambda: clients("sqs").send_message(
                QueueUrl=messaging.dead[Queue.EMAIL], MessageBody=name
            ),
            "writes": lambda: row(data),
            "rows": lambda: row(sha256(data).digest()),
            "bodies": lambda: clients("s3").put_object(
                Bucket=self.relay.aws.bucket, Key="planted", Body=data
            ),
            "log": log,
            "written": write,
            "metrics": metric,
            "e-mails": mail,
            "sms": lambda: clients("sns").publish(PhoneNumber=NUMBER, Message=name),
            "pushes": lambda: post(PUSH, sealed(b"{}", subscription), name),
            "pushes, decrypted": lambda: post(PUSH, sealed(data, subscription)),
            "webhooks": lambda: post(HOOK, json.dumps({"data": {"from": name}}).encode()),
            "webhooks' answers to their owner": lambda: self.answers.append(data),
            "sockets of others": frame,
            "own sockets": frame,
        }
        plants[channel]()


def _name(identity: Identity) -> Trace:
    """A name, also without its ending."""
    return Trace(identity.name, identity.name.removesuffix(".eth"))


@pytest.fixture(scope="module")
def story() -> Iterator[Story]:
    """The story has been told."""
    log, server = Log(), Receiver()
    times = Times(queues=QueueTimes(visibility_s=2, waking_delay_s=1), minute_s=2)
    with log.kept(), start_local(times=times, settings={"DM3_SMS": "true"}) as relay:
        story = Story(relay, log, server)
        try:
            story.tell()
            yield story
        finally:
            for listener in story.listeners.values():
                listener.stop()
            server.stop()


@pytest.mark.parametrize("channel", CHANNELS)
def test_nobody_is_named(story: Story, channel: str) -> None:
    texts = story.emitted(channel)
    assert texts, "a channel by which nothing is emitted proves nothing"
    assert search(texts, story.traces) - MAY_NAME.get(channel, set()) == set()


@pytest.mark.parametrize("channel", list(MAY_NAME))
def test_what_may_be_named_is(story: Story, channel: str) -> None:
    """No exception is made for nothing, and the search does find what is there."""
    assert search(story.emitted(channel), story.traces) >= MAY_NAME[channel]


@pytest.mark.parametrize(("number", "channel"), [*enumerate(CHANNELS)])
def test_a_planted_name_is_found(story: Story, number: int, channel: str) -> None:
    name = f"plantagenet-{number}.eth"
    planted = {name: Trace(name)}
    assert search(story.emitted(channel), planted) == set()
    story.plant(channel, name)
    wait_for(lambda: search(story.emitted(channel), planted), "what was planted is found")
