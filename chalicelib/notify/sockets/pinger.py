"""Pings every open socket that has signed in each 240 s, so that neither gateway nor client gives it up.

Called each minute. Of the sixteen shards, those whose turn it is are queried; nothing is scanned. A socket
that has not signed in is in no shard: its client gives up after 440 s, the gateway after ten minutes.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor

from chalicelib.notify.ports import PING_SHARDS
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.registry import Registry
from chalicelib.notify.sockets.terms import PING_INTERVAL_S
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Clock

_TURNS = PING_INTERVAL_S // 60
_AT_ONCE = 16
_PER_S = 50
"""So many are pinged a second, a tenth of what the gateway lets in by default: each answer is a frame, and a
frame that is throttled is answered by the gateway in words which end a Socket.IO socket."""
PACED_S = 12
"""More than that are pinged faster, so that they all have been after so many seconds."""


class Pinger:
    """A task of the function `minute`, made once in a process."""

    def __init__(
        self, *, registry: Registry, clock: Clock, pause: Callable[[float], None] = time.sleep
    ) -> None:
        self._registry = registry
        self._clock = clock
        self._pause = pause
        self._last_minute: int | None = None
        self._unread: set[int] = set()

    def run(self) -> None:
        """Ping the sockets of this minute, several at a time. Raises Unavailable if some were not reached.

        Gone sockets are forgotten. A minute that the clock passed over and a shard that could not be read are
        made good by the next run of the process: a minute late is early enough for every client. One socket
        that could not be reached waits for its turn, and its client may give it up before and come back.
        """
        shards = self._due() | self._unread
        self._unread = set()
        sockets: list[OpenSocket] = []
        for shard in sorted(shards):
            try:
                sockets.extend(self._registry.of_shard(shard))
            except Unavailable:
                self._unread.add(shard)
        if not self._ping_all(sockets) or self._unread:
            raise Unavailable

    def _ping_all(self, sockets: Sequence[OpenSocket]) -> bool:
        """Whether all of them were pinged, or are no more. A second's share at a time."""
        share = max(_PER_S, -(-len(sockets) // PACED_S))
        pinged: list[bool] = []
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for start in range(0, len(sockets), share):
                if start:
                    self._pause(1.0)
                pinged += threads.map(self._ping, sockets[start : start + share])
        return all(pinged)

    def _due(self) -> set[int]:
        """The shards whose turn has come since the last run; of this minute, if that is not remembered.

        The clock that calls comes a little late at times, so two calls may fall into one minute and none into
        the next.
        """
        minute = self._clock.now_ms() // 60_000
        first = minute if self._last_minute is None else max(self._last_minute + 1, minute - _TURNS + 1)
        self._last_minute = minute
        turns = {passed % _TURNS for passed in range(first, minute + 1)}
        return {shard for shard in range(PING_SHARDS) if shard % _TURNS in turns}

    def _ping(self, socket: OpenSocket) -> bool:
        """Whether the socket was pinged, or is no more."""
        try:
            self._registry.ping(socket)
        except Unavailable:
            return False
        return True
