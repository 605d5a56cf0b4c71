"""Sends the first packet of Engine.IO to sockets that have just been opened: the worker of GREETINGS.

The gateway refuses posts to a socket whose `$connect` it has not yet answered, in the same words as to one
that is closed. So a refusal is tried again, a few seconds long, for all sockets of the batch together.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chalicelib.names.counting import Counting, uncounted
from chalicelib.notify.batches import work
from chalicelib.notify.ports import Queue
from chalicelib.notify.sockets import packets
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.registry import Registry
from chalicelib.protocol.errors import Unavailable

PAUSES_S = (0.02, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)
"""Between two tries: six seconds in all."""

NEVER_OPENED = "SocketsNeverOpened"
"""Metric: a socket was gone before it could be greeted."""


class Greeter:
    """Works the queue GREETINGS; a text there is the keyed hash of a connection, in hex."""

    def __init__(
        self,
        *,
        registry: Registry,
        count: Counting = uncounted,
        pause: Callable[[float], None] = time.sleep,
    ) -> None:
        self._registry = registry
        self._count = count
        self._pause = pause

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Greet the sockets of a batch. Those that stay unreachable are forgotten."""
        waiting: list[OpenSocket] = []

        def first(record: Mapping[str, Any]) -> None:
            socket = self._registry.at(bytes.fromhex(record["body"]))
            if socket is not None and self._registry.claim_greeting(socket) and not self._greet(socket):
                waiting.append(socket)

        answer = work(event, first, self._count, Queue.GREETINGS)
        self._try_again(waiting)
        return answer

    def _try_again(self, waiting: list[OpenSocket]) -> None:
        for pause_s in PAUSES_S:
            if not waiting:
                return
            self._pause(pause_s)
            waiting = [socket for socket in waiting if self._is_there(socket) and not self._greet(socket)]
        for socket in waiting:
            self._count(NEVER_OPENED)
            # Its row expires, and its client comes back, should this not work either.
            with suppress(Unavailable):
                self._registry.close(socket)

    def _is_there(self, socket: OpenSocket) -> bool:
        """Whether nobody has said meanwhile that it closed: whoever opens and leaves keeps nobody waiting."""
        try:
            return self._registry.at(socket.connection) is not None
        except Unavailable:
            return True

    def _greet(self, socket: OpenSocket) -> bool:
        """Whether the gateway took the packet. An outage of some moments is waited out likewise."""
        try:
            return self._registry.greet(socket, packets.open_packet(self._registry.sid(socket)))
        except Unavailable:
            return False
