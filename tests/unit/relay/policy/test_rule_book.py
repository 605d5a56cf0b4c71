from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.policy.lists import SenderList
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.policy.desk import INBOX, Desk
from tests.unit.relay.ports import HandClock, SeededChance

STRICT = AccountRules(only_allowed=True)


def book(store: MemoryStore, clock: HandClock | None = None, storage_key: bytes = b"2" * 32) -> RuleBook:
    vault = Vault(b"1" * 32, storage_key, SeededChance())
    return RuleBook(store.rules, vault, clock or HandClock(), remember_s=30)


def allowing(name: str, rules: AccountRules) -> AccountRules:
    return replace(rules, allow=SenderList(rules.allow.entries | {name}))


def test_there_are_no_rules_at_first() -> None:
    assert book(MemoryStore()).of(INBOX) == AccountRules()


def test_what_is_written_is_read() -> None:
    rules = book(MemoryStore())
    assert rules.update(INBOX, lambda _: STRICT) == STRICT
    assert rules.load(INBOX) == STRICT


def test_another_incarnation_of_the_account_has_no_rules() -> None:
    rules = book(MemoryStore())
    rules.update(INBOX, lambda _: STRICT)
    assert rules.of(b"j" * 32) == AccountRules()


def test_a_process_goes_by_what_it_has_written_at_once_and_others_in_time() -> None:
    store, clock = MemoryStore(), HandClock()
    ours, other = book(store, clock), book(store, clock)
    for one in (ours, other):
        assert one.of(INBOX) == AccountRules()
    ours.update(INBOX, lambda _: STRICT)
    assert (ours.of(INBOX), other.of(INBOX)) == (STRICT, AccountRules())
    clock.pass_s(30)
    assert other.of(INBOX) == STRICT


def test_what_may_have_been_written_is_read_again() -> None:
    store = MemoryStore()
    rules = book(store)
    rules.of(INBOX)

    def lose_the_answer(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("rules.put", Moment.AFTER):
            raise Unavailable

    store.faults = lose_the_answer
    with pytest.raises(Unavailable):
        rules.update(INBOX, lambda _: STRICT)
    store.faults = None
    assert rules.of(INBOX) == STRICT


def test_rules_are_read_once_while_they_are_remembered() -> None:
    desk = Desk()
    for _ in range(3):
        desk.rules.of(INBOX)
    assert desk.calls == {"rules.get": 1}


def test_two_writers_at_once_lose_nothing() -> None:
    store = MemoryStore()
    first, second = book(store), book(store)
    first.update(INBOX, lambda rules: allowing("a.eth", rules))
    interrupted: list[None] = []

    def change(rules: AccountRules) -> AccountRules:
        if not interrupted:
            interrupted.append(None)
            second.update(INBOX, lambda standing: allowing("b.eth", standing))
        return allowing("c.eth", rules)

    assert first.update(INBOX, change).allow.entries == {"a.eth", "b.eth", "c.eth"}


def test_a_writer_who_is_always_late_gives_up() -> None:
    store = MemoryStore()
    ours, other = book(store), book(store)
    written: list[str] = []

    def change(rules: AccountRules) -> AccountRules:
        written.append(f"{len(written)}.eth")
        other.update(INBOX, lambda standing: allowing(written[-1], standing))
        return allowing("ours.eth", rules)

    with pytest.raises(Unavailable):
        ours.update(INBOX, change)
    assert ours.load(INBOX).allow.entries == set(written)


def test_what_is_equal_is_not_written() -> None:
    desk = Desk()
    desk.rules.update(INBOX, lambda _: AccountRules())
    desk.rule(onlyAllowed=True)
    desk.rule(onlyAllowed=True)
    assert desk.calls["rules.put"] == 1


def test_deleted_rules_are_gone_at_once() -> None:
    store = MemoryStore()
    rules = book(store)
    rules.update(INBOX, lambda _: STRICT)
    rules.of(INBOX)
    rules.delete(INBOX)
    rules.delete(INBOX)
    assert rules.of(INBOX) == AccountRules()
    assert not store.rules._rows


def test_a_storage_key_that_is_gone_is_the_relays_own_trouble() -> None:
    store = MemoryStore()
    book(store).update(INBOX, lambda _: STRICT)
    with pytest.raises(InternalError):
        book(store, storage_key=b"3" * 32).of(INBOX)


def test_the_rules_of_one_account_do_not_open_as_anothers() -> None:
    store = MemoryStore()
    rules = book(store)
    rules.update(INBOX, lambda _: STRICT)
    rules.update(b"j" * 32, lambda _: AccountRules(block=SenderList(frozenset({"a.eth"}))))
    (ours, row), (theirs, _) = store.rules._rows.items()
    store.rules._rows[theirs] = replace(row, account=theirs)
    with pytest.raises(InternalError):
        rules.load(b"j" * 32)
    assert rules.load(INBOX) == STRICT
    assert ours != theirs
