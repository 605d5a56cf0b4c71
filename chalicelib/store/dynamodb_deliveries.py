"""The webhooks' logs in DynamoDB: one item for each event and endpoint, in the order of the events' times.

They share their table with the schedule (`dynamodb_schedule`), which has partitions of its own.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.notify.ports import DeliveryPage, DeliveryRow
from chalicelib.relay.ports import Conflict
from chalicelib.store.table import (
    ABSENT,
    EXPIRED,
    ConditionFailed,
    Item,
    Table,
    integer,
    is_live,
    key,
    number,
)
from chalicelib.store.tables import EXPIRES, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_LOG = b"\x00"
_ATTRIBUTES = (SORT, "sealed", "version", EXPIRES)


class DynamoDeliveries:
    """`DeliveryStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def get(self, endpoint: bytes, sort: bytes, *, now_s: int) -> DeliveryRow | None:
        """See `DeliveryStore.get` (one GetItem)."""
        item = self._table.get(key(_LOG + endpoint, sort), *_ATTRIBUTES)
        return _row(endpoint, item) if item is not None and is_live(item, now_s) else None

    def put(self, row: DeliveryRow, *, now_s: int) -> None:
        """See `DeliveryStore.put` (one PutItem)."""
        place = key(_LOG + row.endpoint, row.sort)
        content = {
            "sealed": {"B": row.sealed},
            "version": number(row.version),
            EXPIRES: number(row.expires_at_s),
        }
        now = {":now": number(now_s)}
        try:
            if row.version == 1:
                self._table.put({**place, **content}, condition=f"{ABSENT} OR {EXPIRED}", values=now)
            else:
                self._table.put(
                    {**place, **content},
                    condition=f"version = :replaced AND {EXPIRES} > :now",
                    values={**now, ":replaced": number(row.version - 1)},
                )
        except ConditionFailed as error:
            standing = error.standing or self._table.get(place, *_ATTRIBUTES)
            if standing is None or _row(row.endpoint, standing) != row:
                raise Conflict from None

    def newest(self, endpoint: bytes, *, before: bytes | None, limit: int, now_s: int) -> DeliveryPage:
        """See `DeliveryStore.newest` (one Query)."""
        rows = self._table.query(
            _LOG + endpoint,
            *_ATTRIBUTES,
            filtered=f"{EXPIRES} > :now",
            values={":now": number(now_s)},
            start=before,
            limit=limit,
            descending=True,
        )
        return DeliveryPage(tuple(_row(endpoint, item) for item in rows.items), rows.last)

    def delete_all(self, endpoint: bytes) -> None:
        """See `DeliveryStore.delete_all` (one Query for 1,000 entries, one BatchWriteItem for 25)."""
        start: bytes | None = None
        while True:
            rows = self._table.query(_LOG + endpoint, SORT, start=start)
            self._table.delete_many([key(_LOG + endpoint, bytes(item[SORT]["B"])) for item in rows.items])
            start = rows.last
            if start is None:
                return


def _row(endpoint: bytes, item: Item) -> DeliveryRow:
    return DeliveryRow(
        endpoint,
        bytes(item[SORT]["B"]),
        bytes(item["sealed"]["B"]),
        integer(item, "version"),
        integer(item, EXPIRES),
    )
