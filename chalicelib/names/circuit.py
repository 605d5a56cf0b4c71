"""A circuit breaker: what keeps failing is left alone for a while, and then tried by one request at a time.

While the circuit is closed every request passes. A few failures in a row open it: nothing passes until a
pause is over. Then one request passes as a trial; if it succeeds the circuit closes, and if it fails the
pause begins anew, twice as long each time up to a limit.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from threading import Lock


@dataclass(frozen=True, slots=True)
class CircuitPolicy:
    """`failures` in a row open the circuit, at first for `pause_s` seconds, at most for `longest_pause_s`."""

    failures: int = 3
    pause_s: float = 1.0
    longest_pause_s: float = 60.0


@dataclass(frozen=True, slots=True)
class Pass:
    """Leave to make one request, whose outcome is to be told. `trial`: it decides about the circuit alone."""

    period: int
    trial: bool


class Circuit:
    """One circuit. `monotonic_s` tells seconds that never run backwards. Thread-safe."""

    def __init__(self, policy: CircuitPolicy, monotonic_s: Callable[[], float]) -> None:
        self._policy = policy
        self._monotonic_s = monotonic_s
        self._lock = Lock()
        # A new period begins whenever the circuit opens or closes: what was asked before says nothing after.
        self._period = 0
        self._failures = 0
        self._open_until_s: float | None = None
        self._pause_s = policy.pause_s
        self._trying = False

    def enter(self) -> Pass | None:
        """Leave to make a request, or None while the circuit is open."""
        with self._lock:
            if self._open_until_s is None:
                return Pass(self._period, trial=False)
            if self._trying or self._monotonic_s() < self._open_until_s:
                return None
            self._trying = True
            return Pass(self._period, trial=True)

    def succeed(self, leave: Pass) -> bool:
        """The request succeeded; whether that closed the circuit."""
        with self._lock:
            if leave.period != self._period:
                return False
            self._failures = 0
            if not leave.trial:
                return False
            self._period += 1
            self._open_until_s, self._trying = None, False
            self._pause_s = self._policy.pause_s
            return True

    def fail(self, leave: Pass, *, at_once: bool = False) -> bool:
        """The request failed; whether that opened the circuit, or kept it open after a trial.

        `at_once` does not wait for more failures: what was found will not go away by asking again.
        """
        with self._lock:
            if leave.period != self._period:
                return False
            self._failures += 1
            if not leave.trial and not at_once and self._failures < self._policy.failures:
                return False
            self._period += 1
            self._failures, self._trying = 0, False
            self._open_until_s = self._monotonic_s() + self._pause_s
            self._pause_s = min(2 * self._pause_s, self._policy.longest_pause_s)
            return True
