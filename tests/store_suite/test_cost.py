"""What each operation costs: requests, and the capacity units that dynalite counts as Amazon does."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from chalicelib.notify.ports import ConnectionRow, DeliveryRow, DueRow, Queue
from chalicelib.relay.ports import AccountRow, Charge, InboxKey, NameRow, Submission
from chalicelib.store.table import BATCH_WRITES
from tests.support.stores import LATER_S, NOW_S, AllStores, Aws, item, new_key, new_shard

DEEP = 10_000

pytestmark = [pytest.mark.dynalite, pytest.mark.xdist_group("dynalite")]


def _cost(aws: Aws, operation: Callable[[AllStores], object]) -> tuple[dict[str, int], float, float]:
    aws.meter.reset()
    operation(aws.store())
    return dict(aws.meter.calls), aws.meter.read_units, aws.meter.write_units


def _fill(aws: Aws, account: bytes, depth: int) -> None:
    """`depth` messages, written in batches: one by one would take a minute."""
    aws.store().inbox.put(account, item(0))
    stored: Any = aws.dynamodb.query(
        TableName=aws.names.inbox,
        KeyConditionExpression="pk = :pk",
        ExpressionAttributeValues={":pk": {"B": account}},
    )["Items"][0]
    rows = [{**stored, "sk": {"B": item(n).key.to_bytes()}} for n in range(1, depth)]
    for start in range(0, len(rows), BATCH_WRITES):
        chunk: Any = [{"PutRequest": {"Item": row}} for row in rows[start : start + BATCH_WRITES]]
        aws.dynamodb.batch_write_item(RequestItems={aws.names.inbox: chunk})


def test_acknowledging_costs_the_same_at_any_depth(dynalite_aws: Aws) -> None:
    shallow, deep = new_key(), new_key()
    _fill(dynalite_aws, shallow, 10)
    _fill(dynalite_aws, deep, DEEP)
    for account, depth in ((shallow, 10), (deep, DEEP)):
        oldest, middle, newest = item(0).key, item(depth // 2).key, item(depth - 1).key
        for one in (oldest, middle, newest):
            cost = _cost(dynalite_aws, lambda store, a=account, k=one: store.inbox.delete(a, [k]))  # type: ignore[misc]
            assert cost == ({"DeleteItem": 1}, 0.0, 1.0)
    page = dynalite_aws.store().inbox.page(deep, after=None, limit=50, max_bytes=10**6, now_s=NOW_S)
    assert [one.key for one in page.items] == [item(n).key for n in range(1, 51)]
    cost = _cost(
        dynalite_aws,
        lambda store: store.inbox.page(deep, after=None, limit=50, max_bytes=10**6, now_s=NOW_S),
    )
    assert cost == ({"Query": 1}, 2.0, 0.0)


def _submission(partition: bytes) -> Submission:
    return Submission(
        partition, b"s" * 32, InboxKey(7, b"i" * 16), b"r" * 400, stored=False, expires_at_s=LATER_S
    )


def _use_once(store: AllStores) -> bool:
    return store.counters.use_once(KEY, expires_at_s=LATER_S, now_s=NOW_S)


KEY = new_key()
KEYS = [item(n).key for n in (1, 2, 3)]
NAME = NameRow(KEY, b"n" * 800, 1, LATER_S)
CHARGE = Charge(KEY, 1, 2, LATER_S)
SHARD = new_shard()
ONE_BATCH = {"BatchWriteItem": 1}
OPENED = ConnectionRow(KEY, b"s" * 200, LATER_S)
SIGNED_IN = ConnectionRow(KEY, b"s" * 300, LATER_S, owner=KEY, shard=SHARD)
ENTRY = DeliveryRow(KEY, b"s" * 24, b"e" * 800, 1, LATER_S)
DUE = DueRow(SHARD, NOW_S * 1_000, b"k" * 16, Queue.WEBHOOKS, b"d" * 400, LATER_S)


def _mark(store: AllStores) -> None:
    store.connections.mark(KEY, b"m" * 16, {KEY: 1, b"d" * 32: 2}, expires_at_s=LATER_S)


def _of_shard(store: AllStores) -> object:
    return store.connections.of_shard(SHARD, after=None, limit=100, now_s=NOW_S)


def _newest(store: AllStores) -> object:
    return store.deliveries.newest(KEY, before=None, limit=50, now_s=NOW_S)


OPERATIONS: list[tuple[str, Callable[[AllStores], object], dict[str, int], float, float]] = [
    ("inbox.put 800 B", lambda s: s.inbox.put(KEY, item(1, b"b" * 800)), {"PutItem": 1}, 0, 1),
    ("inbox.put 10 KB", lambda s: s.inbox.put(KEY, item(2, b"b" * 10_000)), {"PutItem": 1}, 0, 10),
    ("inbox.put in S3", lambda s: s.inbox.put(KEY, item(3, b"b" * 400_000)), {"PutItem": 1}, 0, 1),
    ("inbox.exists", lambda s: s.inbox.exists(KEY, item(1).key, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("inbox.delete 3", lambda s: s.inbox.delete(KEY, KEYS), {"BatchWriteItem": 1}, 0, 12),
    ("submissions.begin", lambda s: s.submissions.begin(_submission(KEY), now_s=NOW_S), {"PutItem": 1}, 0, 1),
    ("submissions.complete", lambda s: s.submissions.complete(KEY, b"s" * 32), {"UpdateItem": 1}, 0, 1),
    ("submissions.get", lambda s: s.submissions.get(KEY, b"s" * 32, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("submissions.find", lambda s: s.submissions.find(KEY, b"s", now_s=NOW_S, limit=5), {"Query": 1}, 1, 0),
    ("accounts.put", lambda s: s.accounts.put(AccountRow(KEY, b"a" * 900, 1)), {"PutItem": 1}, 0, 1),
    ("accounts.get", lambda s: s.accounts.get(KEY), {"GetItem": 1}, 1, 0),
    ("accounts.link_name", lambda s: s.accounts.link_name(KEY, b"l" * 100), {"PutItem": 1}, 0, 1),
    ("accounts.linked", lambda s: s.accounts.linked(KEY), {"GetItem": 1}, 1, 0),
    ("accounts.supersede", lambda s: s.accounts.supersede(KEY, b"p" * 32), {"PutItem": 1}, 0, 1),
    ("accounts.is_superseded", lambda s: s.accounts.is_superseded(KEY, b"p" * 32), {"GetItem": 1}, 1, 0),
    ("counters.charge", lambda s: s.counters.charge(CHARGE, now_s=NOW_S), {"UpdateItem": 1}, 0, 1),
    ("counters.read 2", lambda s: s.counters.read([KEY, b"none"], now_s=NOW_S), {"BatchGetItem": 1}, 2, 0),
    ("names.put", lambda s: s.names.put(NAME), {"PutItem": 1}, 0, 1),
    ("names.get", lambda s: s.names.get(KEY, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("counters.use_once", _use_once, {"PutItem": 1}, 0, 1),
    ("accounts.delete", lambda s: s.accounts.delete(KEY), {"DeleteItem": 1}, 0, 1),
    ("preferences.put", lambda s: s.preferences.put(AccountRow(KEY, b"p" * 900, 1)), {"PutItem": 1}, 0, 1),
    ("preferences.get", lambda s: s.preferences.get(KEY), {"GetItem": 1}, 1, 0),
    ("connections.put", lambda s: s.connections.put(OPENED), {"PutItem": 1}, 0, 1),
    ("connections.put, account", lambda s: s.connections.put(SIGNED_IN), {"PutItem": 1, **ONE_BATCH}, 0, 3),
    ("connections.get", lambda s: s.connections.get(KEY, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("connections.of_account", lambda s: s.connections.of_account(KEY, now_s=NOW_S), {"Query": 1}, 1, 0),
    ("connections.of_shard", _of_shard, {"Query": 1}, 1, 0),
    ("connections.pinged", lambda s: s.connections.pinged(KEY), {"UpdateItem": 1}, 0, 1),
    ("connections.ponged", lambda s: s.connections.ponged(KEY), {"UpdateItem": 1}, 0, 1),
    ("connections.mark", _mark, {"PutItem": 1}, 0, 1),
    ("connections.marks", lambda s: s.connections.marks(KEY, b"m" * 16, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("connections.remove", lambda s: s.connections.remove(SIGNED_IN), ONE_BATCH, 0, 3),
    ("deliveries.put", lambda s: s.deliveries.put(ENTRY, now_s=NOW_S), {"PutItem": 1}, 0, 1),
    ("deliveries.get", lambda s: s.deliveries.get(KEY, b"s" * 24, now_s=NOW_S), {"GetItem": 1}, 1, 0),
    ("deliveries.newest", _newest, {"Query": 1}, 1, 0),
    ("deliveries.delete_all", lambda s: s.deliveries.delete_all(KEY), {"Query": 1, **ONE_BATCH}, 1, 1),
    ("schedule.put", lambda s: s.schedule.put(DUE), {"PutItem": 1}, 0, 1),
    ("schedule.due", lambda s: s.schedule.due(SHARD, now_ms=NOW_S * 1_000, limit=10), {"Query": 1}, 1, 0),
    ("schedule.delete", lambda s: s.schedule.delete(DUE), {"DeleteItem": 1}, 0, 1),
]  # fmt: skip


def test_each_operation_costs_what_it_should(dynalite_aws: Aws) -> None:
    measured = {name: _cost(dynalite_aws, operation) for name, operation, *_ in OPERATIONS}
    assert measured == {name: (calls, read, write) for name, _, calls, read, write in OPERATIONS}
