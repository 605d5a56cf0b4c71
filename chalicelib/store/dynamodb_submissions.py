"""Submissions in DynamoDB: one item for each envelope that was submitted (DESIGN, decision 8)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import InboxKey, Submission
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
from chalicelib.store.tables import EXPIRES, PARTITION, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

BEGIN_ATTEMPTS = 3
LOOK_AT_LEAST = 25  # expired rows among them do not count
_ATTRIBUTES = (PARTITION, SORT, "inbox_key", "receipt", "done", EXPIRES)


class DynamoSubmissions:
    """`SubmissionStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def get(self, partition: bytes, sort: bytes, *, now_s: int) -> Submission | None:
        """See `SubmissionStore.get` (one GetItem)."""
        item = self._table.get(key(partition, sort), *_ATTRIBUTES)
        return _submission(item) if item is not None and is_live(item, now_s) else None

    def begin(self, submission: Submission, *, now_s: int) -> Submission:
        """See `SubmissionStore.begin` (one PutItem).

        What stands in the way comes back with the refusal. Where it does not (some emulators), it is read;
        should it have vanished in between, the write is tried again.
        """
        for _ in range(BEGIN_ATTEMPTS):
            try:
                self._table.put(
                    _item(submission), condition=f"{ABSENT} OR {EXPIRED}", values={":now": number(now_s)}
                )
            except ConditionFailed as error:
                if error.standing is not None:
                    return _submission(error.standing)
                standing = self.get(submission.partition, submission.sort, now_s=now_s)
                if standing is not None:
                    return standing
            else:
                return submission
        raise Unavailable

    def complete(self, partition: bytes, sort: bytes) -> None:
        """See `SubmissionStore.complete` (one UpdateItem). A row that is gone is not brought back."""
        try:
            self._table.update(
                key(partition, sort),
                "SET done = :yes",
                condition=f"attribute_exists({PARTITION})",
                values={":yes": {"BOOL": True}},
            )
        except ConditionFailed:
            return

    def find(self, partition: bytes, sort_prefix: bytes, *, now_s: int, limit: int) -> tuple[Submission, ...]:
        """See `SubmissionStore.find` (one Query, unless many rows have expired)."""
        found: list[Submission] = []
        start: bytes | None = None
        while True:
            rows = self._table.query(
                partition,
                *_ATTRIBUTES,
                where=f"begins_with({SORT}, :prefix)" if sort_prefix else "",
                filtered=f"{EXPIRES} > :now",
                values={":now": number(now_s), **({":prefix": {"B": sort_prefix}} if sort_prefix else {})},
                start=start,
                limit=max(limit, LOOK_AT_LEAST),
            )
            found += map(_submission, rows.items)
            start = rows.last
            if start is None or len(found) >= limit:
                return tuple(found[:limit])


def _item(submission: Submission) -> Item:
    return {
        **key(submission.partition, submission.sort),
        "inbox_key": {"B": submission.inbox_key.to_bytes()},
        "receipt": {"B": submission.receipt},
        "done": {"BOOL": submission.stored},
        EXPIRES: number(submission.expires_at_s),
    }


def _submission(item: Item) -> Submission:
    return Submission(
        partition=bytes(item[PARTITION]["B"]),
        sort=bytes(item[SORT]["B"]),
        inbox_key=InboxKey.from_bytes(bytes(item["inbox_key"]["B"])),
        receipt=bytes(item["receipt"]["B"]),
        stored=item["done"]["BOOL"],
        expires_at_s=integer(item, EXPIRES),
    )
