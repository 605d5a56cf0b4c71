"""What `AccountStore` promises, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.relay.ports import AccountRow, Conflict, Stores
from tests.support.stores import Backend, new_key


def test_an_account_is_written_version_by_version(backend: Backend) -> None:
    accounts, account = backend.store.accounts, new_key()
    assert accounts.get(account) is None
    for version in (1, 2, 3):
        accounts.put(AccountRow(account, bytes([version]), version))
        assert accounts.get(account) == AccountRow(account, bytes([version]), version)


@pytest.mark.parametrize("version", [1, 2, 4])
def test_who_did_not_see_the_last_version_may_not_write(backend: Backend, version: int) -> None:
    accounts, account = backend.store.accounts, new_key()
    accounts.put(AccountRow(account, b"one", 1))
    accounts.put(AccountRow(account, b"two", 2))
    with pytest.raises(Conflict):
        accounts.put(AccountRow(account, b"late", version))
    assert accounts.get(account) == AccountRow(account, b"two", 2)


def test_what_does_not_exist_has_no_second_version(backend: Backend) -> None:
    account = new_key()
    with pytest.raises(Conflict):
        backend.store.accounts.put(AccountRow(account, b"two", 2))
    assert backend.store.accounts.get(account) is None


def test_a_write_may_be_repeated(backend: Backend) -> None:
    accounts, account = backend.store.accounts, new_key()
    for version in (1, 1, 2, 2):
        accounts.put(AccountRow(account, bytes([version]), version))
    assert accounts.get(account) == AccountRow(account, b"\x02", 2)


def test_names_are_linked_and_forgotten(backend: Backend) -> None:
    accounts, name = backend.store.accounts, new_key()
    assert accounts.linked(name) is None
    accounts.link_name(name, b"first")
    accounts.link_name(name, b"second")
    assert accounts.linked(name) == b"second"
    accounts.unlink_name(name)
    accounts.unlink_name(name)
    assert accounts.linked(name) is None


def test_superseded_profiles_are_remembered_for_their_account(backend: Backend) -> None:
    accounts, account, other = backend.store.accounts, new_key(), new_key()
    accounts.supersede(account, b"p" * 32)
    accounts.supersede(account, b"p" * 32)
    assert accounts.is_superseded(account, b"p" * 32)
    assert not accounts.is_superseded(account, b"q" * 32)
    assert not accounts.is_superseded(other, b"p" * 32)
    assert accounts.get(account) is None
    accounts.reinstate(account, b"p" * 32)
    accounts.reinstate(other, b"p" * 32)
    assert not accounts.is_superseded(account, b"p" * 32)


def test_deleting_an_account_forgets_neither_replaced_profiles_nor_names(backend: Backend) -> None:
    accounts, account, name, neighbour = backend.store.accounts, new_key(), new_key(), new_key()
    profiles = [bytes([n]) * 32 for n in range(30)]
    accounts.put(AccountRow(account, b"mine", 1))
    accounts.put(AccountRow(neighbour, b"theirs", 1))
    accounts.link_name(name, b"account")
    for profile in profiles:
        accounts.supersede(account, profile)
    accounts.delete(account)
    accounts.delete(account)
    assert accounts.get(account) is None
    assert all(accounts.is_superseded(account, profile) for profile in profiles)
    assert accounts.linked(name) == b"account"
    assert accounts.get(neighbour) is not None
    accounts.put(AccountRow(account, b"again", 1))


def test_no_write_is_lost_between_many(atomic_backend: Backend) -> None:
    account = new_key()
    store = atomic_backend.store
    store.accounts.put(AccountRow(account, b"", 1))
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda mark: _append(store, account, mark), range(40)))
    row = store.accounts.get(account)
    assert row is not None
    assert (sorted(row.sealed), row.version) == (list(range(40)), 41)


def _append(store: Stores, account: bytes, mark: int) -> None:
    while True:
        row = store.accounts.get(account)
        assert row is not None
        try:
            store.accounts.put(AccountRow(account, row.sealed + bytes([mark]), row.version + 1))
        except Conflict:
            continue
        return
