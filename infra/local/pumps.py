"""Loops of the laptop that hand work to the relay's workers, as Lambda's event sources do.

A pump can be stopped, which lets it finish what it does; killed, which lets it finish nothing; and started
again, with a new worker. What was not finished comes again.
"""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from threading import Event, Thread
from typing import Any, Self

from infra.local.clients import Killed, Life

Handler = Callable[[Mapping[str, Any]], Any]
Hire = Callable[[Life], Handler]
"""Makes a worker whose clients of AWS are those of that life (`infra.local.clients.mortal`)."""

_PAUSE_S = 0.25
_log = logging.getLogger("dm3.local")


def immortal(handler: Handler) -> Hire:
    """A worker that no killing ends; only what it leaves to its pump stays undone."""
    return lambda _life: handler


@dataclass(frozen=True, slots=True)
class Shift:
    """From a start of a pump to its end: the worker, its life, and whether to go on."""

    handler: Handler
    life: Life
    ended: Event = field(default_factory=Event)


class Pump(ABC):
    """Calls `poll` in `threads` threads until it is stopped.

    While there is nothing to do it waits for `nudge`, and for `idle_s` at most. What `poll` raises is logged
    by its type, and it is called again.
    """

    def __init__(
        self, name: str, hire: Hire, *, threads: int = 1, nudge: Event | None = None, idle_s: float = 1.0
    ) -> None:
        self.name = name
        self._hire = hire
        self._nudge = nudge or Event()
        self._idle_s = idle_s
        self._threads_wanted = threads
        self._shift = self._new_shift()
        self._threads: list[Thread] = []

    @abstractmethod
    def poll(self, shift: Shift | None = None) -> bool:
        """Work what there is now; whether there may be more at once. Raises whatever it likes.

        `shift` is whose turn it is: by default, the present one.
        """

    @property
    def running(self) -> bool:
        """Whether it has been started, and neither stopped nor killed."""
        return bool(self._threads)

    def start(self) -> Self:
        """Begin, or begin again; a pump that runs goes on."""
        if not self._threads:
            self._shift = shift = self._new_shift()
            self._threads = [
                Thread(target=self._run, args=(shift,), name=self.name, daemon=True)
                for _ in range(self._threads_wanted)
            ]
            for thread in self._threads:
                thread.start()
        return self

    def stop(self) -> None:
        """End the threads, after what they are doing. Stopping what does not run is no error."""
        self._end()
        for thread in self._threads:
            thread.join()
        self._threads = []

    def kill(self) -> None:
        """End the worker at its next call to AWS, whatever it is doing. It is not waited for."""
        self._shift.life.kill()
        self._end()
        self._threads = []

    def _end(self) -> None:
        self._shift.ended.set()
        self._nudge.set()

    def _new_shift(self) -> Shift:
        life = Life()
        return Shift(self._hire(life), life)

    def _run(self, shift: Shift) -> None:
        try:
            while not shift.ended.is_set():
                self._once(shift)
        except Killed:
            _log.info("killed", extra={"fields": {"worker": self.name}})

    def _once(self, shift: Shift) -> None:
        try:
            more = self.poll(shift)
        except Exception as error:  # noqa: BLE001 - a pump that dies would leave work behind unnoticed
            _log.warning("pump", extra={"fields": {"worker": self.name, "type": type(error).__name__}})
            shift.ended.wait(_PAUSE_S)
            return
        if not more and self._nudge.wait(self._idle_s) and not shift.ended.is_set():
            self._nudge.clear()


class ClockPump(Pump):
    """Calls a worker every `every_s` seconds with the event of a schedule, as EventBridge does each minute.

    A call that fails is not repeated; the next one comes in its time.
    """

    def __init__(self, name: str, hire: Hire, *, every_s: float = 60.0) -> None:
        super().__init__(name, hire, idle_s=every_s)

    def poll(self, shift: Shift | None = None) -> bool:
        """See `Pump`. The waiting is done by the pump."""
        shift = shift or self._shift
        now = time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())
        try:
            shift.handler(
                {"source": "aws.events", "detail-type": "Scheduled Event", "time": now, "detail": {}}
            )
        except Exception as error:  # noqa: BLE001 - EventBridge too goes on
            _log.warning("minute", extra={"fields": {"worker": self.name, "type": type(error).__name__}})
        return False
