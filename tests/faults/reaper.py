"""Kills the laptop's workers at random, mostly in the middle of what they do, and starts them again."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from random import Random
from threading import Event, Lock, Thread
from typing import Any

from botocore.exceptions import ConnectTimeoutError, ReadTimeoutError

from infra.local.clients import Clients
from infra.local.pumps import Pump

# A worker makes two checks for each call to AWS; most events take no more than ten calls.
_CHECKS = 20
_PATIENCE_S = 0.3
_PAUSE_S = 0.15
_DOWN_S = 0.1


class Reaper:
    """Ends one of the workers `named` after another. `kills` and `in_the_middle` count them by name."""

    def __init__(self, workers: Mapping[str, Pump], named: tuple[str, ...], dice: Random) -> None:
        self._workers = workers
        self._named = named
        self._dice = dice
        self._ended = Event()
        self.kills: Counter[str] = Counter()
        self.in_the_middle: Counter[str] = Counter()

    @contextmanager
    def at_work(self) -> Iterator[None]:
        """Until the block ends. Then every worker is up."""
        thread = Thread(target=self._run)
        thread.start()
        try:
            yield
        finally:
            self._ended.set()
            thread.join()

    def _run(self) -> None:
        while not self._ended.wait(self._dice.random() * _PAUSE_S):
            self._kill(self._dice.choice(self._named))

    def _kill(self, name: str) -> None:
        worker = self._workers[name]
        if self._dice.random() < 0.75 and self._dies_working(worker):
            self.in_the_middle[name] += 1
        worker.kill()
        self.kills[name] += 1
        time.sleep(self._dice.random() * _DOWN_S)
        worker.start()

    def _dies_working(self, worker: Pump) -> bool:
        """Whether it has died at a call to AWS, within a moment."""
        life = worker._shift.life
        life.doom(self._dice.randrange(_CHECKS))
        until = time.monotonic() + _PATIENCE_S
        while not life.over and time.monotonic() < until:
            time.sleep(0.002)
        return life.over


class Weather:
    """Clients of AWS some of whose calls fail: before anything has happened, or after all has.

    With `refusals`, a topic also does not take some events of a publication, and says so.
    """

    def __init__(self, dice: Random, *, failures: float, refusals: float) -> None:
        self._dice = dice
        self._failures = failures
        self._refusals = refusals
        self._lock = Lock()
        self.failed = 0
        self.refused = 0

    def over(self, clients: Clients) -> Clients:
        """The same clients, out in the weather."""
        return lambda service: _Exposed(clients(service), self)

    def call(self, operation: str, make: Callable[[], Any]) -> Any:  # noqa: ANN401 - as the client answers
        """Make a call, or not."""
        with self._lock:
            before, after, refuse = (
                self._dice.random() < chance
                for chance in (self._failures / 2, self._failures / 2, self._refusals)
            )
            self.failed += before or after
            self.refused += refuse and operation == "publish_batch"
        if before:
            raise ConnectTimeoutError(endpoint_url="made to fail")
        if refuse and operation == "publish_batch":
            return {"Successful": [], "Failed": []}
        answer = make()
        if after:
            raise ReadTimeoutError(endpoint_url="made to fail")
        return answer


class _Exposed:
    """A client in the weather."""

    def __init__(self, inner: object, weather: Weather) -> None:
        self._inner = inner
        self._weather = weather

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def exposed(*args: object, **kwargs: object) -> Any:  # noqa: ANN401 - as the client answers
            return self._weather.call(name, lambda: attribute(*args, **kwargs))

        return exposed
