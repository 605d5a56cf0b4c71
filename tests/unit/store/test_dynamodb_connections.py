"""Open sockets by what they cost and what a crash leaves. What they promise is in tests/store_suite."""

from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.notify.ports import ConnectionRow
from tests.support.aws_faults import AwsFaults, Crash, Fault
from tests.support.stores import LATER_S, NOW_S, Aws, new_key

NEW = ConnectionRow(new_key(), b"sealed", LATER_S)
SIGNED_IN = replace(NEW, owner=new_key(), shard=3)
MOVED = replace(SIGNED_IN, owner=new_key(), shard=4)


def _stored(aws: Aws) -> int:
    return aws.dynamodb.scan(TableName=aws.names.connections)["Count"]


def test_requests(aws: Aws) -> None:
    connections = aws.store().connections
    aws.meter.reset()
    connections.put(NEW)
    assert aws.meter.calls == {"PutItem": 1}
    aws.meter.reset()
    connections.put(SIGNED_IN)
    assert aws.meter.calls == {"PutItem": 1, "BatchWriteItem": 1}
    aws.meter.reset()
    connections.put(SIGNED_IN)
    assert aws.meter.calls == {"PutItem": 1, "BatchWriteItem": 1}
    aws.meter.reset()
    connections.put(MOVED)
    assert aws.meter.calls == {"PutItem": 2, "BatchWriteItem": 2}
    aws.meter.reset()
    connections.remove(MOVED)
    assert aws.meter.calls == {"BatchWriteItem": 1}
    assert _stored(aws) == 0


def test_a_refused_condition_need_not_bring_what_stands(aws: Aws) -> None:
    connections = aws.store().connections
    connections.put(SIGNED_IN)
    aws.dynamodb.meta.events.register(
        "after-call.dynamodb.PutItem", lambda parsed, **_: parsed.pop("Item", None)
    )
    connections.put(MOVED)
    assert _stored(aws) == 3
    assert connections.of_account(SIGNED_IN.owner or b"", now_s=NOW_S) == ()


def test_a_socket_that_went_between_two_requests_is_written_anew(aws: Aws) -> None:
    connections = aws.store().connections
    connections.put(SIGNED_IN)
    requests: list[str] = []

    def vanish(parsed: dict[str, object], **_: object) -> None:
        requests.append("PutItem")
        parsed.pop("Item", None)
        if len(requests) == 1:
            connections.remove(SIGNED_IN)

    aws.dynamodb.meta.events.register("after-call.dynamodb.PutItem", vanish)
    connections.put(MOVED)
    assert connections.get(MOVED.connection, now_s=NOW_S) == MOVED
    assert _stored(aws) == 3


@pytest.mark.parametrize("nth", [1, 2])
@pytest.mark.parametrize("fault", [Fault.CRASH_BEFORE, Fault.CRASH_AFTER])
def test_whatever_a_crash_leaves_is_found_from_the_socket(
    aws: Aws, faults: AwsFaults, nth: int, fault: Fault
) -> None:
    """Who cleans up knows the gateway's id only: `get`, then `remove`."""
    connections = aws.store().connections
    connections.put(NEW)
    faults.strike(nth, fault)
    with pytest.raises(Crash):
        connections.put(SIGNED_IN)
    faults.strike(None)
    left = connections.get(NEW.connection, now_s=NOW_S)
    assert left is not None
    connections.remove(left)
    assert _stored(aws) == 0


def test_what_is_stored_expires(aws: Aws) -> None:
    connections = aws.store().connections
    connections.put(SIGNED_IN)
    connections.mark(new_key(), b"m" * 16, {new_key(): 1}, expires_at_s=LATER_S)
    items = aws.dynamodb.scan(TableName=aws.names.connections)["Items"]
    assert [item["expires_at"] for item in items] == [{"N": str(LATER_S)}] * 4


def test_counts_are_kept_once(aws: Aws) -> None:
    connections = aws.store().connections
    connections.put(SIGNED_IN)
    aws.meter.reset()
    connections.pinged(SIGNED_IN.connection)
    connections.ponged(SIGNED_IN.connection)
    assert aws.meter.calls == {"UpdateItem": 2}
    items = aws.dynamodb.scan(TableName=aws.names.connections)["Items"]
    assert sorted("pings" in item for item in items) == [False, False, True]


def test_every_read_is_consistent(aws: Aws) -> None:
    """A message that is committed after a sign-in must find the socket."""
    connections = aws.store().connections
    asked: list[bool] = []

    def note(params: dict[str, object], **_: object) -> None:
        asked.append(params["ConsistentRead"] is True)

    for operation in ("GetItem", "Query"):
        aws.dynamodb.meta.events.register(f"before-parameter-build.dynamodb.{operation}", note)
    connections.get(new_key(), now_s=NOW_S)
    connections.of_account(new_key(), now_s=NOW_S)
    connections.of_shard(1, after=None, limit=1, now_s=NOW_S)
    connections.marks(new_key(), b"m" * 16, now_s=NOW_S)
    assert asked == [True] * 4
