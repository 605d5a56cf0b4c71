"""Preferences by what they cost. What they promise is in tests/store_suite."""

from __future__ import annotations

from chalicelib.relay.ports import AccountRow
from tests.support.stores import Aws, new_key


def test_each_operation_is_one_request(aws: Aws) -> None:
    preferences, owner = aws.store().preferences, new_key()
    aws.meter.reset()
    preferences.put(AccountRow(owner, b"one", 1))
    preferences.put(AccountRow(owner, b"two", 2))
    preferences.get(owner)
    preferences.delete(owner)
    assert aws.meter.calls == {"PutItem": 2, "GetItem": 1, "DeleteItem": 1}
