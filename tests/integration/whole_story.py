"""A whole story on a relay on this machine: mail for somebody who is told in every way, and what fails.

Everybody and everything in it has a name that stands nowhere else.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import http_ece
import pytest

from chalicelib.client.identity import Identity
from chalicelib.notify.ports import Queue
from chalicelib.protocol.envelope import Envelope
from infra.local.serve import LocalRelay
from tests.integration.emissions import Log, Subscriber, Trace, Wiretap, bodies, drained, flat, rows
from tests.integration.loopback import Listener, Receiver
from tests.support.relay_over_http import Refused, RelayOverHttp, person, relay_key, seal
from tests.unit.notify.desk_world import Browser

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
    connection_ids: tuple[str, ...] = ()
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
        self.connection_ids = self.relay.sockets.connection_ids
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
        leave = self.relay.mails()[-1].headers["List-Unsubscribe"]
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
            "link of an e-mail": Trace(leave.strip("<>").rpartition("/")[2]),
            "gateway's id": Trace(*self.connection_ids),
            "poison": Trace(POISON),
            "poisoned row": Trace(ROW_POISON),
        }

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


def _name(identity: Identity) -> Trace:
    """A name, also without its ending."""
    return Trace(identity.name, identity.name.removesuffix(".eth"))
