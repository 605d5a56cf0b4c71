from __future__ import annotations

import pytest

from chalicelib.protocol.errors import InternalError, TooBig, Unavailable
from chalicelib.relay.operator_book import MAX_ROW_BYTES, OUTAGE_MS, REMEMBER_MS, RETRY_MS, OperatorBook
from chalicelib.relay.operator_rules import MAX_ENTRIES, OperatorRules
from chalicelib.relay.policy import lists
from chalicelib.relay.policy.lists import SenderList
from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import HandClock, SeededChance

OLD, NEW = OperatorRules(minimum_version="v1"), OperatorRules(minimum_version="v2")


class Desk:
    """A store, a clock, and processes that read the rules in it. `down` makes the store refuse."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = HandClock()
        self.down = False
        self.calls: list[str] = []
        self.store.faults = self._count

    def process(self, storage_key: bytes = b"s" * 32) -> OperatorBook:
        return OperatorBook(self.store.rules, Vault(b"i" * 32, storage_key, SeededChance()), self.clock)

    def _count(self, operation: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self.calls.append(operation)
        if self.down:
            raise Unavailable


def test_a_relay_whose_operator_never_said_anything_has_no_rules() -> None:
    assert Desk().process().now() == OperatorRules()


def test_rules_are_in_force_at_once_here_and_within_half_a_minute_elsewhere() -> None:
    desk = Desk()
    here, there = desk.process(), desk.process()
    here.put(OLD)
    assert there.now() == OLD
    here.put(NEW)
    assert here.now() == NEW
    assert there.now() == OLD
    desk.clock.at_ms += REMEMBER_MS - 1
    assert there.now() == OLD
    desk.clock.at_ms += 1
    assert there.now() == NEW


def test_what_is_remembered_costs_nothing() -> None:
    desk = Desk()
    book = desk.process()
    for _ in range(5):
        book.now()
    assert desk.calls == ["rules.get"]


def test_a_clock_that_is_set_back_does_not_keep_rules_in_force() -> None:
    desk = Desk()
    here, there = desk.process(), desk.process()
    there.now()
    here.put(NEW)
    desk.clock.at_ms -= 1
    assert there.now() == NEW


def test_the_operator_reads_what_stands_and_not_what_is_remembered() -> None:
    desk = Desk()
    here, there = desk.process(), desk.process()
    there.now()
    here.put(NEW)
    assert there.read() == NEW
    assert there.now() == NEW


def test_while_the_store_does_not_answer_what_is_remembered_counts_for_a_bounded_time() -> None:
    desk = Desk()
    book = desk.process()
    book.put(OLD)
    desk.down = True
    desk.clock.at_ms += OUTAGE_MS - 1
    assert book.now() == OLD
    desk.clock.at_ms += 1
    assert book.now() == OLD, "asked a moment ago"
    desk.clock.at_ms += RETRY_MS
    with pytest.raises(Unavailable):
        book.now()
    desk.down = False
    assert book.now() == OLD


def test_not_every_request_waits_for_a_store_that_does_not_answer() -> None:
    desk = Desk()
    book = desk.process()
    book.put(OLD)
    desk.down = True
    desk.clock.at_ms += REMEMBER_MS
    desk.calls.clear()
    for _ in range(5):
        assert book.now() == OLD
    assert desk.calls == ["rules.get"]
    desk.down = False
    desk.process().put(NEW)
    desk.clock.at_ms += RETRY_MS
    assert book.now() == NEW


def test_who_remembers_nothing_accepts_nothing_while_the_store_does_not_answer() -> None:
    desk = Desk()
    desk.down = True
    with pytest.raises(Unavailable):
        desk.process().now()


@pytest.mark.parametrize("operation", ["rules.get", "rules.put"])
@pytest.mark.parametrize("moment", list(Moment))
def test_a_change_that_fails_can_be_repeated(operation: str, moment: Moment) -> None:
    desk = Desk()
    book = desk.process()
    book.put(OLD)

    def fail(name: str, when: Moment) -> None:
        if (name, when) == (operation, moment):
            raise Unavailable

    desk.store.faults = fail
    with pytest.raises(Unavailable):
        book.put(NEW)
    desk.store.faults = None
    book.put(NEW)
    assert desk.process().now() == NEW


def test_of_two_operators_the_last_one_wins() -> None:
    desk = Desk()
    here, there = desk.process(), desk.process()
    interfered: list[bool] = []

    def interfere(name: str, moment: Moment) -> None:
        if (name, moment) == ("rules.put", Moment.BEFORE) and not interfered:
            interfered.append(True)
            there.put(OLD)

    desk.store.faults = interfere
    here.put(NEW)
    assert desk.process().now() == NEW


def test_a_store_in_which_somebody_always_wrote_first_is_unavailable(monkeypatch: pytest.MonkeyPatch) -> None:
    desk = Desk()

    def refuse(_row: AccountRow) -> None:
        raise Conflict

    monkeypatch.setattr(desk.store.rules, "put", refuse)
    with pytest.raises(Unavailable):
        desk.process().put(NEW)


def test_rules_under_a_storage_key_that_is_gone_let_nobody_in_until_they_are_written_again() -> None:
    desk = Desk()
    desk.process().put(OLD)
    changed = desk.process(b"x" * 32)
    with pytest.raises(InternalError):
        changed.now()
    changed.put(NEW)
    assert changed.now() == NEW


def test_reading_normalises_nothing_again(monkeypatch: pytest.MonkeyPatch) -> None:
    """Each process reads the rules every half minute; 10,000 names would take seconds each time."""
    desk = Desk()
    rules = OperatorRules.parse({"block": ["späm.eth", "*.spam.eth"]})
    desk.process().put(rules)
    monkeypatch.setattr(lists, "normalize", lambda _name: pytest.fail("it was normalised"))
    assert desk.process().now() == rules


def test_the_longest_list_of_addresses_fits_a_row_and_what_does_not_is_refused() -> None:
    chance, desk = SeededChance(), Desk()
    book = desk.process()
    block = SenderList.parse("0x" + chance.token(20).hex() for _ in range(MAX_ENTRIES))
    assert len(block.entries) == MAX_ENTRIES
    book.put(OperatorRules(block=block))
    row = desk.store.rules.get(desk.process()._key)
    assert row is not None
    assert len(row.sealed) < MAX_ROW_BYTES
    assert desk.process().now().block == block
    names = SenderList.parse(f"{chance.token(100).hex()}.eth" for _ in range(MAX_ENTRIES))
    with pytest.raises(TooBig):
        book.put(OperatorRules(block=names))
    assert desk.process().now().block == block
