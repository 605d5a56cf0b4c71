"""What `PreferenceStore` promises, on every backend."""

from __future__ import annotations

import pytest

from chalicelib.relay.ports import AccountRow, Conflict
from tests.support.stores import Backend, new_key


def test_preferences_are_written_version_by_version(backend: Backend) -> None:
    preferences, owner = backend.store.preferences, new_key()
    assert preferences.get(owner) is None
    for version in (1, 1, 2, 2):
        preferences.put(AccountRow(owner, bytes([version]), version))
        assert preferences.get(owner) == AccountRow(owner, bytes([version]), version)
    with pytest.raises(Conflict):
        preferences.put(AccountRow(owner, b"late", 2))
    with pytest.raises(Conflict):
        preferences.put(AccountRow(owner, b"early", 4))


def test_preferences_begin_anew_once_they_are_deleted(backend: Backend) -> None:
    preferences, owner = backend.store.preferences, new_key()
    preferences.put(AccountRow(owner, b"one", 1))
    preferences.delete(owner)
    preferences.delete(owner)
    assert preferences.get(owner) is None
    preferences.put(AccountRow(owner, b"anew", 1))
    assert preferences.get(owner) == AccountRow(owner, b"anew", 1)


def test_preferences_stand_beside_account_and_rules_of_the_same_key(backend: Backend) -> None:
    store, owner = backend.store, new_key()
    store.accounts.put(AccountRow(owner, b"account", 1))
    store.rules.put(AccountRow(owner, b"rules", 1))
    store.preferences.put(AccountRow(owner, b"preferences", 1))
    store.accounts.delete(owner)
    store.rules.delete(owner)
    assert store.preferences.get(owner) == AccountRow(owner, b"preferences", 1)
