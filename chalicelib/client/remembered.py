"""A small memory for answers of delivery services that seldom change."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from typing import Generic, TypeVar

Key = TypeVar("Key")
Value = TypeVar("Value")


class Remembered(Generic[Key, Value]):
    """At most `size` answers for `lifetime_ms` each. `clock_ms` tells milliseconds since the Unix epoch."""

    def __init__(self, clock_ms: Callable[[], int], *, lifetime_ms: int, size: int = 1_000) -> None:
        self._clock_ms = clock_ms
        self._lifetime_ms = lifetime_ms
        self._size = size
        self._answers: OrderedDict[Key, tuple[int, Value]] = OrderedDict()

    def get(self, key: Key, read: Callable[[], Value]) -> Value:
        """The remembered answer, or what `read` returns now. Errors of `read` are not remembered."""
        now_ms = self._clock_ms()
        kept = self._answers.get(key)
        if kept is not None and 0 <= now_ms - kept[0] < self._lifetime_ms:
            return kept[1]
        value = read()
        self._answers[key] = (now_ms, value)
        self._answers.move_to_end(key)
        if len(self._answers) > self._size:
            self._answers.popitem(last=False)
        return value
