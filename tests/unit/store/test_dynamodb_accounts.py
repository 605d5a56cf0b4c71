"""Accounts when answers get lost. What they promise is in tests/store_suite."""

from __future__ import annotations

import pytest

from chalicelib.relay.ports import AccountRow, Conflict
from tests.support.stores import Aws, new_key


@pytest.mark.parametrize("shown", [True, False])
def test_a_write_that_meets_itself_is_no_conflict(aws: Aws, shown: bool) -> None:
    accounts, account = aws.store().accounts, new_key()
    if not shown:
        aws.dynamodb.meta.events.register(
            "after-call.dynamodb.PutItem", lambda parsed, **_: parsed.pop("Item", None)
        )
    accounts.put(AccountRow(account, b"mine", 1))
    accounts.put(AccountRow(account, b"mine", 1))
    with pytest.raises(Conflict):
        accounts.put(AccountRow(account, b"another's", 1))
    assert accounts.get(account) == AccountRow(account, b"mine", 1)


def test_deleting_costs_the_same_however_many_profiles_stay_known(aws: Aws) -> None:
    accounts, account = aws.store().accounts, new_key()
    accounts.put(AccountRow(account, b"mine", 1))
    for n in range(5):
        accounts.supersede(account, bytes([n]) * 32)
    aws.meter.reset()
    accounts.delete(account)
    assert aws.meter.calls == {"DeleteItem": 1}
    assert aws.dynamodb.scan(TableName=aws.names.accounts)["Count"] == 5


def test_an_account_is_read_alone_whatever_it_has_left_behind(aws: Aws) -> None:
    accounts, account = aws.store().accounts, new_key()
    for n in range(5):
        accounts.supersede(account, bytes([n]) * 32)
    aws.meter.reset()
    assert accounts.get(account) is None
    assert aws.meter.calls == {"GetItem": 1}
