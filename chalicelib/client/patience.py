"""Trying again, for a bounded number of times and a bounded wait.

Only errors that say so are tried again (`Dm3Error.retry`). A service that asks for a longer wait than the
caller is willing to give is not asked again: the error goes up, and with it how long to wait.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from chalicelib.client.failures import wait_s
from chalicelib.protocol.errors import Dm3Error

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Patience:
    """At most `attempts` tries, waiting `pause_s`, doubled each time, or what the service asks for.

    A wait is never longer than `longest_wait_s`; `sleep` does the waiting.
    """

    attempts: int = 3
    pause_s: float = 0.5
    longest_wait_s: float = 30.0
    sleep: Callable[[float], None] = time.sleep

    def run(self, attempt: Callable[[], Result]) -> Result:
        """What `attempt` returns. Raises its last error."""
        pause_s = self.pause_s
        for _ in range(1, self.attempts):
            try:
                return attempt()
            except Dm3Error as error:
                asked_s = wait_s(error)
                delay_s = pause_s if asked_s is None else asked_s
                if not error.retry or delay_s > self.longest_wait_s:
                    raise
            self.sleep(delay_s)
            pause_s *= 2
        return attempt()
