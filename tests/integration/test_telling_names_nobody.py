"""Receivers are told by every way at once, and then everything emitted is searched for everything used.

Emitted is what leaves the relay but for the owner's own inbox: notifications, events, queue texts, rows, log
lines and metrics. What a carrier cannot do without stands there once: an e-mail's address, a push's URL.
"""

from __future__ import annotations

import json
import logging
import urllib.request
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any

import http_ece
import pytest
from websockets.sync.client import ClientConnection, connect

from chalicelib.api.logs import JsonFormatter
from chalicelib.cli.demo import people
from chalicelib.cli.demo.people import Person
from chalicelib.protocol.signing import sign
from infra.local.messaging import QueueTimes
from infra.local.nudges import Nudges
from infra.local.serve import LocalRelay, Times, start_local
from tests.integration.test_local_telling import WITHIN_S, wait_for
from tests.unit.notify.desk_world import Browser

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("telling-relay")]

SENDER, RECEIVER = "wilhelmina.eth", "bartholomew.eth"
TEXT = "the quince is ripe"
MAILBOX = "barty.private@mail.example"
LARGE_BYTES = 200_000
MESSAGES = 3


@dataclass
class Emitted:
    """What was written to AWS: (service, operation, what was asked). And every line of the log."""

    calls: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    lines: list[str] = field(default_factory=list)

    def of(self, service: str, operation: str) -> list[str]:
        """What was asked in all such calls, as text."""
        return [repr(asked) for name, call, asked in self.calls if (name, call) == (service, operation)]

    def everything(self) -> str:
        """All of it; of e-mails only what they say."""
        texts = [
            repr(asked["Content"] if call == "send_email" else asked) for _, call, asked in tuple(self.calls)
        ]
        return "\n".join([*texts, *self.lines])


class _Listener(logging.Handler):
    """Keeps lines as the relay writes them and as Python would."""

    def __init__(self, lines: list[str]) -> None:
        super().__init__(logging.DEBUG)
        self._lines = lines

    def emit(self, record: logging.LogRecord) -> None:
        self._lines.append(f"{JsonFormatter().format(record)}\n{logging.Formatter().format(record)}")


@pytest.fixture
def emitted(monkeypatch: pytest.MonkeyPatch) -> Iterator[Emitted]:
    """Everything that happens from now on. Of libraries, what they say to everybody: warnings and worse."""
    emitted = Emitted()
    written = Nudges.written

    def watch(self: Nudges, service: str, operation: str, asked: Mapping[str, Any]) -> None:
        emitted.calls.append((service, operation, asked))
        written(self, service, operation, asked)

    monkeypatch.setattr(Nudges, "written", watch)
    listener = _Listener(emitted.lines)
    loud = logging.getLogger("dm3")
    monkeypatch.setattr(loud, "level", logging.DEBUG)
    for log in (loud, logging.getLogger()):
        log.addHandler(listener)
    yield emitted
    for log in (loud, logging.getLogger()):
        log.removeHandler(listener)


class Server:
    """A webhook and a push service: keeps what it gets, and echoes challenges. `status` answers the rest."""

    def __init__(self) -> None:
        self.status = 200
        self.got: list[tuple[str, str, bytes]] = []
        server = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                is_challenge = b"webhook.challenge" in body
                answer = json.dumps({"challenge": json.loads(body)["challenge"]}) if is_challenge else ""
                if not is_challenge:
                    server.got.append((self.path, str(self.headers), body))
                self.send_response(200 if is_challenge else server.status)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer.encode())

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    def to(self, path: str) -> list[tuple[str, bytes]]:
        """Headers and bodies of what was posted to `path`."""
        return [(headers, body) for where, headers, body in tuple(self.got) if where == path]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture
def server() -> Iterator[Server]:
    server = Server()
    yield server
    server.stop()


def call(relay: LocalRelay, method: str, path: str, body: object = None, token: str | None = None) -> Any:  # noqa: ANN401
    headers = {"Content-Type": "application/json"} | ({"Authorization": f"Bearer {token}"} if token else {})
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(relay.url + path, data, headers, method=method)  # noqa: S310
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
        text = response.read().decode()
    return json.loads(text) if text.startswith(("{", "[", '"')) else text


def session(relay: LocalRelay, person: Person) -> str:
    challenge = call(relay, "GET", f"/auth/{person.name}")
    signature = sign(person.identity.keys.signing.private_key, challenge)
    return str(call(relay, "POST", f"/auth/{person.name}", {"challenge": challenge, "signature": signature}))


@contextmanager
def both_sockets(relay: LocalRelay, token: str) -> Iterator[tuple[ClientConnection, ClientConnection]]:
    """One of each dialect, signed in for the receiver."""
    with (
        connect(f"{relay.ws_url}/live", compression=None) as plain,
        connect(f"{relay.ws_url}/socket.io/?EIO=4&transport=websocket") as io,
    ):
        plain.send(json.dumps({"type": "subscribe", "name": RECEIVER, "token": token, "cursor": None}))
        while json.loads(plain.recv(WITHIN_S))["type"] != "caughtUp":
            pass
        io.recv(WITHIN_S)
        io.send("40" + json.dumps({"account": {"ensName": RECEIVER}, "token": token}))
        while io.recv(WITHIN_S) != '42["authorized"]':
            pass
        yield plain, io


def test_nothing_emitted_names_anybody_or_says_anything(emitted: Emitted, server: Server) -> None:
    times = Times(queues=QueueTimes(visibility_s=2, waking_delay_s=1))
    with start_local(times=times) as relay:
        sender, receiver = (
            people.create(relay, name, account) for account, name in enumerate((SENDER, RECEIVER), start=1)
        )
        for person in (sender, receiver):
            people.publish(relay, person)
            person.client.register()
        token = session(relay, receiver)
        browser = Browser(f"{server.url}/push/of-bartholomew")
        (webhook,) = receiver.client.webhooks.add(f"{server.url}/hook/of-bartholomew").webhooks
        assert webhook.state == "active"
        code = _turn_on(relay, token, browser)
        with both_sockets(relay, token) as (plain, io):
            sender.client.send(RECEIVER, TEXT)
            assert json.loads(plain.recv(WITHIN_S))["type"] == "message"
            assert str(io.recv(WITHIN_S)).startswith('42["message"')
            sender.client.send(RECEIVER, TEXT * (LARGE_BYTES // len(TEXT)))
            connection_ids = relay.sockets.connection_ids
        wait_for(lambda: relay.sockets.connection_ids == () or None)
        _poison(relay)
        server.status = 500
        sender.client.send(RECEIVER, TEXT)
        wait_for(lambda: any("new message" in mail.subject for mail in relay.mails()) or None)
        wait_for(lambda: server.to("/push/of-bartholomew") or None)
        wait_for(lambda: len(server.to("/hook/of-bartholomew")) >= 4 or None)
        mails = relay.mails()
        call(relay, "POST", f"/auth/{RECEIVER}/sign-out-everywhere", {}, token)
        call(relay, "DELETE", f"/account/{RECEIVER}", token=session(relay, receiver))

    used = {
        "wilhelmina",
        "bartholomew",
        TEXT,
        "barty.private",
        token,
        code,
        "of-bartholomew",
        *connection_ids,
        *(secret for secret in (webhook.secret,) if secret),
        *(person.identity.address.lower().removeprefix("0x") for person in (sender, receiver)),
        *(person.identity.keys.signing.public_key for person in (sender, receiver)),
        *(person.identity.keys.encryption.public_key for person in (sender, receiver)),
    }
    used |= {b64encode(name.encode()).decode()[:12] for name in (SENDER, RECEIVER, MAILBOX)}
    used |= {name.encode().hex() for name in (SENDER, RECEIVER, MAILBOX)}
    told = {
        "what was written to AWS and to the log": emitted.everything(),
        "webhooks": repr(server.to("/hook/of-bartholomew")),
        "pushes": repr(
            [(headers, _opened(browser, body)) for headers, body in server.to("/push/of-bartholomew")]
        ),
        "e-mails of mail": repr(
            [(mail.subject, mail.plain, mail.html, mail.headers) for mail in mails if mail.code is None]
        ),
    }
    assert _found(used - {code}, told) == []
    assert _found({code}, {"the log": "\n".join(emitted.lines)}) == []
    assert "".join(emitted.of("sns", "publish_batch")).count("message.received") >= MESSAGES
    assert any("webhook.try" in text for text in emitted.of("sqs", "send_message")), "a try was put off"
    assert sum('"event": "request"' in line for line in emitted.lines) >= 10, "requests were logged"
    for metric in ("MessagesTold", "SocketPushes", "WebhookTried", "WakeUpsSent", "NotificationFailed"):
        assert any(metric in line for line in emitted.lines), f"{metric} was counted"


def _turn_on(relay: LocalRelay, token: str, browser: Browser) -> str:
    """E-mail and web push; the code that proved the address."""
    email = {"notificationChannelType": "EMAIL"}
    push = {"notificationChannelType": "PUSH", "recipientValue": browser.subscription}
    call(relay, "POST", f"/notifications/global/{RECEIVER}", {"isEnabled": True}, token)
    call(relay, "POST", f"/notifications/{RECEIVER}", push, token)
    call(relay, "POST", f"/notifications/{RECEIVER}", {**email, "recipientValue": MAILBOX}, token)
    code = relay.mails()[-1].code
    assert code is not None
    call(relay, "POST", f"/notifications/otp/verify/{RECEIVER}", {**email, "otp": code}, token)
    return code


def _poison(relay: LocalRelay) -> None:
    """What no worker understands, so that failures are logged, too."""
    messaging = relay.aws.messaging
    assert messaging is not None
    for url in messaging.queues.values():
        relay.aws.clients("sqs").send_message(QueueUrl=url, MessageBody="{}")


def _opened(browser: Browser, body: bytes) -> bytes:
    opened: bytes = http_ece.decrypt(
        body, private_key=browser.key, auth_secret=browser.secret, version="aes128gcm"
    )
    return opened


def _found(used: set[str], told: Mapping[str, str]) -> list[tuple[str, str]]:
    return [
        (where, text)
        for where, all_of_it in told.items()
        for text in used
        if text.lower() in all_of_it.lower()
    ]
