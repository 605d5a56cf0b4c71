"""Time and chance that a test holds in its hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from threading import Lock

START_MS = 1_700_000_000_000


@dataclass
class HandClock:
    """Stands still until a test moves it."""

    at_ms: int = START_MS

    def now_ms(self) -> int:
        return self.at_ms

    @property
    def now_s(self) -> int:
        return self.at_ms // 1_000

    def pass_s(self, seconds: float) -> None:
        self.at_ms += int(seconds * 1_000)


@dataclass(frozen=True)
class SkewedClock:
    """Goes with another clock, this far ahead of it."""

    clock: HandClock
    ahead_ms: int

    def now_ms(self) -> int:
        return self.clock.at_ms + self.ahead_ms


@dataclass
class SeededChance:
    """The same bytes in every run, and never twice the same. `drawn` counts how often it was asked."""

    random: Random = field(default_factory=lambda: Random(7))  # noqa: S311 - repeatable on purpose
    lock: Lock = field(default_factory=Lock)
    drawn: int = 0

    def token(self, size_bytes: int) -> bytes:
        with self.lock:
            self.drawn += 1
            return self.random.randbytes(size_bytes)
