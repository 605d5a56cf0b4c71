"""Accounts in DynamoDB: the account, the profiles it has left behind, and the names that lead to it.

One table, told apart by the first byte of the sort key: the account, its superseded profiles and its rules
share the account's partition, a name has one of its own. Nothing here expires, and superseded profiles
outlive their account.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.relay.ports import AccountRow
from chalicelib.store.table import Table, key
from chalicelib.store.tables import SORT
from chalicelib.store.versioned_rows import VersionedRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_ACCOUNT = b"\x00"
_SUPERSEDED = b"\x01"
_NAME = b"\x02"
_RULES = b"\x03"


class DynamoAccounts:
    """`AccountStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)
        self._rows = VersionedRows(self._table, _ACCOUNT)

    def get(self, account: bytes) -> AccountRow | None:
        """See `AccountStore.get` (one GetItem)."""
        return self._rows.get(account)

    def put(self, row: AccountRow) -> None:
        """See `AccountStore.put` (one PutItem)."""
        self._rows.put(row)

    def delete(self, account: bytes) -> None:
        """See `AccountStore.delete` (one DeleteItem)."""
        self._rows.delete(account)

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


class DynamoRules:
    """`RuleStore` in the table of the accounts."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._rows = VersionedRows(Table(client, table), _RULES)

    def get(self, owner: bytes) -> AccountRow | None:
        """See `RuleStore.get` (one GetItem)."""
        return self._rows.get(owner)

    def put(self, row: AccountRow) -> None:
        """See `RuleStore.put` (one PutItem)."""
        self._rows.put(row)

    def delete(self, owner: bytes) -> None:
        """See `RuleStore.delete` (one DeleteItem)."""
        self._rows.delete(owner)
