"""What makes the simulator atomic, and where a test makes it fail."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from threading import RLock


class Moment(StrEnum):
    """When a fault strikes: BEFORE, nothing has happened; AFTER, it has, and nobody is told."""

    BEFORE = "before"
    AFTER = "after"


Faults = Callable[[str, Moment], None]
"""Called as `faults("inbox.put", Moment.BEFORE)`; whatever it raises goes to the caller of the operation."""


class Guard:
    """The lock of the whole store, and the question to `faults` around every operation."""

    def __init__(self) -> None:
        self.lock = RLock()
        self.faults: Faults | None = None

    @contextmanager
    def operation(self, name: str) -> Iterator[None]:
        """Hold the lock for one operation, outside which the faults are asked."""
        self._ask(name, Moment.BEFORE)
        with self.lock:
            yield
        self._ask(name, Moment.AFTER)

    def _ask(self, name: str, moment: Moment) -> None:
        faults = self.faults
        if faults is not None:
            faults(name, moment)
