"""The simulator's rows of notifications: where faults strike. The rest is in tests/store_suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.notify.ports import ConnectionRow, DeliveryRow, DueRow, Queue
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import AccountRow
from chalicelib.store.memory import MemoryStore, Moment
from tests.support.stores import LATER_S, NOW_S

SOCKET = ConnectionRow(b"c", b"s", LATER_S)
ENTRY = DeliveryRow(b"e", b"s", b"x", 1, LATER_S)
DUE = DueRow(1, 1, b"k", Queue.PUSH, b"x", LATER_S)
OPERATIONS: dict[str, Callable[[MemoryStore], object]] = {
    "preferences.get": lambda s: s.preferences.get(b"o"),
    "preferences.put": lambda s: s.preferences.put(AccountRow(b"o", b"x", 1)),
    "preferences.delete": lambda s: s.preferences.delete(b"o"),
    "connections.put": lambda s: s.connections.put(SOCKET),
    "connections.get": lambda s: s.connections.get(b"c", now_s=NOW_S),
    "connections.of_account": lambda s: s.connections.of_account(b"o", now_s=NOW_S),
    "connections.of_shard": lambda s: s.connections.of_shard(1, after=None, limit=1, now_s=NOW_S),
    "connections.pinged": lambda s: s.connections.pinged(b"c"),
    "connections.ponged": lambda s: s.connections.ponged(b"c"),
    "connections.remove": lambda s: s.connections.remove(SOCKET),
    "connections.mark": lambda s: s.connections.mark(b"o", b"m", {}, expires_at_s=LATER_S),
    "connections.marks": lambda s: s.connections.marks(b"o", b"m", now_s=NOW_S),
    "deliveries.get": lambda s: s.deliveries.get(b"e", b"s", now_s=NOW_S),
    "deliveries.put": lambda s: s.deliveries.put(ENTRY, now_s=NOW_S),
    "deliveries.newest": lambda s: s.deliveries.newest(b"e", before=None, limit=1, now_s=NOW_S),
    "deliveries.delete_all": lambda s: s.deliveries.delete_all(b"e"),
    "schedule.put": lambda s: s.schedule.put(DUE),
    "schedule.due": lambda s: s.schedule.due(1, now_ms=1, limit=1),
    "schedule.delete": lambda s: s.schedule.delete(DUE),
}


@pytest.mark.parametrize("name", OPERATIONS)
def test_every_operation_asks_the_faults_before_and_after(name: str) -> None:
    store = MemoryStore()
    asked: list[tuple[str, Moment]] = []
    store.faults = lambda operation, moment: asked.append((operation, moment))
    OPERATIONS[name](store)
    assert asked == [(name, Moment.BEFORE), (name, Moment.AFTER)]


@pytest.mark.parametrize("moment", Moment)
def test_a_fault_strikes_before_or_after_the_effect(moment: Moment) -> None:
    store = MemoryStore()

    def fail(_operation: str, when: Moment) -> None:
        if when is moment:
            raise Unavailable

    store.faults = fail
    with pytest.raises(Unavailable):
        store.schedule.put(DUE)
    store.faults = None
    assert store.schedule.due(1, now_ms=1, limit=5) == ((DUE,) if moment is Moment.AFTER else ())


def test_what_was_handed_out_does_not_change_what_is_kept() -> None:
    store, pings = MemoryStore(), {b"c": 1}
    store.connections.mark(b"o", b"m", pings, expires_at_s=LATER_S)
    pings[b"c"] = 2
    assert store.connections.marks(b"o", b"m", now_s=NOW_S) == {b"c": 1}
