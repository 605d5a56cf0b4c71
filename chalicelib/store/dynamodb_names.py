"""Remembered names in DynamoDB: a cache, of which nothing is backed up."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.relay.ports import NameRow
from chalicelib.store.table import ABSENT, ConditionFailed, Table, integer, is_live, key, number
from chalicelib.store.tables import EXPIRES

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient


class DynamoNames:
    """`NameStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def get(self, name: bytes, *, now_s: int) -> NameRow | None:
        """See `NameStore.get` (one GetItem)."""
        item = self._table.get(key(name), "sealed", "read_at", EXPIRES)
        if item is None or not is_live(item, now_s):
            return None
        sealed = bytes(item["sealed"]["B"]) if "sealed" in item else b""
        return NameRow(name, sealed, integer(item, "read_at"), integer(item, EXPIRES))

    def put(self, row: NameRow) -> bool:
        """See `NameStore.put` (one PutItem). A write whose answer got lost and that is sent again stands."""
        contents = {"sealed": {"B": row.sealed}} if row.sealed else {}
        try:
            self._table.put(
                {
                    **key(row.name),
                    **contents,
                    "read_at": number(row.read_at_ms),
                    EXPIRES: number(row.expires_at_s),
                },
                condition=f"{ABSENT} OR read_at <= :read_at",
                values={":read_at": number(row.read_at_ms)},
            )
        except ConditionFailed:
            return False
        return True
