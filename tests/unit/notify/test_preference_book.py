from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given

from chalicelib.notify.events import Channel
from chalicelib.notify.ports import PreferenceStore
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.notify.strategies import PREFERENCES
from tests.unit.relay.ports import SeededChance

INBOX = b"i" * 32
TOLD = Preferences(enabled=True, channels=(WakeUpChannel(Channel.EMAIL, "bob@example.org"),))


def _vault(storage_key: bytes = b"s" * 32) -> Vault:
    return Vault(b"x" * 32, storage_key, SeededChance())


@given(PREFERENCES)
def test_what_is_written_is_read(preferences: Preferences) -> None:
    book = PreferenceBook(MemoryStore().preferences, _vault())
    assert book.update(INBOX, lambda _: preferences) == preferences
    assert book.load(INBOX) == preferences


def test_whoever_has_none_is_told_nothing() -> None:
    book = PreferenceBook(MemoryStore().preferences, _vault())
    assert book.load(INBOX) == Preferences()
    book.update(INBOX, lambda _: TOLD)
    book.delete(INBOX)
    assert book.load(INBOX) == Preferences()


def test_the_store_sees_neither_the_owner_nor_the_recipient() -> None:
    rows: list[AccountRow] = []
    book = PreferenceBook(_Recording(MemoryStore().preferences, rows), _vault())
    book.update(INBOX, lambda _: TOLD)
    (row,) = rows
    assert INBOX not in (row.account, row.sealed)
    assert b"bob" not in row.sealed


def test_equal_preferences_are_not_written_again() -> None:
    rows: list[AccountRow] = []
    book = PreferenceBook(_Recording(MemoryStore().preferences, rows), _vault())
    book.update(INBOX, lambda _: TOLD)
    book.update(INBOX, lambda standing: replace(standing))
    assert [row.version for row in rows] == [1]


def test_a_change_is_made_again_on_what_somebody_else_wrote_meanwhile() -> None:
    book = PreferenceBook(MemoryStore().preferences, _vault())
    asked = []

    def change(standing: Preferences) -> Preferences:
        asked.append(standing)
        if len(asked) == 1:
            book.update(INBOX, lambda _: TOLD)
        return replace(standing, enabled=not standing.enabled)

    assert book.update(INBOX, change) == replace(TOLD, enabled=False)
    assert asked == [Preferences(), TOLD]


def test_a_change_that_always_comes_second_is_given_up() -> None:
    book = PreferenceBook(_Contended(MemoryStore().preferences, []), _vault())
    with pytest.raises(Unavailable):
        book.update(INBOX, lambda _: TOLD)


@pytest.mark.parametrize("operation", ["preferences.get", "preferences.put"])
@pytest.mark.parametrize("moment", list(Moment))
def test_a_store_that_does_not_answer_is_told(operation: str, moment: Moment) -> None:
    store = MemoryStore()
    book = PreferenceBook(store.preferences, _vault())

    def faults(asked: str, when: Moment) -> None:
        if (asked, when) == (operation, moment):
            raise Unavailable

    store.faults = faults
    with pytest.raises(Unavailable):
        book.update(INBOX, lambda _: TOLD)
    store.faults = None
    assert book.update(INBOX, lambda _: TOLD) == TOLD
    assert book.load(INBOX) == TOLD


def test_a_document_whose_key_is_gone_is_the_operators_matter() -> None:
    store = MemoryStore()
    PreferenceBook(store.preferences, _vault()).update(INBOX, lambda _: TOLD)
    with pytest.raises(InternalError):
        PreferenceBook(store.preferences, _vault(b"t" * 32)).load(INBOX)


class _Recording:
    """A `PreferenceStore` that shows what is written."""

    def __init__(self, store: PreferenceStore, rows: list[AccountRow]) -> None:
        self._store = store
        self._rows = rows

    def get(self, owner: bytes) -> AccountRow | None:
        return self._store.get(owner)

    def put(self, row: AccountRow) -> None:
        self._rows.append(row)
        self._store.put(row)

    def delete(self, owner: bytes) -> None:
        self._store.delete(owner)


class _Contended(_Recording):
    """One whose every write comes second."""

    def put(self, row: AccountRow) -> None:
        raise Conflict
