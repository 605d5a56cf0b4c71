"""What accounts want to be told, in the table of the accounts: one sealed row in a partition of its own."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.relay.ports import AccountRow
from chalicelib.store.table import Table
from chalicelib.store.versioned_rows import VersionedRows

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# \x00 to \x03 are taken by `dynamodb_accounts`.
_PREFERENCES = b"\x04"


class DynamoPreferences:
    """`PreferenceStore` in the table of the accounts."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._rows = VersionedRows(Table(client, table), _PREFERENCES)

    def get(self, owner: bytes) -> AccountRow | None:
        """See `PreferenceStore.get` (one GetItem)."""
        return self._rows.get(owner)

    def put(self, row: AccountRow) -> None:
        """See `PreferenceStore.put` (one PutItem)."""
        self._rows.put(row)

    def delete(self, owner: bytes) -> None:
        """See `PreferenceStore.delete` (one DeleteItem)."""
        self._rows.delete(owner)
