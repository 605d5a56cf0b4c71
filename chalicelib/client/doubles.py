"""Messages that come in more than once: told apart by what was written, acknowledged together.

Delivery is at least once, and a sender whose answer was lost may have used another of the receiver's delivery
services; so doubles are known by the hash of the message, which only its sender could have made. A genuine
message is never taken for a double of one that failed a check.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable

from chalicelib.client.values import Received

REMEMBERED = 100_000


class Doubles:
    """Remembers which ids stand for the same message; at most `size` messages, the oldest are forgotten."""

    def __init__(self, *, size: int = REMEMBERED) -> None:
        self._size = size
        self._ids: OrderedDict[tuple[str, bool], list[str]] = OrderedDict()
        self._messages: dict[str, tuple[str, bool]] = {}
        self._acknowledged: set[str] = set()
        self._late: list[str] = []

    def is_double(self, received: Received) -> bool:
        """Whether the same message stands under another id, which came first."""
        message = received.message_hash, received.verified
        ids = self._ids.setdefault(message, [])
        if received.id not in ids:
            ids.append(received.id)
            self._messages[received.id] = message
            if ids[0] in self._acknowledged:
                self._late.append(received.id)
        self._ids.move_to_end(message)
        self._forget_the_oldest()
        return ids[0] != received.id

    def acknowledged(self, ids: Iterable[str]) -> tuple[str, ...]:
        """What to acknowledge for `ids`: with their doubles, and those of messages that went earlier."""
        together: dict[str, None] = {}
        for identifier in ids:
            message = self._messages.get(identifier)
            together[identifier] = None
            if message is not None:
                together.update(dict.fromkeys(self._ids[message]))
        self._acknowledged.update(identifier for identifier in together if identifier in self._messages)
        together.update(dict.fromkeys(self._late))
        self._late = []
        return tuple(together)

    def _forget_the_oldest(self) -> None:
        while len(self._ids) > self._size:
            for forgotten in self._ids.popitem(last=False)[1]:
                del self._messages[forgotten]
                self._acknowledged.discard(forgotten)
