"""What one process remembers without asking a store: recent answers, and how fast it has been going.

Both are bounded and safe to use from many threads. Neither is shared between processes: a fleet of N
processes goes at most N times as fast as one.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable
from threading import Lock
from typing import Generic, TypeVar

from chalicelib.relay.ports import Clock

Key = TypeVar("Key")
Value = TypeVar("Value")


class Recent(Generic[Key, Value]):
    """A bounded map that forgets entries `lifetime_s` after they were written, the oldest first."""

    def __init__(self, clock: Clock, *, lifetime_s: int, size: int = 10_000) -> None:
        self._clock = clock
        self._lifetime_ms = lifetime_s * 1_000
        self._size = size
        self._entries: OrderedDict[Key, tuple[int, Value]] = OrderedDict()
        self._forgotten = 0
        self._lock = Lock()

    def get_or(self, key: Key, read: Callable[[], Value]) -> Value:
        """The remembered value, or what `read` returns now. Errors of `read` are not remembered."""
        now_ms = self._clock.now_ms()
        with self._lock:
            entry, forgotten = self._entries.get(key), self._forgotten
        if entry is not None and 0 <= now_ms - entry[0] < self._lifetime_ms:
            return entry[1]
        value = read()
        with self._lock:
            if forgotten != self._forgotten:
                # Something was written while this was read: it may be the former value.
                return value
            self._entries.pop(key, None)
            self._entries[key] = (now_ms, value)
            while len(self._entries) > self._size:
                self._entries.popitem(last=False)
        return value

    def forget(self, key: Key) -> None:
        """Read afresh next time."""
        with self._lock:
            self._forgotten += 1
            self._entries.pop(key, None)


class Gate:
    """Lets `per_minute` through each minute, in bursts of at most that many (a token bucket)."""

    def __init__(self, clock: Clock, per_minute: int) -> None:
        self._clock = clock
        self._per_minute = per_minute
        self._room = float(per_minute)
        self._at_ms = clock.now_ms()
        self._lock = Lock()

    def try_pass(self) -> bool:
        """Whether one more may pass now; if so, it has."""
        now_ms = self._clock.now_ms()
        with self._lock:
            passed_ms = max(0, now_ms - self._at_ms)
            self._at_ms = now_ms
            self._room = min(self._per_minute, self._room + passed_ms * self._per_minute / 60_000)
            if self._room < 1:
                return False
            self._room -= 1
            return True
