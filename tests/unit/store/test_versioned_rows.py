"""What versioned rows promise is in tests/store_suite (accounts, rules); here, what they cost."""

from __future__ import annotations

from chalicelib.relay.ports import AccountRow
from tests.support.stores import Aws, new_key


def test_each_operation_is_one_request(aws: Aws) -> None:
    rules, owner = aws.store().rules, new_key()
    aws.meter.reset()
    rules.put(AccountRow(owner, b"one", 1))
    rules.put(AccountRow(owner, b"two", 2))
    rules.get(owner)
    rules.delete(owner)
    assert aws.meter.calls == {"PutItem": 2, "GetItem": 1, "DeleteItem": 1}
