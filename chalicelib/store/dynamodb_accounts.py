"""Accounts in DynamoDB: the account, the profiles it has left behind, and the names that lead to it.

One table, told apart by the first byte of the sort key: the account and its superseded profiles share the
account's partition, a name has one of its own. Nothing here expires, and superseded profiles outlive their
account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.store.table import ABSENT, ConditionFailed, Item, Table, integer, key, number
from chalicelib.store.tables import SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ACCOUNT = b"\x00"
_SUPERSEDED = b"\x01"
_NAME = b"\x02"


class DynamoAccounts:
    """`AccountStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def get(self, account: bytes) -> AccountRow | None:
        """See `AccountStore.get` (one GetItem)."""
        item = self._table.get(key(account, _ACCOUNT), "sealed", "version")
        return None if item is None else _row(account, item)

    def put(self, row: AccountRow) -> None:
        """See `AccountStore.put` (one PutItem).

        A write whose answer got lost and that is sent again meets itself: that is success, no conflict.
        """
        first = row.version == 1
        try:
            self._table.put(
                {
                    **key(row.account, _ACCOUNT),
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

    def delete(self, account: bytes) -> None:
        """See `AccountStore.delete` (one DeleteItem)."""
        self._table.delete(key(account, _ACCOUNT))

    def link_name(self, name: bytes, sealed: bytes) -> None:
        """See `AccountStore.link_name` (one PutItem)."""
        self._table.put({**key(name, _NAME), "sealed": {"B": sealed}})

    def linked(self, name: bytes) -> bytes | None:
        """See `AccountStore.linked` (one GetItem)."""
        item = self._table.get(key(name, _NAME), "sealed")
        return None if item is None else bytes(item["sealed"]["B"])

    def unlink_name(self, name: bytes) -> None:
        """See `AccountStore.unlink_name` (one DeleteItem)."""
        self._table.delete(key(name, _NAME))

    def supersede(self, account: bytes, profile: bytes) -> None:
        """See `AccountStore.supersede` (one PutItem)."""
        self._table.put(key(account, _SUPERSEDED + profile))

    def is_superseded(self, account: bytes, profile: bytes) -> bool:
        """See `AccountStore.is_superseded` (one GetItem)."""
        return self._table.get(key(account, _SUPERSEDED + profile), SORT) is not None

    def reinstate(self, account: bytes, profile: bytes) -> None:
        """See `AccountStore.reinstate` (one DeleteItem)."""
        self._table.delete(key(account, _SUPERSEDED + profile))


def _row(account: bytes, item: Item) -> AccountRow:
    return AccountRow(account, bytes(item["sealed"]["B"]), integer(item, "version"))
