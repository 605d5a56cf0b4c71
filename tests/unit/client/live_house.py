"""The live connections of a world's relay: a WebSocket server on loopback that speaks the plain JSON dialect.

A test says where it breaks: `breaks` is asked at each point of each connection, and may cut it. What waits is
the relay's own; what is pushed is what a test pushes.
"""

from __future__ import annotations

import contextlib
import json
import socket
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from threading import Lock, Thread
from typing import Any

from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from chalicelib.client import LiveSocket, WebSocketDialer
from chalicelib.protocol.errors import Dm3Error
from chalicelib.relay.service import Relay
from chalicelib.relay.values import Account
from tests.unit.client.world import RELAY, World

AT_ONCE = 2


@dataclass(frozen=True, slots=True)
class Cut:
    """How a connection ends: by a close frame with `code`, or, without one, by a broken network."""

    code: int | None = None


Break = Callable[[str], Cut | str | bytes | None]


class _Ended(Exception):
    """A connection was cut on purpose."""


def once(point: str, what: Cut | str | bytes, *, after: int = 0) -> Break:
    """`what` (a cut, or something said out of turn) once: at `point`, when it was passed `after` times."""
    left = [after]

    def breaks(here: str) -> Cut | str | bytes | None:
        if here != point:
            return None
        left[0] -= 1
        return what if left[0] == -1 else None

    return breaks


@dataclass
class LiveHouse:
    """The server; `heard` is what clients have said, in order."""

    world: World
    name: str = RELAY
    ping_interval_s: float = 240.0
    at_once: int = AT_ONCE
    status: int = 101
    breaks: list[Break] = field(default_factory=list)
    heard: list[dict[str, Any]] = field(default_factory=list)
    connections: int = 0
    mute: bool = False

    def __post_init__(self) -> None:
        self._server: Server = serve(
            self._serve, "127.0.0.1", 0, process_request=self._admit, ping_interval=None, close_timeout=1
        )
        self._thread = Thread(target=self._server.serve_forever, daemon=True)
        self._thread.start()
        self._open: dict[ServerConnection, Account] = {}
        self._lock = Lock()

    @property
    def url(self) -> str:
        host, port = self._server.socket.getsockname()[:2]
        return f"ws://{host}:{port}/live"

    @property
    def open_connections(self) -> int:
        """How many are signed in."""
        return len(self._open)

    def close(self) -> None:
        for connection in list(self._open):
            connection.close()
        self._server.shutdown()
        self._thread.join()

    def dial(self, url: str) -> LiveSocket:
        """As `LiveDialer.dial`, but here, whatever the name in `url` resolves to elsewhere."""
        assert url == f"wss://{self.name}/api/live"
        return WebSocketDialer(allow_ws=True, max_bytes=100_000).dial(self.url)

    def push(self, *, announce: bool = False) -> None:
        """The newest message of each signed-in account to its connections."""
        for connection, account in list(self._open.items()):
            newest = self._relay.inbox.page(account, limit=1_000).messages[-1]
            frame: dict[str, object] = {"type": "message", "message": newest.to_json()}
            if announce:
                frame = {
                    "type": "announcement",
                    "messageId": newest.message_id,
                    "storedAt": newest.stored_at_ms,
                }
            self.tell(connection, {**frame, "cursor": "c"})

    def tell_all(self, frame: object) -> None:
        for connection in list(self._open):
            self.tell(connection, frame)

    def tell(self, connection: ServerConnection, frame: object) -> None:
        with contextlib.suppress(ConnectionClosed, _Ended):
            self._send(connection, frame, "push")

    def cut_all(self, code: int | None = None) -> None:
        for connection in list(self._open):
            with contextlib.suppress(_Ended):
                self._cut(connection, Cut(code))

    def said(self, kind: str) -> list[dict[str, Any]]:
        """What clients have said of this type."""
        return [frame for frame in self.heard if frame["type"] == kind]

    @property
    def _relay(self) -> Relay:
        return self.world.relays[self.name]

    def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        return None if self.status == 101 else connection.respond(self.status, "")

    def _serve(self, connection: ServerConnection) -> None:
        self.connections += 1
        with contextlib.suppress(ConnectionClosed, _Ended):
            self._at(connection, "open")
            for text in connection:
                frame = json.loads(text)
                self.heard.append(frame)
                if not self.mute:
                    self._answer(connection, frame)
        self._open.pop(connection, None)

    def _answer(self, connection: ServerConnection, frame: dict[str, Any]) -> None:
        self._at(connection, frame["type"])
        try:
            match frame["type"]:
                case "subscribe":
                    authorization = f"Bearer {frame['token']}"
                    account = self._relay.sessions.authenticate(authorization, frame["name"])
                    self._open[connection] = account
                    self._send(
                        connection, {"type": "subscribed", "pingInterval": self.ping_interval_s}, "subscribed"
                    )
                    self._backlog(connection, frame["cursor"])
                case "resume":
                    self._backlog(connection, frame["cursor"])
                case "acknowledge":
                    count = self._relay.inbox.acknowledge(self._open[connection], frame["ids"])
                    answer = {"type": "acknowledged", "count": count, "ref": frame["ref"]}
                    self._send(connection, answer, "acknowledged")
        except Dm3Error as error:
            refusal = {"type": "error", "code": error.code, "message": error.message}
            connection.send(json.dumps(refusal | {"ref": frame.get("ref")}))
            if frame["type"] == "subscribe":
                raise _Ended from None

    def _backlog(self, connection: ServerConnection, cursor: str | None) -> None:
        page = self._relay.inbox.page(self._open[connection], cursor, self.at_once, follow=True)
        for message in page.messages:
            frame = {"type": "message", "message": message.to_json(), "cursor": page.cursor}
            self._send(connection, frame, "message")
        self._send(connection, {"type": "caughtUp", "cursor": page.cursor, "more": page.more}, "caughtUp")

    def _send(self, connection: ServerConnection, frame: object, point: str) -> None:
        self._at(connection, point)
        connection.send(json.dumps(frame))

    def _at(self, connection: ServerConnection, point: str) -> None:
        for breaks in self.breaks:
            match breaks(point):
                case Cut() as cut:
                    self._cut(connection, cut)
                case str() | bytes() as nonsense:
                    connection.send(nonsense)

    def _cut(self, connection: ServerConnection, cut: Cut) -> None:
        with self._lock:
            self._open.pop(connection, None)
        if cut.code is None:
            with contextlib.suppress(OSError):
                connection.socket.shutdown(socket.SHUT_RDWR)
        else:
            connection.close(cut.code)
        raise _Ended


@contextlib.contextmanager
def live_house(world: World, **members: Any) -> Iterator[LiveHouse]:  # noqa: ANN401 - those of LiveHouse
    house = LiveHouse(world, **members)
    try:
        yield house
    finally:
        house.close()
