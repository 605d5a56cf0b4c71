"""Loops of the laptop that hand work to the relay's workers, as Lambda's event sources do.

A pump can be stopped, which lets it finish what it does; killed, which lets it finish nothing; and started
again. What it has not finished comes again.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any, Self

from infra.local.clients import Killed, Life, die_if_killed, living

Handler = Callable[[Mapping[str, Any]], Any]

_PAUSE_S = 0.25
_log = logging.getLogger("dm3.local")


class Pump(ABC):
    """Calls `poll` in `threads` threads until it is stopped.

    While there is nothing to do it waits for `nudge`, and for `idle_s` at most. What `poll` raises is logged
    by its type, and it is called again.
    """

    def __init__(
        self, name: str, *, threads: int = 1, nudge: Event | None = None, idle_s: float = 1.0
    ) -> None:
        self.name = name
        self._nudge = nudge or Event()
        self._idle_s = idle_s
        self._threads_wanted = threads
        self._ended = Event()
        self._life = Life()
        self._threads: list[Thread] = []

    @abstractmethod
    def poll(self) -> bool:
        """Work what there is now; whether there may be more at once. Raises whatever it likes."""

    @property
    def running(self) -> bool:
        """Whether it has been started, and neither stopped nor killed."""
        return bool(self._threads)

    def start(self) -> Self:
        """Begin, or begin again; a pump that runs goes on."""
        if not self._threads:
            self._ended, self._life = Event(), Life()
            self._threads = [
                Thread(target=self._run, args=(self._ended, self._life), name=self.name, daemon=True)
                for _ in range(self._threads_wanted)
            ]
            for thread in self._threads:
                thread.start()
        return self

    def stop(self) -> None:
        """End the threads, after what they are doing. Stopping what does not run is no error."""
        self._ended.set()
        self._nudge.set()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def kill(self) -> None:
        """End the threads at their next call to AWS, whatever they are doing. They are not waited for."""
        self._life.killed.set()
        self._ended.set()
        self._nudge.set()
        self._threads = []

    def _run(self, ended: Event, life: Life) -> None:
        with living(life):
            try:
                while not ended.is_set():
                    self._once(ended)
            except Killed:
                _log.info("killed", extra={"fields": {"worker": self.name}})

    def _once(self, ended: Event) -> None:
        try:
            more = self.poll()
        except Exception as error:  # noqa: BLE001 - a pump that dies would leave work behind unnoticed
            die_if_killed()
            _log.warning("pump", extra={"fields": {"worker": self.name, "type": type(error).__name__}})
            ended.wait(_PAUSE_S)
            return
        die_if_killed()
        if not more and self._nudge.wait(self._idle_s) and not ended.is_set():
            self._nudge.clear()


class ClockPump(Pump):
    """Calls `handler` every `every_s` seconds with the event of a schedule, as EventBridge does each minute.

    A call that fails is not repeated; the next one comes in its time.
    """

    def __init__(self, name: str, handler: Handler, *, every_s: float = 60.0) -> None:
        super().__init__(name, idle_s=every_s)
        self._handler = handler

    def poll(self) -> bool:
        """See `Pump`. The waiting is done by the pump."""
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            self._handler(
                {"source": "aws.events", "detail-type": "Scheduled Event", "time": now, "detail": {}}
            )
        except Exception as error:  # noqa: BLE001 - EventBridge too goes on
            die_if_killed()
            _log.warning("minute", extra={"fields": {"worker": self.name, "type": type(error).__name__}})
        return False
