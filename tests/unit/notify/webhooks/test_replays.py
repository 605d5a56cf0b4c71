from __future__ import annotations

import pytest

from chalicelib.notify.ports import Queue
from chalicelib.notify.webhooks.deliveries import TEST, Attempt, Delivery, DeliveryState
from chalicelib.notify.webhooks.due_tries import DueTry
from chalicelib.notify.webhooks.log import DeliveryLog, entry_at
from chalicelib.notify.webhooks.replays import OVERDUE_MS, Replays
from chalicelib.notify.webhooks.requests import Replay
from chalicelib.protocol.errors import InvalidInput
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.carriers import MemoryQueues
from tests.unit.relay.ports import HandClock, SeededChance

OWNER, LOG_KEY = b"o" * 32, b"k" * 32


class Shelf:
    """A log with an entry of each kind, one second apart, and what replaying puts into the queue."""

    def __init__(self) -> None:
        self.clock, self.queues = HandClock(), MemoryQueues()
        self.log = DeliveryLog(
            MemoryStore().deliveries, Vault(b"i" * 32, b"s" * 32, SeededChance()), self.clock
        )
        self.replays = Replays(self.log, self.queues, self.clock)

    def file(self, state: DeliveryState, *, event: str = "message.received", due_in_ms: int = 0) -> bytes:
        self.clock.pass_s(1)
        now_ms = self.clock.at_ms
        due_at_ms = now_ms + due_in_ms if state is DeliveryState.PENDING else None
        entry = entry_at(now_ms, bytes(16))
        delivery = Delivery(
            event, now_ms, state, tries=3, due_at_ms=due_at_ms, attempts=(Attempt(3, 1, 1, 500),)
        )
        self.log.begin(LOG_KEY, entry, delivery)
        return entry

    def sent(self) -> list[DueTry | None]:
        return [DueTry.read(text) for text, _ in self.queues.take(Queue.WEBHOOKS)]


def test_what_failed_was_held_or_is_overdue_begins_again() -> None:
    shelf = Shelf()
    failed, held = shelf.file(DeliveryState.FAILED), shelf.file(DeliveryState.HELD)
    lost = shelf.file(DeliveryState.PENDING)
    shelf.file(DeliveryState.PENDING, due_in_ms=OVERDUE_MS)
    shelf.file(DeliveryState.DELIVERED)
    shelf.file(DeliveryState.FAILED, event=TEST)
    shelf.clock.pass_s(OVERDUE_MS / 1_000)
    assert shelf.replays.since(OWNER, "id", LOG_KEY, Replay()) == (3, None)
    assert shelf.sent() == [DueTry(OWNER, "id", entry, 4) for entry in (lost, held, failed)]
    assert shelf.replays.since(OWNER, "id", LOG_KEY, Replay()) == (0, None)


def test_only_since_then() -> None:
    shelf = Shelf()
    shelf.file(DeliveryState.FAILED)
    later = shelf.file(DeliveryState.FAILED)
    assert shelf.replays.since(OWNER, "id", LOG_KEY, Replay(since_ms=shelf.clock.at_ms)) == (1, None)
    assert shelf.sent() == [DueTry(OWNER, "id", later, 4)]


def test_one_whatever_came_of_it_unless_it_is_a_test() -> None:
    shelf = Shelf()
    for state in DeliveryState:
        entry = shelf.file(state)
        filed = shelf.log.find(LOG_KEY, entry)
        assert filed is not None
        shelf.replays.one(OWNER, "id", filed)
        assert shelf.sent() == [DueTry(OWNER, "id", entry, 4)]
    filed = shelf.log.find(LOG_KEY, shelf.file(DeliveryState.FAILED, event=TEST))
    assert filed is not None
    with pytest.raises(InvalidInput):
        shelf.replays.one(OWNER, "id", filed)


def test_of_one_that_was_forgotten_nothing_is_sent() -> None:
    shelf = Shelf()
    filed = shelf.log.find(LOG_KEY, shelf.file(DeliveryState.FAILED))
    assert filed is not None
    shelf.clock.pass_s(40 * 86_400)
    shelf.log.forget(LOG_KEY)
    # Conditional on what stood there: it does not come back.
    shelf.replays.one(OWNER, "id", filed)
    assert shelf.sent() == []
