"""Telling receivers on a laptop, from end to end."""

from __future__ import annotations

import json
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread
from typing import Any, TypeVar

import pytest
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import ClientConnection, connect

from chalicelib.cli.demo import people
from chalicelib.cli.demo.people import Person
from chalicelib.client import Sent
from chalicelib.protocol.signing import sign
from infra.local.messaging import QueueTimes
from infra.local.serve import LocalRelay, Times, start_local

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("telling-relay")]

WITHIN_S = 20.0
PUSHED_WITHIN_S = 1.0
T = TypeVar("T")


class Desk:
    """A relay, and Alice who writes to Bob."""

    def __init__(self, relay: LocalRelay) -> None:
        self.relay = relay
        self.alice, self.bob = (
            people.create(relay, name, account)
            for account, name in enumerate(("alice.eth", "bob.eth"), start=1)
        )
        for person in (self.alice, self.bob):
            people.publish(relay, person)
            person.client.register()

    def write(self, text: str) -> str:
        """The id of a message from Alice to Bob."""
        sent = self.alice.client.send("bob.eth", text)
        assert isinstance(sent, Sent)
        assert sent.receipt is not None
        return sent.receipt.message_id

    def call(self, method: str, path: str, body: object = None, *, token: str | None = None) -> Any:  # noqa: ANN401
        headers = {"Content-Type": "application/json"} | (
            {"Authorization": f"Bearer {token}"} if token else {}
        )
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(self.relay.url + path, data, headers, method=method)  # noqa: S310
        with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
            text = response.read().decode()
        return json.loads(text) if text.startswith(("{", "[", '"')) else text

    def token(self, person: Person) -> str:
        challenge = self.call("GET", f"/auth/{person.name}")
        signature = sign(person.identity.keys.signing.private_key, challenge)
        answer = {"challenge": challenge, "signature": signature}
        return str(self.call("POST", f"/auth/{person.name}", answer))

    @contextmanager
    def live(self) -> Iterator[ClientConnection]:
        """A plain JSON socket of Bob's that is up to date."""
        with connect(f"{self.relay.ws_url}/live", compression=None) as one:
            subscribe = {
                "type": "subscribe",
                "name": "bob.eth",
                "token": self.token(self.bob),
                "cursor": None,
            }
            one.send(json.dumps(subscribe))
            while json.loads(one.recv(WITHIN_S))["type"] != "caughtUp":
                pass
            yield one


class Hook:
    """A server for webhooks that echoes the challenge and keeps what else it gets: (webhook-id, body)."""

    def __init__(self) -> None:
        self.got: list[tuple[str, dict[str, Any]]] = []
        hook = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = json.loads(self.rfile.read(int(self.headers["content-length"])))
                challenge = body.get("challenge") or body.get("data", {}).get("challenge")
                if challenge is None:
                    hook.got.append((self.headers["webhook-id"], body))
                answer = b"" if challenge is None else json.dumps({"challenge": challenge}).encode()
                self.send_response(200)
                self.send_header("content-length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_args: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_port}/hook"
        self._thread = Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02})
        self._thread.start()

    @property
    def messages(self) -> list[str]:
        return [body["data"]["messageId"] for _, body in tuple(self.got)]

    def stop(self) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()


@pytest.fixture(scope="module")
def desk() -> Iterator[Desk]:
    with start_local(times=Times(queues=QueueTimes(visibility_s=3, waking_delay_s=1))) as relay:
        yield Desk(relay)


@pytest.fixture
def hook() -> Iterator[Hook]:
    hook = Hook()
    yield hook
    hook.stop()


def wait_for(look: Callable[[], T | None], within_s: float = WITHIN_S) -> T:
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.01)
    return found


def drain(one: ClientConnection) -> None:
    """Read until the server closes."""
    with suppress(ConnectionClosed):
        while True:
            one.recv(WITHIN_S)


def test_a_message_is_pushed_within_a_second_over_both_dialects(desk: Desk) -> None:
    with desk.live() as plain, connect(f"{desk.relay.ws_url}/socket.io/?EIO=4&transport=websocket") as io:
        assert str(io.recv(WITHIN_S)).startswith("0{")
        auth = {"account": {"ensName": "bob.eth"}, "token": desk.token(desk.bob)}
        io.send("40" + json.dumps(auth))
        assert str(io.recv(WITHIN_S)).startswith("40")
        assert io.recv(WITHIN_S) == '42["authorized"]'
        for number in range(5):
            message_id = desk.write(f"message {number}")
            answered_s = time.monotonic()
            pushed = json.loads(plain.recv(WITHIN_S))
            assert pushed["type"] == "message"
            assert message_id in json.dumps(pushed)
            assert str(io.recv(WITHIN_S)).startswith('42["message",')
            if number:  # the first one makes clients and imports code
                assert time.monotonic() - answered_s < PUSHED_WITHIN_S


def test_a_webhook_arrives_and_names_nobody(desk: Desk, hook: Hook) -> None:
    (webhook,) = desk.bob.client.webhooks.add(hook.url).webhooks
    assert webhook.state == "active"
    message_id = desk.write("for the webhook")
    wait_for(lambda: message_id in hook.messages)
    told = json.dumps(hook.got)
    assert "alice" not in told
    assert "bob" not in told


def test_whoever_signs_out_everywhere_has_no_open_socket_left(desk: Desk) -> None:
    token = desk.token(desk.bob)
    with desk.live() as one:
        desk.call("POST", "/auth/bob.eth/sign-out-everywhere", {}, token=token)
        drain(one)
    wait_for(lambda: desk.relay.sockets.connection_ids == () or None)


def test_an_e_mail_goes_out_when_no_socket_is_open_and_none_when_one_has_shown_the_message(
    desk: Desk,
) -> None:
    token = desk.token(desk.bob)
    email = {"notificationChannelType": "EMAIL"}
    desk.call("POST", "/notifications/global/bob.eth", {"isEnabled": True}, token=token)
    desk.call("POST", "/notifications/bob.eth", {**email, "recipientValue": "bob@example.com"}, token=token)
    code = desk.relay.mails()[-1].code
    desk.call("POST", "/notifications/otp/verify/bob.eth", {**email, "otp": code}, token=token)
    before = len(desk.relay.mails())
    with desk.live() as one:
        desk.write("seen at once")
        while (frame := json.loads(one.recv(WITHIN_S)))["type"] != "ping":
            assert frame["type"] == "message"
        one.send('{"type":"pong"}')
        time.sleep(3)
        assert len(desk.relay.mails()) == before
    wait_for(lambda: desk.relay.sockets.connection_ids == () or None)
    desk.write("for the mailbox")
    wait_for(lambda: len(desk.relay.mails()) == before + 1)
    mail = desk.relay.mails()[-1]
    assert mail.to == ("bob@example.com",)
    assert "alice" not in mail.plain + mail.html
    assert mail.headers["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    exported = desk.call("GET", "/account/bob.eth/export", token=token)
    (channel,) = exported["notifications"]["channels"]
    assert channel == {"type": "EMAIL", "recipient": "bob@example.com", "enabled": True, "verified": True}
    desk.call("DELETE", "/notifications/channel/EMAIL/bob.eth", token=token)


def test_the_relay_says_by_what_it_can_tell(desk: Desk) -> None:
    asked = {"jsonrpc": "2.0", "id": 1, "method": "dm3_getDeliveryServiceProperties"}
    offered = desk.call("POST", "/rpc", asked)["result"]["notificationChannel"]
    assert {channel["type"] for channel in offered} == {"EMAIL", "PUSH"}
    assert [set(channel["config"]) for channel in offered if channel["type"] == "PUSH"] == [
        {"publicVapidKey"}
    ]


def test_an_account_that_leaves_leaves_nothing_behind(desk: Desk, hook: Hook) -> None:
    desk.bob.client.webhooks.add(hook.url)
    token = desk.token(desk.bob)
    with desk.live() as one:
        desk.call("DELETE", "/account/bob.eth", token=token)
        drain(one)
    dynamodb, tables = desk.relay.aws.clients("dynamodb"), desk.relay.aws.tables
    assert dynamodb.scan(TableName=tables.deliveries)["Count"] == 0, "the log of the webhook is gone"
    wait_for(lambda: desk.relay.sockets.connection_ids == () or None)
