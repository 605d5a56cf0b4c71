"""Pings every open socket that has signed in each 240 s, so that neither gateway nor client gives it up.

Called each minute. Of the sixteen shards, those whose turn it is are queried; nothing is scanned. A socket
that has not signed in is in no shard: its client gives up after 440 s, the gateway after ten minutes.
"""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

from chalicelib.notify.ports import PING_SHARDS
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.registry import Registry
from chalicelib.notify.sockets.terms import PING_INTERVAL_S
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Clock

_TURNS = PING_INTERVAL_S // 60
_AT_ONCE = 16


class Pinger:
    """A task of the function `minute`, made once in a process."""

    def __init__(self, *, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock
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
        failed = False
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for shard in sorted(shards):
                try:
                    pinged = list(threads.map(self._ping, self._registry.of_shard(shard)))
                except Unavailable:
                    self._unread.add(shard)
                else:
                    failed = failed or not all(pinged)
        if failed or self._unread:
            raise Unavailable

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
