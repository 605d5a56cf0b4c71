"""The schedule by what it costs. What it promises is in tests/store_suite."""

from __future__ import annotations

from dataclasses import replace

from chalicelib.notify.ports import DueRow, Queue
from tests.support.stores import LATER_S, NOW_S, Aws

NOW_MS = NOW_S * 1_000
ROW = DueRow(3, NOW_MS, b"k" * 16, Queue.WEBHOOKS, b"sealed", LATER_S)


def test_each_operation_is_one_request(aws: Aws) -> None:
    schedule = aws.store().schedule
    aws.meter.reset()
    schedule.put(ROW)
    schedule.put(replace(ROW, key=b"l" * 16))
    schedule.due(3, now_ms=NOW_MS, limit=10)
    schedule.delete(ROW)
    assert aws.meter.calls == {"PutItem": 2, "Query": 1, "DeleteItem": 1}


def test_what_is_not_yet_due_is_not_even_read(aws: Aws) -> None:
    schedule = aws.store().schedule
    for n in range(20):
        schedule.put(replace(ROW, due_at_ms=NOW_MS + n, sealed=b"s" * 4_000))
    aws.meter.reset()
    assert len(schedule.due(3, now_ms=NOW_MS, limit=10)) == 1
    assert aws.meter.calls == {"Query": 1}


def test_expired_rows_in_front_cost_queries_and_no_more(aws: Aws) -> None:
    schedule = aws.store().schedule
    for n in range(10):
        schedule.put(replace(ROW, due_at_ms=n, expires_at_s=1))
    schedule.put(ROW)
    aws.meter.reset()
    assert schedule.due(3, now_ms=NOW_MS, limit=4) == (ROW,)
    assert aws.meter.calls == {"Query": 3}
