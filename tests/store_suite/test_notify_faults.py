"""Every request of the adapters that telling receivers needs fails in every way, as `scenarios` says."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from chalicelib.notify.ports import ConnectionRow, DeliveryRow, DueRow, Queue
from chalicelib.relay.ports import AccountRow, Conflict
from tests.store_suite.scenarios import Scenario, faulty_world, holds_after_a_fault
from tests.support.aws_faults import AwsFaults, Fault
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, AllStores, Aws

MESSAGE = b"m" * 16
PINGS = {b"c" * 32: 3}


def _preferences(store: AllStores, base: bytes) -> object:
    row = store.preferences.get(base)
    return row and (row.sealed, row.version)


def _prefer(store: AllStores, base: bytes) -> None:
    store.preferences.put(AccountRow(base, b"p", 1))


def _prefer_late(store: AllStores, base: bytes) -> None:
    with pytest.raises(Conflict):
        store.preferences.put(AccountRow(base, b"late", 1))


def _opened(base: bytes) -> ConnectionRow:
    return ConnectionRow(base, b"sealed", LATER_S)


def _shard(base: bytes) -> int:
    """A shard nobody else uses, told from the test's key."""
    return 1_000 + int.from_bytes(base[:2], "big") // 2


def _signed_in(base: bytes, owner: bytes = b"one") -> ConnectionRow:
    return replace(_opened(base), owner=owner + base, shard=_shard(base), sealed=owner)


State = tuple[object, frozenset[bytes], bool]


def _socket(store: AllStores, base: bytes) -> State:
    """The socket itself without its hash, the accounts that list it, and whether its shard does."""
    row = store.connections.get(base, now_s=NOW_S)
    own = None if row is None else (row.sealed, row.owner is not None, row.pings, row.pongs)
    lists = store.connections.of_account
    accounts = (owner for owner in (b"one", b"two") if lists(owner + base, now_s=NOW_S))
    page = store.connections.of_shard(_shard(base), after=None, limit=10, now_s=NOW_S)
    return own, frozenset(accounts), any(row.connection == base for row in page.rows)


def _is_half_signed_in(found: State, before: State, after: State) -> bool:
    """The socket itself is written first, so it tells where to look for the rest."""
    return found[0] == after[0] and found[1] <= after[1]


def _has_no_account_twice(found: State, before: State, after: State) -> bool:
    """A change of accounts: at no time do both list the socket."""
    return found[0] in {before[0], after[0]} and len(found[1]) <= 1


def _open(store: AllStores, base: bytes) -> None:
    store.connections.put(_opened(base))


def _sign_in(store: AllStores, base: bytes) -> None:
    store.connections.put(_signed_in(base))


def _marks(store: AllStores, base: bytes) -> object:
    return store.connections.marks(base, MESSAGE, now_s=NOW_S)


def _mark(store: AllStores, base: bytes) -> None:
    store.connections.mark(base, MESSAGE, PINGS, expires_at_s=LATER_S)


def _entry(base: bytes, n: int = 0, version: int = 1, expires_at_s: int = LATER_S) -> DeliveryRow:
    return DeliveryRow(base, bytes([n]), b"e%d" % version, version, expires_at_s)


def _log(store: AllStores, base: bytes) -> list[tuple[bytes, bytes]]:
    page = store.deliveries.newest(base, before=None, limit=100, now_s=NOW_S)
    return [(row.sort, row.sealed) for row in page.rows]


def _is_part(found: list[object], before: list[object], after: list[object]) -> bool:
    return set(after) <= set(found) <= set(before)


def _deliver(store: AllStores, base: bytes) -> None:
    store.deliveries.put(_entry(base), now_s=NOW_S)


def _deliver_thirty(store: AllStores, base: bytes) -> None:
    for n in range(30):
        store.deliveries.put(_entry(base, n), now_s=NOW_S)


def _deliver_late(store: AllStores, base: bytes) -> None:
    with pytest.raises(Conflict):
        store.deliveries.put(replace(_entry(base), sealed=b"late"), now_s=NOW_S)


def _due_row(base: bytes) -> DueRow:
    return DueRow(_shard(base), NOW_S * 1_000, base[:16], Queue.PUSH, b"sealed", LATER_S)


def _due(store: AllStores, base: bytes) -> object:
    rows = store.schedule.due(_shard(base), now_ms=NOW_S * 1_000, limit=10)
    return [row.sealed for row in rows if row.key == base[:16]]


def _schedule(store: AllStores, base: bytes) -> None:
    store.schedule.put(_due_row(base))


SCENARIOS = [
    Scenario("preferences, read", _preferences, _preferences, _prefer),
    Scenario("preferences.put", _prefer, _preferences),
    Scenario(
        "preferences.put again", lambda s, b: s.preferences.put(AccountRow(b, b"n", 2)), _preferences, _prefer
    ),
    Scenario("preferences.put, conflict", _prefer_late, _preferences, _prefer),
    Scenario("preferences.delete", lambda s, b: s.preferences.delete(b), _preferences, _prefer),
    Scenario("connections, read", _socket, _socket, _sign_in),
    Scenario("connections.put", _open, _socket),
    Scenario("connections.put, signed in", _sign_in, _socket, _open, _is_half_signed_in),
    Scenario("connections.put, signed in at once", _sign_in, _socket, between=_is_half_signed_in),
    Scenario("connections.put, signed in again", _sign_in, _socket, _sign_in),
    Scenario(
        "connections.put, another account",
        lambda s, b: s.connections.put(_signed_in(b, b"two")),
        _socket,
        _sign_in,
        _has_no_account_twice,
    ),
    Scenario("connections.put, signed out", _open, _socket, _sign_in, _has_no_account_twice),
    Scenario("connections.remove", lambda s, b: s.connections.remove(_signed_in(b)), _socket, _sign_in),
    Scenario("connections.remove, no account", lambda s, b: s.connections.remove(_opened(b)), _socket, _open),
    Scenario(
        "connections.pinged",
        lambda s, b: s.connections.pinged(b),
        _socket,
        _open,
        repeated=(((b"sealed", False, 2, 0), frozenset(), False),),
    ),
    Scenario("connections.pinged, unknown", lambda s, b: s.connections.pinged(b), _socket),
    Scenario(
        "connections.ponged",
        lambda s, b: s.connections.ponged(b),
        _socket,
        _open,
        repeated=(((b"sealed", False, 0, 2), frozenset(), False),),
    ),
    Scenario("connections.ponged, unknown", lambda s, b: s.connections.ponged(b), _socket),
    Scenario("connections.mark", _mark, _marks),
    Scenario("connections.marks", _marks, _marks, _mark),
    Scenario("deliveries, read", _log, _log, _deliver),
    Scenario("deliveries.get", lambda s, b: s.deliveries.get(b, b"\x07", now_s=NOW_S), _log, _deliver),
    Scenario("deliveries.put", _deliver, _log),
    Scenario(
        "deliveries.put again",
        lambda s, b: s.deliveries.put(_entry(b, version=2), now_s=NOW_S),
        _log,
        _deliver,
    ),
    Scenario("deliveries.put, conflict", _deliver_late, _log, _deliver),
    Scenario(
        "deliveries.put, one has expired",
        _deliver,
        _log,
        lambda s, b: s.deliveries.put(_entry(b, expires_at_s=NOW_S), now_s=EARLIER_S),
    ),
    Scenario(
        "deliveries.delete_all", lambda s, b: s.deliveries.delete_all(b), _log, _deliver_thirty, _is_part
    ),
    Scenario("schedule.put", _schedule, _due),
    Scenario("schedule.put again", _schedule, _due, _schedule),
    Scenario("schedule.due", _due, _due, _schedule),
    Scenario("schedule.delete", lambda s, b: s.schedule.delete(_due_row(b)), _due, _schedule),
]


@pytest.fixture(scope="module")
def world() -> Iterator[tuple[Aws, AwsFaults]]:
    with faulty_world() as world:
        yield world


@pytest.mark.parametrize("fault", Fault)
@pytest.mark.parametrize("scenario", SCENARIOS, ids=lambda scenario: scenario.name)
def test_the_promise_holds_after_a_fault(
    world: tuple[Aws, AwsFaults], scenario: Scenario, fault: Fault
) -> None:
    holds_after_a_fault(*world, scenario, fault)
