"""Reading again from the inbox table's stream what Lambda gave up on: DynamoDB Streams."""

from __future__ import annotations

import base64
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from chalicelib.protocol.errors import NotFound, Unavailable
from chalicelib.store.failures import answered, error_code

if TYPE_CHECKING:
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient

MOST_PAGES = 40
"""How often one `read` asks. A page has up to 1 MB, and what Lambda gets at once is 6 MB at most."""
_TRIMMED = frozenset({"TrimmedDataAccessException", "ResourceNotFoundException"})


class DynamoStreamReader:
    """`StreamReader` on the stream of a table."""

    def __init__(self, client: DynamoDBStreamsClient, stream_arn: str) -> None:
        self._client = client
        self._stream_arn = stream_arn

    def read(self, shard_id: str, first: str, last: str) -> Sequence[Mapping[str, Any]]:
        """The records of a shard from sequence number `first` to `last`, both included, as Lambda shows them.

        Raises NotFound if the stream does not have them any more (after 24 hours), Unavailable.
        """
        found: list[Mapping[str, Any]] = []
        for record in self._records(shard_id, first):
            number = int(record["dynamodb"]["SequenceNumber"])
            if number <= int(last):
                found.append(as_lambda_shows_it(record))
            if number >= int(last):
                break
        return found

    def _records(self, shard_id: str, first: str) -> Iterator[Mapping[str, Any]]:
        """All records from `first` on, until the shard ends. Pages may be empty, at any place."""
        with _kept():
            start = self._client.get_shard_iterator(
                StreamArn=self._stream_arn,
                ShardId=shard_id,
                ShardIteratorType="AT_SEQUENCE_NUMBER",
                SequenceNumber=first,
            )
        iterator: str | None = start["ShardIterator"]
        for _ in range(MOST_PAGES):
            if iterator is None:
                return
            with _kept():
                answer = self._client.get_records(ShardIterator=iterator)
            yield from answer["Records"]
            iterator = answer.get("NextShardIterator")
        raise Unavailable


@contextmanager
def _kept() -> Iterator[None]:
    with answered():
        try:
            yield
        except Exception as error:
            if error_code(error) in _TRIMMED:
                raise NotFound from error
            raise


def as_lambda_shows_it(record: Mapping[str, Any]) -> dict[str, Any]:
    """A record as it stands in Lambda's events, which are JSON: bytes in base64, times in seconds."""
    change = dict(record["dynamodb"])
    for part in ("Keys", "OldImage", "NewImage"):
        if part in change:
            change[part] = {name: _value(value) for name, value in change[part].items()}
    created = change.get("ApproximateCreationDateTime")
    if created is not None:
        change["ApproximateCreationDateTime"] = created.timestamp()
    return {**record, "dynamodb": change}


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: base64.b64encode(content).decode() if isinstance(content, bytes) else content
        for kind, content in value.items()
    }
