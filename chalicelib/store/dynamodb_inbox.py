"""The inbox in DynamoDB: one item for each message, large ones with their body in S3.

An item is (account, position) -> blob or name of the body, size, expiry. A put is one PutItem, an
acknowledgement one DeleteItem by the full key, however deep the inbox is; a page is one Query in all but
unusual cases. DESIGN, decisions 7 and 11.
"""

from __future__ import annotations

from collections.abc import Sequence
from contextlib import suppress
from typing import TYPE_CHECKING

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import InboxItem, InboxKey, InboxPage
from chalicelib.store.bodies import BODY, Bodies, BodyMissing
from chalicelib.store.table import ABSENT, ConditionFailed, Item, Rows, Table, integer, is_live, key, number
from chalicelib.store.tables import EXPIRES, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

# Where a write of many units begins to cost more than an object (docs/adr/0004).
INLINE_LIMIT_BYTES = 32_000
LARGEST_INLINE_BYTES = 390_000  # an item ends at 400 KB, its keys and attribute names included

QUERIES_PER_PAGE = 8
MOST_LOOKED_AT = 1000
_ATTRIBUTES = (SORT, "payload", BODY, "size_bytes", EXPIRES)


class DynamoInbox:
    """`InboxStore` in a DynamoDB table and, for blobs over `inline_limit_bytes`, in `bodies`."""

    def __init__(
        self,
        client: DynamoDBClient,
        table: str,
        *,
        bodies: Bodies | None = None,
        inline_limit_bytes: int = INLINE_LIMIT_BYTES,
    ) -> None:
        self._table = Table(client, table)
        self._bodies = bodies
        self._inline_limit_bytes = min(inline_limit_bytes, LARGEST_INLINE_BYTES)

    def put(self, account: bytes, item: InboxItem) -> None:
        """See `InboxStore.put`.

        The position contains the time of the write, so an item that stands under the same key expires with
        `item`: there is no case in which it would have to be replaced.
        """
        body = None if len(item.blob) <= self._inline_limit_bytes else self._body_store().put(item.blob)
        content = {"payload": {"B": item.blob}} if body is None else {BODY: {"S": body}}
        row = {
            **key(account, item.key.to_bytes()),
            **content,
            "size_bytes": number(len(item.blob)),
            EXPIRES: number(item.expires_at_s),
        }
        try:
            self._table.put(row, condition=ABSENT)
        except ConditionFailed as error:
            self._discard(body, error.standing)

    def _discard(self, body: str | None, standing: Item | None) -> None:
        """Delete the body just written if the item that stands points to another one.

        A write whose answer got lost and that was sent again fails on its own item: that body must stay.
        """
        if body is None or standing is None or standing.get(BODY, {}).get("S") == body:
            return
        with suppress(Unavailable):  # the bucket's lifecycle does it later
            self._body_store().delete([body])

    def _body_store(self) -> Bodies:
        if self._bodies is None:
            raise Unavailable("There is no room for large messages.")
        return self._bodies

    def exists(self, account: bytes, key: InboxKey, *, now_s: int) -> bool:
        """See `InboxStore.exists` (one GetItem; DynamoDB charges for the whole item)."""
        return is_live(self._table.get(_key(account, key), EXPIRES), now_s)

    def page(
        self, account: bytes, *, after: InboxKey | None, limit: int, max_bytes: int, now_s: int
    ) -> InboxPage:
        """See `InboxStore.page`.

        After `QUERIES_PER_PAGE` queries the page is handed out as it is, be it empty: a stretch of expired
        items is passed in bounded steps, and `last` says where to go on.
        """
        page = _Page(self._bodies, after, limit, max_bytes)
        for attempt in range(QUERIES_PER_PAGE):
            # One more than fits tells whether this page is the last. Items that have expired make the next
            # look wider, so that a long stretch of them is soon behind.
            look_at = min((page.room + 1) * 4**attempt, MOST_LOOKED_AT)
            rows = self._query(account, page.last, look_at, now_s)
            for row in rows.items:
                if not page.take(row):
                    return page.result(page.last)
            if rows.last is None:
                return page.result(None)
            page.last = InboxKey.from_bytes(rows.last)
        return page.result(page.last)

    def _query(self, account: bytes, after: InboxKey | None, limit: int, now_s: int) -> Rows:
        position = {} if after is None else {":after": {"B": after.to_bytes()}}
        return self._table.query(
            account,
            *_ATTRIBUTES,
            where="" if after is None else f"{SORT} > :after",
            filtered=f"{EXPIRES} > :now",
            values={":now": number(now_s), **position},
            limit=limit,
        )

    def delete(self, account: bytes, keys: Sequence[InboxKey]) -> None:
        """See `InboxStore.delete`. Bodies are deleted by the reader of the table's stream."""
        distinct = [_key(account, one) for one in dict.fromkeys(keys)]
        if len(distinct) == 1:
            self._table.delete(distinct[0])
        else:
            self._table.delete_many(distinct)


def _key(account: bytes, position: InboxKey) -> Item:
    return key(account, position.to_bytes())


class _Page:
    """A page while it fills. `last` is the position up to which everything has been dealt with."""

    def __init__(self, bodies: Bodies | None, after: InboxKey | None, limit: int, max_bytes: int) -> None:
        self._bodies = bodies
        self._limit = limit
        self._max_bytes = max_bytes
        self._items: list[InboxItem] = []
        self._size_bytes = 0
        self._unreadable = 0
        self.last = after

    @property
    def room(self) -> int:
        """How many more items may be taken."""
        return self._limit - len(self._items) - self._unreadable

    def take(self, row: Item) -> bool:
        """Add the item, or count it as unreadable; False if the page must end before it.

        Raises Unavailable if its body cannot be read just now and there is nothing before it to hand out.
        """
        size_bytes = integer(row, "size_bytes")
        if self.room == 0 or (self._items and self._size_bytes + size_bytes > self._max_bytes):
            return False
        position = InboxKey.from_bytes(bytes(row[SORT]["B"]))
        try:
            blob = self._blob(row, size_bytes)
        except BodyMissing:
            self._unreadable += 1
        except Unavailable:
            if self._items or self._unreadable:
                return False
            raise
        else:
            self._items.append(InboxItem(position, blob, integer(row, EXPIRES)))
            self._size_bytes += size_bytes
        self.last = position
        return True

    def _blob(self, row: Item, size_bytes: int) -> bytes:
        if "payload" in row:
            return bytes(row["payload"]["B"])
        if self._bodies is None or BODY not in row:
            raise BodyMissing
        blob = self._bodies.get(row[BODY]["S"])
        if len(blob) != size_bytes:
            raise BodyMissing
        return blob

    def result(self, last: InboxKey | None) -> InboxPage:
        """The page as the port hands it out."""
        return InboxPage(tuple(self._items), last, self._unreadable)
