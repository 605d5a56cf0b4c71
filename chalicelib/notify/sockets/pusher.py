"""Pushes a stored message to every open socket of its account: the worker of the queue SOCKETS.

A post that succeeds proves nothing. Where somebody would be woken instead, a ping goes right behind the
message, and its number is kept: once the socket has answered it, the message was received, and nobody is
woken (`notify.wake_ups`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.notify.batches import work
from chalicelib.notify.events import WAKING, MessageReceived, SizeClass
from chalicelib.notify.ports import Queue
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.registry import Registry
from chalicelib.notify.sockets.terms import MESSAGE_BYTES
from chalicelib.notify.sockets.voices import VOICES, before, fetch_cursor, fits
from chalicelib.protocol.errors import TooBig, Unavailable
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.ports import Clock
from chalicelib.relay.positions import Positions
from chalicelib.relay.values import StoredMessage

PUSHED = "SocketPushes"
"""Metric: a message was posted to a socket. With the dimension `Dialect`, as the next."""
ANNOUNCED = "SocketAnnouncements"
"""Metric: a message was too large to be posted to a socket."""
PUSH_DELAY = "SocketPushDelay"
"""Metric: how long after it was stored a message was posted. With the dimension `Within`."""

_AT_ONCE = 10
_DELAYS_S = (1, 5, 30, 300)


class Pusher:
    """Works the queue SOCKETS."""

    def __init__(
        self, *, registry: Registry, mailbox: Mailbox, positions: Positions, clock: Clock, count: Counting
    ) -> None:
        self._registry = registry
        self._mailbox = mailbox
        self._positions = positions
        self._clock = clock
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work a batch, its messages at the same time; what some socket could not be given comes again."""
        records = event["Records"]
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            tried = {record["messageId"]: threads.submit(self._one, record) for record in records}
            return work(event, lambda record: tried[record["messageId"]].result(), self._count, Queue.SOCKETS)

    def _one(self, record: Mapping[str, Any]) -> None:
        """Push one message. Raises Unavailable after having tried every socket, ValueError for no event."""
        event = MessageReceived.of_record(record)
        sockets = self._registry.of_account(event.owner)
        if not sockets:
            return
        stored = None
        if event.size is not SizeClass.LARGE:
            stored = self._read(event)
            if stored is None:
                return
        self._push_all(sockets, event, stored, repeated=_tries(record) > 1)

    def _push_all(
        self,
        sockets: Sequence[OpenSocket],
        event: MessageReceived,
        stored: StoredMessage | None,
        *,
        repeated: bool,
    ) -> None:
        """Push to each socket, whatever becomes of others. Raises Unavailable in the end if one failed."""
        waking = not event.channels.isdisjoint(WAKING)
        # The numbers of pings that an earlier try has sent: those sockets have the message.
        marked = self._registry.marks(event.owner, event.key.message_id) if waking and repeated else {}
        pings = dict(marked)
        failure: Unavailable | None = None
        for socket in (one for one in sockets if one.connection not in marked):
            try:
                number = self._push(socket, event, stored, ping=waking)
            except Unavailable as error:
                failure = error
            else:
                if number:
                    pings[socket.connection] = number
        if pings:
            self._registry.mark(event.owner, event.key.message_id, pings)
        if failure is not None:
            raise failure

    def _read(self, event: MessageReceived) -> StoredMessage | None:
        """The message, unless it has been acknowledged, has expired or cannot be opened."""
        batch = self._mailbox.read(event.owner, before(event.key), limit=1, max_bytes=MESSAGE_BYTES)
        return next((item.message for item in batch.opened if item.key == event.key), None)

    def _push(
        self, socket: OpenSocket, event: MessageReceived, stored: StoredMessage | None, *, ping: bool
    ) -> int:
        """Post the message and, if asked to, a ping behind it; the ping's number, 0 if there was none.

        A message that is only announced (None: too large to be read for this) is not shown: no ping of it
        keeps anybody from being woken.
        """
        text = None if stored is None else VOICES[socket.dialect].message(stored)
        if text is None or not fits(text):
            self._announce(socket, event)
            return 0
        try:
            there = self._registry.post(socket, text)
        except TooBig:
            self._announce(socket, event)
            return 0
        if not there:
            return 0
        self._count(PUSHED, Dialect=socket.dialect)
        self._count(PUSH_DELAY, Within=self._delay(event))
        return self._registry.ping(socket) if ping else 0

    def _announce(self, socket: OpenSocket, event: MessageReceived) -> None:
        fetch = fetch_cursor(self._positions, event.owner, event.key)
        text = VOICES[socket.dialect].announcement(event.key, fetch)
        self._count(ANNOUNCED, Dialect=socket.dialect)
        if text is not None:
            self._registry.post(socket, text)

    def _delay(self, event: MessageReceived) -> str:
        delay_ms = self._clock.now_ms() - event.key.stored_at_ms
        return next((f"{limit_s}s" for limit_s in _DELAYS_S if delay_ms <= limit_s * 1_000), "more")


def _tries(record: Mapping[str, Any]) -> int:
    return int(record.get("attributes", {}).get("ApproximateReceiveCount", "1"))
