"""What is done every minute. One task that fails keeps no other from its turn."""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.protocol.errors import InternalError

FAILED = "MinuteTaskFailed"
"""Metric: a task of the minute failed; the next minute tries again. With the dimension `Task`."""

_log = logging.getLogger("dm3.notify")


class Minute:
    """The function behind the clock. `tasks` are done in their order; each bounds its own work."""

    def __init__(self, tasks: Mapping[str, Callable[[], object]], count: Counting) -> None:
        self._tasks = tasks
        self._count = count

    def handle(self, _event: Mapping[str, Any]) -> None:
        """Do every task once. Raises InternalError at the end if one failed, so that the alarm sees it."""
        failed = False
        for name, task in self._tasks.items():
            try:
                task()
            except Exception as error:  # noqa: BLE001 - one task must not take the others with it
                failed = True
                self._count(FAILED, Task=name)
                _log.error("task", extra={"fields": {"task": name, "type": type(error).__name__}})
        if failed:
            raise InternalError("A task of the minute failed.")
