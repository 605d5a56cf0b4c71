"""Rows of which each write names the version it replaces: one of a kind in a partition."""

from __future__ import annotations

from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.store.table import ABSENT, ConditionFailed, Item, Table, integer, key, number


class VersionedRows:
    """The rows of `table` that stand under the sort key `sort`."""

    def __init__(self, table: Table, sort: bytes) -> None:
        self._table = table
        self._sort = sort

    def get(self, partition: bytes) -> AccountRow | None:
        """The row of `partition` (one GetItem). Raises Unavailable."""
        item = self._table.get(key(partition, self._sort), "sealed", "version")
        return None if item is None else _row(partition, item)

    def put(self, row: AccountRow) -> None:
        """Write `row` if the version before it stands there (one PutItem). Raises Unavailable, Conflict.

        A write whose answer got lost and that is sent again meets itself: that is success, no conflict.
        """
        first = row.version == 1
        try:
            self._table.put(
                {
                    **key(row.account, self._sort),
                    "sealed": {"B": row.sealed},
                    "version": number(row.version),
                },
                condition=ABSENT if first else "version = :replaced",
                values=None if first else {":replaced": number(row.version - 1)},
            )
        except ConditionFailed as error:
            standing = None if error.standing is None else _row(row.account, error.standing)
            if (standing or self.get(row.account)) != row:
                raise Conflict from None

    def delete(self, partition: bytes) -> None:
        """Delete the row (one DeleteItem); a missing one is no error. Raises Unavailable."""
        self._table.delete(key(partition, self._sort))


def _row(partition: bytes, item: Item) -> AccountRow:
    return AccountRow(partition, bytes(item["sealed"]["B"]), integer(item, "version"))
