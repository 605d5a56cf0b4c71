"""Open sockets in DynamoDB, each written once for every way in which it is looked for.

One table, told apart by the first byte of the partition key:

    0 + connection    the socket itself, with its counts
    1 + account       the account's sockets, by connection
    2 + shard         the sockets that the pinger visits together, by connection
    3 + account       for each message that was pushed, by message id: the pings behind it

A socket without an account has the first item only. That item is written before the other two and says where
they are, so whatever a crash leaves behind can be found from it. All of them expire with the socket.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

from chalicelib.notify.ports import ConnectionPage, ConnectionRow
from chalicelib.store.table import ABSENT, ConditionFailed, Item, Table, integer, is_live, key, number
from chalicelib.store.tables import EXPIRES, PARTITION, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

_CONNECTION = b"\x00"
_ACCOUNT = b"\x01"
_SHARD = b"\x02"
_MARK = b"\x03"
_ONLY = b"\x00"
"""The sort key where a partition has one item."""

_CONTENT = ("sealed", EXPIRES, "account", "ping_shard")
_UNEXPIRED = f"{EXPIRES} > :now"


class DynamoConnections:
    """`ConnectionStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def put(self, row: ConnectionRow) -> None:
        """See `ConnectionStore.put`: one PutItem, and one BatchWriteItem if the socket has an account.

        A socket that changes its account costs a PutItem and a BatchWriteItem more. If it signs in with two
        accounts at the same moment, it may be listed with both.
        """
        counts = {"pings": number(row.pings), "pongs": number(row.pongs)}
        item = {**_own_key(row.connection), **_content(row), **counts}
        try:
            self._put_in_place(row, item)
        except ConditionFailed as error:
            # The old account's items go first: once the row is replaced, nothing says where they are.
            standing = error.standing or self._table.get(_own_key(row.connection), *_CONTENT)
            if standing is not None:
                self._table.delete_many(list(_list_keys(_row(row.connection, standing))))
            self._table.put(item)
        listed = [{**place, **_content(row)} for place in _list_keys(row)]
        if listed:
            self._table.put_many(listed)

    def _put_in_place(self, row: ConnectionRow, item: Item) -> None:
        """Write the socket itself. Raises ConditionFailed if it is listed where `row` will not be."""
        condition = f"{ABSENT} OR attribute_not_exists(account)"
        if row.owner is None:
            self._table.put(item, condition=condition)
        else:
            self._table.put(
                item,
                condition=f"{condition} OR (account = :account AND ping_shard = :shard)",
                values={":account": {"B": row.owner}, ":shard": number(row.shard)},
            )

    def get(self, connection: bytes, *, now_s: int) -> ConnectionRow | None:
        """See `ConnectionStore.get` (one GetItem)."""
        item = self._table.get(_own_key(connection), *_CONTENT, "pings", "pongs")
        return _row(connection, item) if item is not None and is_live(item, now_s) else None

    def of_account(self, owner: bytes, *, now_s: int) -> tuple[ConnectionRow, ...]:
        """See `ConnectionStore.of_account` (one Query for 1 MB, which is thousands of sockets)."""
        found: list[Item] = []
        start: bytes | None = None
        while True:
            rows = self._table.query(
                _ACCOUNT + owner,
                SORT,
                *_CONTENT,
                filtered=_UNEXPIRED,
                values={":now": number(now_s)},
                start=start,
            )
            found += rows.items
            start = rows.last
            if start is None:
                return tuple(map(_listed, found))

    def of_shard(self, shard: int, *, after: bytes | None, limit: int, now_s: int) -> ConnectionPage:
        """See `ConnectionStore.of_shard` (one Query)."""
        rows = self._table.query(
            _shard(shard),
            SORT,
            *_CONTENT,
            filtered=_UNEXPIRED,
            values={":now": number(now_s)},
            start=after,
            limit=limit,
        )
        return ConnectionPage(tuple(map(_listed, rows.items)), rows.last)

    def pinged(self, connection: bytes) -> int:
        """See `ConnectionStore.pinged` (one UpdateItem).

        When its answer gets lost a number is skipped, for which no pong comes: the socket looks silent as
        long as it lives, and people are told by other ways too, rather than not at all.
        """
        counted = self._count(connection, "pings")
        return 0 if counted is None else integer(counted, "pings")

    def ponged(self, connection: bytes) -> None:
        """See `ConnectionStore.ponged` (one UpdateItem)."""
        self._count(connection, "pongs")

    def _count(self, connection: bytes, name: str) -> Item | None:
        try:
            return self._table.update(
                _own_key(connection),
                f"ADD {name} :one",
                condition=f"attribute_exists({PARTITION})",
                values={":one": number(1)},
            )
        except ConditionFailed:
            return None

    def remove(self, row: ConnectionRow) -> None:
        """See `ConnectionStore.remove`: one BatchWriteItem, one DeleteItem for a socket without account."""
        listed = list(_list_keys(row))
        if listed:
            self._table.delete_many([*listed, _own_key(row.connection)])
        else:
            self._table.delete(_own_key(row.connection))

    def mark(self, owner: bytes, message_id: bytes, pings: Mapping[bytes, int], *, expires_at_s: int) -> None:
        """See `ConnectionStore.mark` (one PutItem)."""
        numbers = {connection.hex(): number(ping) for connection, ping in pings.items()}
        self._table.put(
            {**key(_MARK + owner, message_id), "pings": {"M": numbers}, EXPIRES: number(expires_at_s)}
        )

    def marks(self, owner: bytes, message_id: bytes, *, now_s: int) -> Mapping[bytes, int]:
        """See `ConnectionStore.marks` (one GetItem)."""
        item = self._table.get(key(_MARK + owner, message_id), "pings", EXPIRES)
        if item is None or not is_live(item, now_s):
            return {}
        numbers: Item = item["pings"]["M"]
        return {bytes.fromhex(connection): integer(numbers, connection) for connection in numbers}


def _own_key(connection: bytes) -> Item:
    return key(_CONNECTION + connection, _ONLY)


def _list_keys(row: ConnectionRow) -> Iterator[Item]:
    """Where the socket stands among others."""
    if row.owner is not None:
        yield key(_ACCOUNT + row.owner, row.connection)
        yield key(_shard(row.shard), row.connection)


def _shard(shard: int) -> bytes:
    return _SHARD + shard.to_bytes(2, "big")


def _content(row: ConnectionRow) -> Item:
    account = {} if row.owner is None else {"account": {"B": row.owner}}
    return {
        "sealed": {"B": row.sealed},
        EXPIRES: number(row.expires_at_s),
        "ping_shard": number(row.shard),
        **account,
    }


def _listed(item: Item) -> ConnectionRow:
    return _row(bytes(item[SORT]["B"]), item)


def _row(connection: bytes, item: Item) -> ConnectionRow:
    """The row of an item; one of a list has no counts."""
    return ConnectionRow(
        connection,
        bytes(item["sealed"]["B"]),
        integer(item, EXPIRES),
        owner=bytes(item["account"]["B"]) if "account" in item else None,
        shard=integer(item, "ping_shard"),
        pings=integer(item, "pings") if "pings" in item else 0,
        pongs=integer(item, "pongs") if "pongs" in item else 0,
    )
