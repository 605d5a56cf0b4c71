"""What is to be done later, beside the webhooks' logs: a partition for each shard, ordered by time."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.notify.ports import DueRow, Queue
from chalicelib.store.table import Item, Table, integer, key, number
from chalicelib.store.tables import EXPIRES, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# \x00 is taken by `dynamodb_deliveries`.
_SHARD = b"\x01"
_TIME_BYTES = 8


class DynamoSchedule:
    """`ScheduleStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def put(self, row: DueRow) -> None:
        """See `ScheduleStore.put` (one PutItem)."""
        self._table.put(
            {
                **_key(row),
                "queue": {"S": str(row.queue)},
                "sealed": {"B": row.sealed},
                EXPIRES: number(row.expires_at_s),
            }
        )

    def due(self, shard: int, *, now_ms: int, limit: int) -> tuple[DueRow, ...]:
        """See `ScheduleStore.due`: one Query, more only where expired rows stand in front."""
        found: list[DueRow] = []
        start: bytes | None = None
        while True:
            rows = self._table.query(
                _shard(shard),
                SORT,
                "queue",
                "sealed",
                EXPIRES,
                where=f"{SORT} < :after_now",
                filtered=f"{EXPIRES} > :now_s",
                values={":after_now": {"B": _time(now_ms + 1)}, ":now_s": number(now_ms // 1_000)},
                start=start,
                limit=limit,
            )
            found += (_row(shard, item) for item in rows.items)
            start = rows.last
            if start is None or len(found) >= limit:
                return tuple(found[:limit])

    def delete(self, row: DueRow) -> None:
        """See `ScheduleStore.delete` (one DeleteItem)."""
        self._table.delete(_key(row))


def _key(row: DueRow) -> Item:
    return key(_shard(row.shard), _time(row.due_at_ms) + row.key)


def _shard(shard: int) -> bytes:
    return _SHARD + shard.to_bytes(2, "big")


def _time(at_ms: int) -> bytes:
    return at_ms.to_bytes(_TIME_BYTES, "big")


def _row(shard: int, item: Item) -> DueRow:
    sort = bytes(item[SORT]["B"])
    return DueRow(
        shard,
        int.from_bytes(sort[:_TIME_BYTES], "big"),
        sort[_TIME_BYTES:],
        Queue(item["queue"]["S"]),
        bytes(item["sealed"]["B"]),
        integer(item, EXPIRES),
    )
