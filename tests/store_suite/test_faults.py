"""Every request of the relay's adapters fails in every way, as `scenarios` says."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import (
    AccountRow,
    Charge,
    Conflict,
    InboxItem,
    InboxKey,
    NameRow,
    Stores,
    Submission,
)
from tests.store_suite.scenarios import Scenario, faulty_world, holds_after_a_fault
from tests.support.aws_faults import AwsFaults, Crash, Fault
from tests.support.stores import (
    EARLIER_S,
    LATER_S,
    NOW_S,
    Aws,
    everything,
    item,
    new_key,
)

LARGE = item(2, b"l" * 400_000)
SORT = b"s" * 32


def _inbox(store: Stores, base: bytes) -> object:
    return everything(store.inbox, base)


def _row(base: bytes, receipt: bytes = b"r", expires_at_s: int = LATER_S) -> Submission:
    return Submission(base, SORT, InboxKey(7, b"i" * 16), receipt, stored=False, expires_at_s=expires_at_s)


def _submission(store: Stores, base: bytes) -> object:
    row = store.submissions.get(base, SORT, now_s=NOW_S)
    return row and (row.receipt, row.stored)


def _account(store: Stores, base: bytes) -> tuple[tuple[bytes, int] | None, frozenset[int], bytes | None]:
    row = store.accounts.get(base)
    superseded = frozenset(n for n in range(3) if store.accounts.is_superseded(base, bytes([n])))
    return None if row is None else (row.sealed, row.version), superseded, store.accounts.linked(base)


def _rules(store: Stores, base: bytes) -> object:
    row = store.rules.get(base)
    return row and (row.sealed, row.version)


def _rule(store: Stores, base: bytes) -> None:
    store.rules.put(AccountRow(base, b"r", 1))


def _name(store: Stores, base: bytes) -> object:
    row = store.names.get(base, now_s=NOW_S)
    return row and (row.sealed, row.read_at_ms)


def _put_name(store: Stores, base: bytes, read_at_ms: int = 1, sealed: bytes = b"s") -> bool:
    return store.names.put(NameRow(base, sealed, read_at_ms, LATER_S))


def _amount(store: Stores, base: bytes) -> object:
    return store.counters.read([base], now_s=NOW_S)


def _is_part(found: list[InboxItem], before: list[InboxItem], after: list[InboxItem]) -> bool:
    """Some of the items are gone, no other ones."""
    return set(after) <= set(found) <= set(before)


def _fill(store: Stores, base: bytes) -> None:
    for n in range(30):
        store.inbox.put(base, item(n))


def _fill_mixed(store: Stores, base: bytes) -> None:
    for one in (item(1), LARGE, item(3)):
        store.inbox.put(base, one)


def _register(store: Stores, base: bytes) -> None:
    store.accounts.put(AccountRow(base, b"a", 1))
    store.accounts.link_name(base, b"n")
    for n in range(2):
        store.accounts.supersede(base, bytes([n]))


def _charge(store: Stores, base: bytes) -> bool:
    return store.counters.charge(Charge(base, 2, 10, LATER_S), now_s=NOW_S)


def _spent_long_ago(store: Stores, base: bytes) -> None:
    store.counters.charge(Charge(base, 10, 10, NOW_S), now_s=EARLIER_S)


def _begin(store: Stores, base: bytes) -> bytes:
    return store.submissions.begin(_row(base), now_s=NOW_S).receipt


def _put_late(store: Stores, base: bytes) -> None:
    with pytest.raises(Conflict):
        store.accounts.put(AccountRow(base, b"late", 1))


SCENARIOS = [
    Scenario("inbox.put", lambda s, b: s.inbox.put(b, item(1)), _inbox),
    Scenario("inbox.put large", lambda s, b: s.inbox.put(b, LARGE), _inbox),
    Scenario(
        "inbox.put large, key taken",
        lambda s, b: s.inbox.put(b, LARGE),
        _inbox,
        lambda s, b: s.inbox.put(b, item(2)),
    ),
    Scenario("inbox.exists", lambda s, b: s.inbox.exists(b, item(1).key, now_s=NOW_S), _inbox, _fill_mixed),
    Scenario("inbox.page", _inbox, _inbox, _fill_mixed),
    Scenario("inbox.delete one", lambda s, b: s.inbox.delete(b, [item(1).key]), _inbox, _fill_mixed),
    Scenario(
        "inbox.delete many",
        lambda s, b: s.inbox.delete(b, [item(n).key for n in range(30)]),
        _inbox,
        _fill,
        _is_part,
    ),
    Scenario("submissions.begin", _begin, _submission),
    Scenario(
        "submissions.begin, one stands",
        lambda s, b: s.submissions.begin(_row(b, b"late"), now_s=NOW_S).receipt,
        _submission,
        lambda s, b: s.submissions.begin(_row(b), now_s=NOW_S),
    ),
    Scenario(
        "submissions.begin, one has expired",
        lambda s, b: s.submissions.begin(_row(b), now_s=NOW_S).receipt,
        _submission,
        lambda s, b: s.submissions.begin(_row(b, b"old", NOW_S), now_s=EARLIER_S),
    ),
    Scenario(
        "submissions.complete",
        lambda s, b: s.submissions.complete(b, SORT),
        _submission,
        lambda s, b: s.submissions.begin(_row(b), now_s=NOW_S),
    ),
    Scenario("submissions.get", _submission, _submission),
    Scenario(
        "submissions.find",
        lambda s, b: [one.sort for one in s.submissions.find(b, b"s", now_s=NOW_S, limit=5)],
        _submission,
        lambda s, b: s.submissions.begin(_row(b), now_s=NOW_S),
    ),
    Scenario("accounts, read", _account, _account, _register),
    Scenario("accounts.put", lambda s, b: s.accounts.put(AccountRow(b, b"new", 1)), _account),
    Scenario("accounts.put again", lambda s, b: s.accounts.put(AccountRow(b, b"b", 2)), _account, _register),
    Scenario("accounts.put, conflict", _put_late, _account, _register),
    Scenario("accounts.link_name", lambda s, b: s.accounts.link_name(b, b"m"), _account, _register),
    Scenario("accounts.unlink_name", lambda s, b: s.accounts.unlink_name(b), _account, _register),
    Scenario("accounts.supersede", lambda s, b: s.accounts.supersede(b, b"\x02"), _account, _register),
    Scenario("accounts.reinstate", lambda s, b: s.accounts.reinstate(b, b"\x00"), _account, _register),
    Scenario("accounts.delete", lambda s, b: s.accounts.delete(b), _account, _register),
    Scenario("rules, read", _rules, _rules, _rule),
    Scenario("rules.put", _rule, _rules),
    Scenario("rules.put again", lambda s, b: s.rules.put(AccountRow(b, b"n", 2)), _rules, _rule),
    Scenario("rules.delete", lambda s, b: s.rules.delete(b), _rules, _rule),
    Scenario("names.get", _name, _name, _put_name),
    Scenario("names.put", _put_name, _name),
    Scenario("names.put, an older one stands", lambda s, b: _put_name(s, b, 2, b"n"), _name, _put_name),
    Scenario("names.put, a younger one stands", _put_name, _name, lambda s, b: _put_name(s, b, 2, b"n")),
    Scenario("names.put, dropped", lambda s, b: _put_name(s, b, 2, b""), _name, _put_name),
    Scenario("counters.charge", _charge, _amount, repeated=((4,),)),
    Scenario("counters.charge, expired", _charge, _amount, _spent_long_ago, repeated=((4,),)),
    Scenario("counters.read", _amount, _amount, _charge),
]  # fmt: skip


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


@pytest.mark.parametrize("fault", Fault)
def test_a_mark_is_never_used_twice(world: tuple[Aws, AwsFaults], fault: Fault) -> None:
    aws, faults = world
    mark = new_key()
    faults.strike(1, fault)
    with pytest.raises((Unavailable, Crash)):
        aws.store().counters.use_once(mark, expires_at_s=LATER_S, now_s=NOW_S)
    faults.strike(None)
    used = [aws.store().counters.use_once(mark, expires_at_s=LATER_S, now_s=NOW_S) for _ in range(3)]
    took_effect = fault in {Fault.LOST, Fault.CRASH_AFTER}
    assert used == [not took_effect, False, False]
