"""What `ScheduleStore` promises, on every backend."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.notify.ports import DueRow, Queue
from tests.support.stores import LATER_S, NOW_S, Backend, new_shard

NOW_MS = NOW_S * 1_000


def _due(shard: int, n: int = 0, *, at_ms: int = NOW_MS, expires_at_s: int = LATER_S) -> DueRow:
    return DueRow(shard, at_ms, n.to_bytes(16, "big"), Queue.EMAIL, bytes([n]), expires_at_s)


def test_what_is_due_is_told_when_its_time_has_come(backend: Backend) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    row = _due(shard)
    schedule.put(row)
    assert schedule.due(shard, now_ms=NOW_MS - 1, limit=5) == ()
    assert schedule.due(shard, now_ms=NOW_MS, limit=5) == (row,)
    assert schedule.due(shard, now_ms=NOW_MS + 1, limit=5) == (row,)
    assert schedule.due(shard + 1, now_ms=NOW_MS, limit=5) == ()


@pytest.mark.parametrize("queue", Queue)
def test_what_is_due_knows_its_queue(backend: Backend, queue: Queue) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    row = replace(_due(shard), queue=queue)
    schedule.put(row)
    assert schedule.due(shard, now_ms=NOW_MS, limit=1) == (row,)


def test_the_oldest_come_first(backend: Backend) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    rows = [_due(shard, n, at_ms=NOW_MS - n) for n in range(5)]
    for row in rows:
        schedule.put(row)
    assert schedule.due(shard, now_ms=NOW_MS, limit=10) == tuple(reversed(rows))
    assert schedule.due(shard, now_ms=NOW_MS, limit=2) == (rows[4], rows[3])


def test_writing_twice_is_writing_once(backend: Backend) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    row = _due(shard, 1)
    schedule.put(row)
    schedule.put(row)
    again = replace(row, sealed=b"again")
    schedule.put(again)
    assert schedule.due(shard, now_ms=NOW_MS, limit=10) == (again,)
    other = replace(row, key=b"o" * 16)
    schedule.put(other)
    assert schedule.due(shard, now_ms=NOW_MS, limit=10) == (again, other)


def test_what_is_done_is_forgotten(backend: Backend) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    row, other = _due(shard, 1), _due(shard, 2)
    schedule.put(row)
    schedule.put(other)
    for _ in range(2):
        schedule.delete(row)
        assert schedule.due(shard, now_ms=NOW_MS, limit=10) == (other,)


@pytest.mark.parametrize("limit", [1, 2, 5, 100])
def test_what_has_expired_stands_in_nobody_s_way(backend: Backend, limit: int) -> None:
    schedule, shard = backend.store.schedule, new_shard()
    for n in range(7):
        schedule.put(_due(shard, n, at_ms=NOW_MS - 9, expires_at_s=NOW_S))
    rows = tuple(_due(shard, n, expires_at_s=NOW_S + 1) for n in range(3))
    for row in rows:
        schedule.put(row)
    assert schedule.due(shard, now_ms=NOW_MS, limit=limit) == rows[:limit]
    assert schedule.due(shard, now_ms=NOW_MS + 999, limit=limit) == rows[:limit]
    assert schedule.due(shard, now_ms=NOW_MS + 1_000, limit=limit) == ()


def test_more_than_one_answer_holds_is_told(backend: Backend) -> None:
    """DynamoDB ends an answer after 1 MB."""
    schedule, shard = backend.store.schedule, new_shard()
    rows = tuple(replace(_due(shard, n), sealed=bytes([n]) * 300_000) for n in range(5))
    for row in rows:
        schedule.put(row)
    assert schedule.due(shard, now_ms=NOW_MS, limit=10) == rows


def test_a_log_and_a_shard_do_not_meet(backend: Backend) -> None:
    """They share a table."""
    store, shard = backend.store, new_shard()
    store.schedule.put(_due(shard))
    for endpoint in (shard.to_bytes(2, "big"), b"\x01" + shard.to_bytes(2, "big"), b""):
        assert store.deliveries.newest(endpoint, before=None, limit=1, now_s=NOW_S).rows == ()
