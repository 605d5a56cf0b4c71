from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.account_book import AccountBook, AccountRecord
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import SeededChance
from tests.unit.relay.world import BOB

RECORD = AccountRecord(BOB.address, BOB.signed_profile, ("bob.eth",), 1, b"i" * 16, b"e" * 16)


def book(store: MemoryStore, storage_key: bytes = b"s" * 32) -> AccountBook:
    return AccountBook(store.accounts, Vault(b"i" * 32, storage_key, SeededChance()))


@pytest.mark.parametrize("listing_after", [None, InboxKey(5, b"m" * 16)])
def test_a_record_comes_back(listing_after: InboxKey | None) -> None:
    record = replace(RECORD, listing_after=listing_after)
    assert AccountRecord.from_bytes(record.to_bytes()) == record


def test_an_address_is_one_account_however_it_is_spelt() -> None:
    one = book(MemoryStore())
    assert one.key(BOB.address) == one.key(BOB.address.lower())


def test_a_record_is_written_read_and_deleted() -> None:
    one = book(MemoryStore())
    key = one.key(BOB.address)
    assert one.load(key) is None
    assert one.update(key, lambda standing: RECORD if standing is None else None) == RECORD
    assert one.load(key) == RECORD
    one.delete(key)
    assert one.load(key) is None


def test_an_update_that_changes_its_mind_writes_nothing() -> None:
    one = book(MemoryStore())
    assert one.update(b"key", lambda _: None) is None
    assert one.load(b"key") is None


def test_an_update_is_decided_again_when_somebody_else_wrote_first() -> None:
    store = MemoryStore()
    one = book(store)
    key = one.key(BOB.address)
    one.update(key, lambda _: RECORD)

    def add(name: str, standing: AccountRecord | None) -> AccountRecord:
        assert standing is not None
        return replace(standing, names=(*standing.names, name))

    def interfere(name: str, moment: Moment) -> None:
        if (name, moment) == ("accounts.put", Moment.BEFORE):
            store.faults = None
            one.update(key, lambda standing: add("first.eth", standing))

    store.faults = interfere
    updated = one.update(key, lambda standing: add("second.eth", standing))
    assert updated is not None
    assert updated.names == ("bob.eth", "first.eth", "second.eth")
    assert one.load(key) == updated


def test_endless_interference_means_try_again() -> None:
    store = MemoryStore()
    one, other = book(store), book(store)

    def interfere(name: str, moment: Moment) -> None:
        if (name, moment) == ("accounts.put", Moment.BEFORE):
            faults, store.faults = store.faults, None
            other.update(b"key", lambda _: replace(RECORD, created_at_ms=2))
            store.faults = faults

    store.faults = interfere
    with pytest.raises(Unavailable):
        one.update(b"key", lambda _: RECORD)


def test_a_record_opens_in_its_own_row_only() -> None:
    store = MemoryStore()
    one = book(store)
    one.update(b"one", lambda _: RECORD)
    row = store.accounts.get(b"one")
    assert row is not None
    store.accounts.put(replace(row, account=b"other"))
    with pytest.raises(InternalError):
        one.load(b"other")


def test_a_record_is_unreadable_without_its_storage_key() -> None:
    store = MemoryStore()
    book(store).update(b"one", lambda _: RECORD)
    with pytest.raises(InternalError):
        book(store, b"x" * 32).load(b"one")
