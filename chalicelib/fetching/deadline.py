"""One deadline for everything that belongs to one request."""

from __future__ import annotations

import time
from collections.abc import Callable

from chalicelib.fetching.failures import FetchFailed, FetchReason

Clock = Callable[[], float]
"""Seconds that never run backwards, from any beginning."""


class Deadline:
    """The moment `seconds_s` after its making. Immutable, so threads may share it."""

    __slots__ = ("_clock", "_end_s")

    def __init__(self, seconds_s: float, clock: Clock = time.monotonic) -> None:
        self._clock = clock
        self._end_s = clock() + seconds_s

    def remaining_s(self) -> float:
        """Seconds that are left, more than 0. Raises `Unavailable` if there are none."""
        left_s = self._end_s - self._clock()
        if left_s <= 0:
            raise FetchFailed(
                "A server that was asked took too long; try again.", reason=FetchReason.TIMED_OUT
            )
        return left_s

    def share_s(self, among: int) -> float:
        """An equal share of what is left for each of `among` attempts. Raises as `remaining_s`."""
        return self.remaining_s() / among
