"""What `RuleStore` promises, on every backend."""

from __future__ import annotations

import pytest

from chalicelib.relay.ports import AccountRow, Conflict
from tests.support.stores import Backend, new_key


def test_rules_are_written_version_by_version(backend: Backend) -> None:
    rules, owner = backend.store.rules, new_key()
    assert rules.get(owner) is None
    for version in (1, 1, 2, 2):
        rules.put(AccountRow(owner, bytes([version]), version))
        assert rules.get(owner) == AccountRow(owner, bytes([version]), version)
    with pytest.raises(Conflict):
        rules.put(AccountRow(owner, b"late", 2))
    with pytest.raises(Conflict):
        rules.put(AccountRow(owner, b"early", 4))


def test_rules_begin_anew_once_they_are_deleted(backend: Backend) -> None:
    rules, owner = backend.store.rules, new_key()
    rules.put(AccountRow(owner, b"one", 1))
    rules.delete(owner)
    rules.delete(owner)
    assert rules.get(owner) is None
    rules.put(AccountRow(owner, b"anew", 1))
    assert rules.get(owner) == AccountRow(owner, b"anew", 1)


def test_rules_and_the_account_of_one_owner_do_not_touch_each_other(backend: Backend) -> None:
    rules, accounts, owner = backend.store.rules, backend.store.accounts, new_key()
    accounts.put(AccountRow(owner, b"account", 1))
    rules.put(AccountRow(owner, b"rules", 1))
    accounts.delete(owner)
    assert accounts.get(owner) is None
    assert rules.get(owner) == AccountRow(owner, b"rules", 1)
