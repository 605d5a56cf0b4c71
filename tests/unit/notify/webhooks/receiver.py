"""Somebody's webhook endpoint: a real HTTP server on loopback that verifies with the published library."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, tzinfo
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from standardwebhooks import Webhook, webhooks

from chalicelib.relay.ports import Clock
from tests.unit.relay.ports import HandClock

LATENCY_S = 0.04
HANG_S = 10.0


@dataclass(frozen=True)
class Heard:
    """One request. `webhook_id` is told in the clear by its header."""

    body: str
    headers: dict[str, str]
    at_ms: int

    @property
    def webhook_id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def json(self) -> Any:  # noqa: ANN401 - any JSON
        return json.loads(self.body)

    @property
    def signatures(self) -> list[str]:
        return self.headers["webhook-signature"].split(" ")

    def verified_by(self, secret: str) -> Any:  # noqa: ANN401 - any JSON
        """What was sent, as the published library reads it. Raises its WebhookVerificationError."""
        return Webhook(secret).verify(self.body, self.headers)


@dataclass(frozen=True)
class Reply:
    """What the server does: answer, or say nothing until the other side gives up."""

    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)
    body: bytes = b""
    hang: bool = False


HANG = Reply(hang=True)
Behaviour = Callable[[Heard], Reply]


def echo(heard: Heard) -> Reply:
    """Answer the challenge as documented, and everything else with 204."""
    challenge = heard.json.get("challenge")
    return Reply(204) if challenge is None else Reply(200, {}, challenge.encode())


def one_after_the_other(*replies: Reply) -> Behaviour:
    """These replies, the last one for ever; challenges are echoed."""
    left = list(replies)

    def answer(heard: Heard) -> Reply:
        if heard.json["type"] == "webhook.challenge":
            return echo(heard)
        return left.pop(0) if len(left) > 1 else left[0]

    return answer


@dataclass
class Receiver:
    """A server that is up as long as its context. Each request takes `LATENCY_S` of the clock."""

    clock: HandClock
    behaviour: Behaviour = echo
    heard: list[Heard] = field(default_factory=list)
    url: str = ""
    released: threading.Event = field(default_factory=threading.Event)

    def events(self) -> list[Heard]:
        """All requests but challenges."""
        return [one for one in self.heard if one.json["type"] != "webhook.challenge"]


@contextmanager
def receiving(clock: HandClock, behaviour: Behaviour = echo) -> Iterator[Receiver]:
    """A receiver on loopback."""
    receiver = Receiver(clock, behaviour)

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            size = int(self.headers["content-length"])
            headers = {name.lower(): value for name, value in self.headers.items()}
            heard = Heard(self.rfile.read(size).decode(), headers, clock.at_ms)
            receiver.heard.append(heard)
            reply = receiver.behaviour(heard)
            clock.pass_s(HANG_S if reply.hang else LATENCY_S)
            if reply.hang:
                receiver.released.wait(5)
                return
            self.send_response(reply.status)
            for name, value in reply.headers.items():
                self.send_header(name, value)
            self.send_header("content-length", str(len(reply.body)))
            self.end_headers()
            self.wfile.write(reply.body)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - as the base class has it
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        receiver.url = f"http://127.0.0.1:{server.server_port}/hook"
        try:
            yield receiver
        finally:
            receiver.released.set()
            server.shutdown()
            thread.join()


def in_the_time_of(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the published library, which reads the machine's clock, live by `clock`."""

    class Now(datetime):
        @classmethod
        def now(cls, tz: tzinfo | None = None) -> Any:  # noqa: ANN401 - as the base class has it
            return datetime.fromtimestamp(clock.now_ms() / 1_000, tz or UTC)

    monkeypatch.setattr(webhooks, "datetime", Now)


def ids(heard: Sequence[Heard]) -> set[str]:
    return {one.webhook_id for one in heard}
