"""A bounded queue from the threads that receive to the one that reads, which anybody can close."""

from __future__ import annotations

from collections import deque
from threading import Condition
from typing import Generic, TypeVar

Item = TypeVar("Item")


class Closed(Exception):
    """The reader has gone; whoever would give it something can end, too."""


class Channel(Generic[Item]):
    """At most `size` items wait in it; whoever gives more waits until the reader has taken some."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._items: deque[Item] = deque()
        self._changed = Condition()
        self._closed = False
        self._error: BaseException | None = None

    def give(self, item: Item) -> None:
        """Append `item`. Raises Closed."""
        with self._changed:
            self._changed.wait_for(lambda: self._closed or len(self._items) < self._size)
            if self._closed:
                raise Closed
            self._items.append(item)
            self._changed.notify_all()

    def take(self) -> Item | None:
        """The oldest item, waited for; None once the channel is closed, whatever is left in it.

        Raises what the channel was closed with.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._closed or self._items)
            if self._error is not None:
                raise self._error
            if self._closed:
                return None
            item = self._items.popleft()
            self._changed.notify_all()
            return item

    def pause(self, seconds: float) -> None:
        """Wait for so long. Raises Closed as soon as the channel is closed."""
        with self._changed:
            if self._changed.wait_for(lambda: self._closed, seconds):
                raise Closed

    @property
    def closed(self) -> bool:
        """Whether `close` was called."""
        return self._closed

    def close(self, error: BaseException | None = None) -> None:
        """End it: nobody waits any longer, and the reader gets `error`. Doing it again does nothing."""
        with self._changed:
            self._error = self._error if self._closed else error
            self._closed = True
            self._changed.notify_all()
