"""One WebSocket of the laptop's gateway: what may be posted to it, and when it ends.

`post` and `close` are called from any thread; everything else belongs to the event loop. A client that reads
slowly fills a buffer of its own: what finds no room is refused, and a client that takes nothing for a while
is cut, so that nobody waits for it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, MutableMapping
from dataclasses import dataclass
from enum import Enum, auto
from threading import Lock
from typing import Any

from infra.local.socket_events import Handshake

Message = MutableMapping[str, Any]
Send = Callable[[Message], Awaitable[None]]

NORMAL = 1000
GOING_AWAY = 1001
ABNORMAL = 1006
TRY_AGAIN_LATER = 1013


@dataclass(frozen=True, slots=True)
class SocketLimits:
    """API Gateway's quotas of WebSocket APIs, and the room for what a client has not read yet.

    A client is cut after `idle_s` without a message in either direction, `lifetime_s` after the handshake,
    and when it takes nothing for `stall_s`.
    """

    frame_bytes: int = 32 * 1024
    message_bytes: int = 128 * 1024
    idle_s: float = 600.0
    lifetime_s: float = 7_200.0
    buffer_bytes: int = 1024 * 1024
    stall_s: float = 10.0


@dataclass(frozen=True, slots=True)
class Ending:
    """Why a connection ended: the WebSocket close code, and whether the client has yet to be told."""

    code: int
    reason: str = ""
    tell: bool = False


class NotOpen(Exception):
    """The connection is gone, or its `$connect` has not been answered yet."""


class BufferFull(Exception):
    """The client reads too slowly for what is sent to it."""


class _State(Enum):
    OPENING = auto()
    OPEN = auto()
    CLOSED = auto()


class Connection:
    """A connection that is being opened; `open` it when `$connect` has been answered."""

    def __init__(self, handshake: Handshake, limits: SocketLimits) -> None:
        self.handshake = handshake
        self._limits = limits
        self._loop = asyncio.get_running_loop()
        self._lock = Lock()
        self._state = _State.OPENING
        self._buffered_bytes = 0
        self._outgoing: asyncio.Queue[bytes | Ending] = asyncio.Queue()
        self._began_s = self._active_s = self._loop.time()

    @property
    def idle_s(self) -> float:
        """Seconds since the last message in either direction."""
        return self._loop.time() - self._active_s

    def open(self) -> None:
        """From now on it can be posted to."""
        with self._lock:
            if self._state is _State.OPENING:
                self._state = _State.OPEN

    def end(self) -> None:
        """From now on it is gone."""
        with self._lock:
            self._state = _State.CLOSED

    def post(self, content: bytes) -> None:
        """Send `content` as one text message, after what was posted before. Raises NotOpen, BufferFull."""
        with self._lock:
            if self._state is not _State.OPEN:
                raise NotOpen
            # A single message always fits, as the gateway's own limit for one is lower.
            if self._buffered_bytes and self._buffered_bytes + len(content) > self._limits.buffer_bytes:
                raise BufferFull
            self._buffered_bytes += len(content)
        self._put(content)

    def close(self) -> None:
        """End the connection after what was posted before. Raises NotOpen."""
        self.look()
        self.end()
        self._put(Ending(NORMAL, "Connection Closed Normally", tell=True))

    def look(self) -> None:
        """Raises NotOpen."""
        with self._lock:
            if self._state is not _State.OPEN:
                raise NotOpen

    def received(self) -> None:
        """A message came from the client."""
        self._active_s = self._loop.time()

    async def write(self, send: Send) -> Ending:
        """Hand what is posted to the client, until somebody closes the connection or the client stalls."""
        while True:
            entry = await self._outgoing.get()
            if isinstance(entry, Ending):
                return entry
            text = entry.decode("utf-8", "replace")
            try:
                await asyncio.wait_for(
                    send({"type": "websocket.send", "text": text}), timeout=self._limits.stall_s
                )
            except TimeoutError:
                return Ending(TRY_AGAIN_LATER, "The client reads nothing")
            with self._lock:
                self._buffered_bytes -= len(entry)
            self._active_s = self._loop.time()

    async def expire(self) -> Ending:
        """Wait until the connection has been idle too long, or has lived its time."""
        while True:
            now_s = self._loop.time()
            ends_s = min(self._active_s + self._limits.idle_s, self._began_s + self._limits.lifetime_s)
            if now_s >= ends_s:
                return Ending(GOING_AWAY, "Going away", tell=True)
            await asyncio.sleep(ends_s - now_s)

    def _put(self, entry: bytes | Ending) -> None:
        try:
            self._loop.call_soon_threadsafe(self._outgoing.put_nowait, entry)
        except RuntimeError:  # the loop has ended, and with it every connection
            raise NotOpen from None
