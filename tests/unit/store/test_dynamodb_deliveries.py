"""Logs of webhooks by what they cost and when answers get lost. The rest is in tests/store_suite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.notify.ports import DeliveryRow
from chalicelib.relay.ports import Conflict
from tests.support.stores import LATER_S, NOW_S, Aws, new_key

ENTRY = DeliveryRow(new_key(), b"s" * 24, b"sealed", 1, LATER_S)


@pytest.mark.parametrize("shown", [True, False])
def test_a_write_that_meets_itself_is_no_conflict(aws: Aws, shown: bool) -> None:
    deliveries = aws.store().deliveries
    if not shown:
        aws.dynamodb.meta.events.register(
            "after-call.dynamodb.PutItem", lambda parsed, **_: parsed.pop("Item", None)
        )
    for row in (ENTRY, ENTRY, replace(ENTRY, version=2), replace(ENTRY, version=2)):
        deliveries.put(row, now_s=NOW_S)
    for changed in (ENTRY, replace(ENTRY, version=2, sealed=b"x"), replace(ENTRY, version=2, expires_at_s=1)):
        with pytest.raises(Conflict):
            deliveries.put(changed, now_s=NOW_S)
    with pytest.raises(Conflict):
        deliveries.put(replace(ENTRY, sort=b"t", version=2), now_s=NOW_S)


def test_requests(aws: Aws) -> None:
    deliveries = aws.store().deliveries
    aws.meter.reset()
    for n in range(30):
        deliveries.put(replace(ENTRY, sort=bytes([n])), now_s=NOW_S)
    assert aws.meter.calls == {"PutItem": 30}
    aws.meter.reset()
    deliveries.get(ENTRY.endpoint, b"\x00", now_s=NOW_S)
    page = deliveries.newest(ENTRY.endpoint, before=b"\x09", limit=5, now_s=NOW_S)
    assert [row.sort for row in page.rows] == [bytes([n]) for n in (8, 7, 6, 5, 4)]
    assert aws.meter.calls == {"GetItem": 1, "Query": 1}
    aws.meter.reset()
    deliveries.delete_all(ENTRY.endpoint)
    assert aws.meter.calls == {"Query": 1, "BatchWriteItem": 2}
    assert aws.dynamodb.scan(TableName=aws.names.deliveries)["Count"] == 0
