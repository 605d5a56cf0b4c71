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
    """A task of the function `minute`."""

    def __init__(self, *, registry: Registry, clock: Clock) -> None:
        self._registry = registry
        self._clock = clock

    def run(self) -> None:
        """Ping the sockets of this minute, several at a time. Raises Unavailable if some were not reached.

        Gone sockets are forgotten. One that could not be pinged has 200 s left when its turn comes again.
        """
        turn = self._clock.now_ms() // 60_000 % _TURNS
        failed = False
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            for shard in range(turn, PING_SHARDS, _TURNS):
                try:
                    pinged = list(threads.map(self._ping, self._registry.of_shard(shard)))
                except Unavailable:
                    failed = True
                else:
                    failed = failed or not all(pinged)
        if failed:
            raise Unavailable

    def _ping(self, socket: OpenSocket) -> bool:
        """Whether the socket was pinged, or is no more."""
        try:
            self._registry.ping(socket)
        except Unavailable:
            return False
        return True
