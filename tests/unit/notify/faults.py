"""Carriers that fail as the simulator's rows do: before they have done anything, or after, untold."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from chalicelib.notify.events import MessageReceived
from chalicelib.notify.ports import Queue
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory_guard import Guard, Moment
from tests.unit.notify.carriers import MemoryLater, MemoryQueues, MemoryTopic


class Died(BaseException):
    """The process ends at this line. No handler may catch it."""


@dataclass
class Nth:
    """Strikes once, at the `n`th question (from 0), with `failure`. `operations` are all that were asked."""

    n: int = -1
    failure: type[BaseException] = Unavailable
    operations: list[str] = field(default_factory=list)

    def __call__(self, operation: str, moment: Moment) -> None:
        self.operations.append(f"{operation} {moment}")
        if len(self.operations) == self.n + 1:
            raise self.failure


def every_strike(run: Callable[[Nth], None]) -> int:
    """Call `run` once without a fault, then with one at each question that it asked, of each kind; how many.

    `run` makes its world anew and checks what came of it.
    """
    unharmed = Nth()
    run(unharmed)
    strikes = [(n, kind) for n in range(len(unharmed.operations)) for kind in (Unavailable, Died)]
    for n, kind in strikes:
        run(Nth(n, kind))
    return len(strikes)


@dataclass
class FaultyTopic(MemoryTopic):
    """`MemoryTopic` that asks the store's faults."""

    guard: Guard = field(default_factory=Guard)

    def publish(self, events: Sequence[MessageReceived]) -> tuple[int, ...]:
        with self.guard.operation("topic.publish"):
            return super().publish(events)


@dataclass
class FaultyQueues(MemoryQueues):
    """`MemoryQueues` that asks the store's faults."""

    guard: Guard = field(default_factory=Guard)

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        with self.guard.operation("queues.send"):
            super().send(queue, text, delay_s=delay_s)


@dataclass
class FaultyLater(MemoryLater):
    """`MemoryLater` that asks the store's faults."""

    guard: Guard = field(default_factory=Guard)

    def put(self, queue: Queue, text: str, *, delay_s: int, key: bytes) -> None:
        with self.guard.operation("later.put"):
            super().put(queue, text, delay_s=delay_s, key=key)


@dataclass
class MemoryCarrier:
    """Implements `Carrier`: whom it woke; `failures` are what it raises for a recipient."""

    guard: Guard = field(default_factory=Guard)
    woken: list[str] = field(default_factory=list)
    failures: dict[str, Exception] = field(default_factory=dict)

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:
        assert len(owner) == 32
        with self.guard.operation("carrier.wake"):
            if channel.recipient in self.failures:
                raise self.failures[channel.recipient]
            self.woken.append(channel.recipient)
