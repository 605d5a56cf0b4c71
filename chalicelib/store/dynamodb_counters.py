"""Counters and single-use marks in DynamoDB: each decision is one conditional write."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from chalicelib.relay.ports import Charge
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
from chalicelib.store.tables import EXPIRES, PARTITION

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

COUNTERS_AT_ONCE = 25
# Counters and marks share a table, never a key.
_COUNTER = b"\x00"
_MARK = b"\x01"


class DynamoCounters:
    """`CounterStore` in a DynamoDB table."""

    def __init__(self, client: DynamoDBClient, table: str) -> None:
        self._table = Table(client, table)

    def charge(self, charge: Charge, *, now_s: int) -> bool:
        """See `CounterStore.charge`: one UpdateItem, two when the counter had expired.

        DynamoDB cannot say "start again if expired, else add" in one expression, so there are two writes,
        each atomic and each with a condition that the other one's success makes false:

            add:      there is no counter, or it is live and the sum stays within the limit
            restart:  there is none, or it has expired

        If the add fails on an expired counter, the restart is tried. If that fails, somebody else restarted
        it: it is live now and stays so, and a second add decides. A repetition after Unavailable may charge
        twice; it never passes the limit.
        """
        if charge.amount > charge.limit:
            return False
        values = {":now": number(now_s), ":amount": number(charge.amount)}
        try:
            self._add(charge, values)
        except ConditionFailed as error:
            if is_live(error.standing, now_s):
                return False
            return self._restart(charge, values)
        return True

    def _add(self, charge: Charge, values: Item) -> None:
        self._table.update(
            key(_COUNTER + charge.counter),
            f"SET {EXPIRES} = if_not_exists({EXPIRES}, :expires) ADD amount :amount",
            condition=f"{ABSENT} OR ({EXPIRES} > :now AND amount <= :room)",
            values={
                **values,
                ":expires": number(charge.expires_at_s),
                ":room": number(charge.limit - charge.amount),
            },
        )

    def _restart(self, charge: Charge, values: Item) -> bool:
        try:
            self._table.update(
                key(_COUNTER + charge.counter),
                f"SET {EXPIRES} = :expires, amount = :amount",
                condition=f"{ABSENT} OR {EXPIRED}",
                values={**values, ":expires": number(charge.expires_at_s)},
            )
        except ConditionFailed:
            try:
                self._add(charge, values)
            except ConditionFailed:
                return False
        return True

    def read(self, counters: Sequence[bytes], *, now_s: int) -> tuple[int, ...]:
        """See `CounterStore.read` (one BatchGetItem for 25 counters)."""
        distinct = list(dict.fromkeys(counters))
        amounts: dict[bytes, int] = {}
        for start in range(0, len(distinct), COUNTERS_AT_ONCE):
            chunk = [key(_COUNTER + counter) for counter in distinct[start : start + COUNTERS_AT_ONCE]]
            for item in self._table.get_many(chunk, PARTITION, "amount", EXPIRES):
                if is_live(item, now_s):
                    amounts[bytes(item[PARTITION]["B"])[1:]] = integer(item, "amount")
        return tuple(amounts.get(counter, 0) for counter in counters)

    def use_once(self, mark: bytes, *, expires_at_s: int, now_s: int) -> bool:
        """See `CounterStore.use_once` (one PutItem).

        When the answer to the first write gets lost and it is sent again, the mark counts as used.
        """
        try:
            self._table.put(
                {**key(_MARK + mark), EXPIRES: number(expires_at_s)},
                condition=f"{ABSENT} OR {EXPIRED}",
                values={":now": number(now_s)},
            )
        except ConditionFailed:
            return False
        return True
