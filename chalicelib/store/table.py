"""One DynamoDB table as the adapters use it: few requests, each with its cost known.

Every read is consistent. Every failure is `Unavailable` or a defect (`chalicelib.store.failures`), but for a
condition that did not hold, which is an answer: `ConditionFailed`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.protocol.errors import Unavailable
from chalicelib.store.failures import answered, error_code, failure, is_failure_of_aws
from chalicelib.store.tables import EXPIRES, PARTITION, SORT

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

Item = Mapping[str, Any]
"""An item, a key or the values of an expression, in DynamoDB's own form: {"pk": {"B": b"..."}}."""

BATCH_WRITES = 25
BATCH_ATTEMPTS = 6
FIRST_PAUSE_S = 0.05  # doubled after each attempt: about 1.5 seconds in all

ABSENT = f"attribute_not_exists({PARTITION})"
EXPIRED = f"{EXPIRES} <= :now"


class ConditionFailed(Exception):
    """The condition of a write did not hold. `standing` is the item it met, None if there is none.

    An emulator that does not return the item leaves None too: treat it as "not known".
    """

    def __init__(self, standing: Item | None) -> None:
        super().__init__("the condition does not hold")
        self.standing = standing


@dataclass(frozen=True, slots=True)
class Rows:
    """What one query found. `last` is the sort key of the last item it looked at, None at the end."""

    items: Sequence[Item]
    last: bytes | None


def key(partition: bytes, sort: bytes | None = None) -> Item:
    """The primary key of an item."""
    whole = {PARTITION: {"B": partition}}
    return whole if sort is None else {**whole, SORT: {"B": sort}}


def number(value: int) -> Item:
    """An integer in DynamoDB's form."""
    return {"N": str(value)}


def integer(item: Item, name: str) -> int:
    """The integer member `name` of `item`."""
    return int(item[name]["N"])


def is_live(item: Item | None, now_s: int) -> bool:
    """Whether there is an item, and it has not expired: DynamoDB deletes late, up to days."""
    return item is not None and integer(item, EXPIRES) > now_s


class Table:
    """Requests to one table. `sleep` is called with seconds between attempts of a batch."""

    def __init__(
        self, client: DynamoDBClient, name: str, *, sleep: Callable[[float], None] = time.sleep
    ) -> None:
        self._client = client
        self._name = name
        self._sleep = sleep

    def get(self, item_key: Item, *attributes: str) -> Item | None:
        """The named attributes of one item (GetItem). Raises Unavailable."""
        with answered():
            answer = self._client.get_item(
                TableName=self._name,
                Key=item_key,
                ConsistentRead=True,
                ProjectionExpression=", ".join(attributes),
            )
        return answer.get("Item")

    def put(self, item: Item, *, condition: str | None = None, values: Item | None = None) -> None:
        """Write one item (PutItem). Raises Unavailable; ConditionFailed if `condition` does not hold."""
        self._write(self._client.put_item, {"Item": item}, condition, values)

    def update(self, item_key: Item, expression: str, *, condition: str, values: Item) -> Item:
        """Change one item (UpdateItem) and return the changed attributes as they stand after it.

        Raises Unavailable; ConditionFailed if `condition` does not hold.
        """
        request = {"Key": item_key, "UpdateExpression": expression, "ReturnValues": "UPDATED_NEW"}
        answer = self._write(self._client.update_item, request, condition, values)
        changed: Item = answer.get("Attributes", {})
        return changed

    def _write(
        self,
        operation: Callable[..., Any],
        request: dict[str, Any],
        condition: str | None,
        values: Item | None,
    ) -> Mapping[str, Any]:
        if condition is not None:
            # Handing back what stands in the way saves the read that would have to follow.
            request |= {"ConditionExpression": condition, "ReturnValuesOnConditionCheckFailure": "ALL_OLD"}
        if values:
            request["ExpressionAttributeValues"] = values
        try:
            answer: Mapping[str, Any] = operation(TableName=self._name, **request)
        except Exception as error:
            if error_code(error) == "ConditionalCheckFailedException":
                raise ConditionFailed(getattr(error, "response", {}).get("Item")) from None
            if is_failure_of_aws(error):
                raise failure(error) from error
            raise
        return answer

    def delete(self, item_key: Item) -> None:
        """Delete one item (DeleteItem); a missing one is no error. Raises Unavailable."""
        with answered():
            self._client.delete_item(TableName=self._name, Key=item_key)

    def delete_many(self, keys: Sequence[Item]) -> None:
        """Delete distinct items (BatchWriteItem, 25 a request). Returns when all are gone, or Unavailable."""
        self._write_many([{"DeleteRequest": {"Key": item_key}} for item_key in keys])

    def put_many(self, items: Sequence[Item]) -> None:
        """Write distinct items, without conditions (BatchWriteItem, 25 a request).

        Returns when all are written; after Unavailable any of them may be.
        """
        self._write_many([{"PutRequest": {"Item": item}} for item in items])

    def _write_many(self, requests: Sequence[Any]) -> None:
        for start in range(0, len(requests), BATCH_WRITES):
            left = list(requests[start : start + BATCH_WRITES])
            for _ in self._attempts():
                with answered():
                    answer = self._client.batch_write_item(RequestItems={self._name: left})
                left = list(answer.get("UnprocessedItems", {}).get(self._name, []))
                if not left:
                    break

    def get_many(self, keys: Sequence[Item], *attributes: str) -> list[Item]:
        """The named attributes of up to 100 distinct items, unordered (BatchGetItem). Raises Unavailable."""
        found: list[Item] = []
        projection = ", ".join(attributes)
        left: list[Any] = list(keys)
        for _ in self._attempts():
            request: Any = {"Keys": left, "ConsistentRead": True, "ProjectionExpression": projection}
            with answered():
                answer = self._client.batch_get_item(RequestItems={self._name: request})
            found += answer["Responses"].get(self._name, [])
            unprocessed: Any = answer.get("UnprocessedKeys", {}).get(self._name, {})
            left = list(unprocessed.get("Keys", []))
            if not left:
                break
        return found

    def _attempts(self) -> Iterator[int]:
        """Rounds of a batch, with growing pauses between them. Ends in Unavailable."""
        for attempt in range(BATCH_ATTEMPTS):
            if attempt:
                self._sleep(FIRST_PAUSE_S * 2 ** (attempt - 1))
            yield attempt
        raise Unavailable

    def query(
        self,
        partition: bytes,
        *attributes: str,
        where: str = "",
        filtered: str = "",
        values: Item | None = None,
        start: bytes | None = None,
        limit: int = 1000,
        descending: bool = False,
    ) -> Rows:
        """One Query in order of the sort key, at most `limit` items looked at and 1 MB. Raises Unavailable.

        `where` bounds the sort key and costs nothing; `filtered` is applied after the items were read.
        `start` is the `last` of the query that this one continues.
        """
        request: dict[str, Any] = {
            "KeyConditionExpression": f"{PARTITION} = :pk" + (f" AND {where}" if where else ""),
            "ExpressionAttributeValues": {":pk": {"B": partition}, **(values or {})},
            "ProjectionExpression": ", ".join(attributes),
        }
        if filtered:
            request["FilterExpression"] = filtered
        if start is not None:
            request["ExclusiveStartKey"] = key(partition, start)
        with answered():
            answer = self._client.query(
                TableName=self._name,
                ConsistentRead=True,
                Limit=limit,
                ScanIndexForward=not descending,
                **request,
            )
        last = answer.get("LastEvaluatedKey")
        return Rows(answer["Items"], None if not last else bytes(last[SORT]["B"]))
