"""The simulator's own: faults and unreadable items. What it shares with DynamoDB is in tests/store_suite."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import AccountRow, Charge, InboxKey, Submission
from chalicelib.store.memory import MemoryStore, Moment
from tests.support.stores import LATER_S, NOW_S, everything, item

ROW = Submission(b"p", b"s", InboxKey(7, b"i" * 16), b"r", stored=False, expires_at_s=LATER_S)
OPERATIONS: dict[str, Callable[[MemoryStore], object]] = {
    "inbox.put": lambda s: s.inbox.put(b"a", item(1)),
    "inbox.exists": lambda s: s.inbox.exists(b"a", item(1).key, now_s=NOW_S),
    "inbox.page": lambda s: s.inbox.page(b"a", after=None, limit=1, max_bytes=1, now_s=NOW_S),
    "inbox.delete": lambda s: s.inbox.delete(b"a", [item(1).key]),
    "submissions.get": lambda s: s.submissions.get(b"p", b"s", now_s=NOW_S),
    "submissions.begin": lambda s: s.submissions.begin(ROW, now_s=NOW_S),
    "submissions.complete": lambda s: s.submissions.complete(b"p", b"s"),
    "submissions.find": lambda s: s.submissions.find(b"p", b"s", now_s=NOW_S, limit=1),
    "accounts.get": lambda s: s.accounts.get(b"a"),
    "accounts.put": lambda s: s.accounts.put(AccountRow(b"a", b"x", 1)),
    "accounts.delete": lambda s: s.accounts.delete(b"a"),
    "accounts.link_name": lambda s: s.accounts.link_name(b"n", b"x"),
    "accounts.linked": lambda s: s.accounts.linked(b"n"),
    "accounts.unlink_name": lambda s: s.accounts.unlink_name(b"n"),
    "accounts.supersede": lambda s: s.accounts.supersede(b"a", b"p"),
    "accounts.is_superseded": lambda s: s.accounts.is_superseded(b"a", b"p"),
    "accounts.reinstate": lambda s: s.accounts.reinstate(b"a", b"p"),
    "counters.charge": lambda s: s.counters.charge(Charge(b"c", 1, 1, LATER_S), now_s=NOW_S),
    "counters.read": lambda s: s.counters.read([b"c"], now_s=NOW_S),
    "counters.use_once": lambda s: s.counters.use_once(b"m", expires_at_s=LATER_S, now_s=NOW_S),
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
        store.inbox.put(b"a", item(1))
    assert store.faults is fail
    store.faults = None
    assert everything(store.inbox, b"a") == ([item(1)] if moment is Moment.AFTER else [])


def test_an_unreadable_item_stops_nobody() -> None:
    store = MemoryStore()
    for n in range(3):
        store.inbox.put(b"a", item(n))
    store.inbox.unreadable.add(item(1).key)
    page = store.inbox.page(b"a", after=None, limit=3, max_bytes=100, now_s=NOW_S)
    assert (page.items, page.last, page.unreadable) == ((item(0), item(2)), None, 1)
