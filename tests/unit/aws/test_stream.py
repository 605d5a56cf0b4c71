from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from botocore.stub import Stubber

from chalicelib.aws.stream import MOST_PAGES, DynamoStreamReader, as_lambda_shows_it
from chalicelib.protocol.errors import InternalError, NotFound, Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import carrier, refusing
from tests.support.stores import Aws, item, moto_backend, new_key

ARN = "arn:aws:dynamodb:us-east-1:123456789012:table/inbox/stream/2026-01-01T00:00:00.000"
SHARD = "shardId-00000001700000000000-abcdef01"
FIRST = 40_000_000_000_000_000_000_000  # sequence numbers are decimal and longer than any machine word


def _record(n: int, kind: str = "INSERT") -> dict[str, Any]:
    return {
        "eventID": f"e{n}",
        "eventName": kind,
        "dynamodb": {
            "ApproximateCreationDateTime": datetime(2026, 1, 1, tzinfo=UTC),
            "Keys": {"pk": {"B": b"account"}, "sk": {"B": bytes([n])}},
            "NewImage": {"pk": {"B": b"account"}, "size_bytes": {"N": "7"}, "body": {"S": "name"}},
            "SequenceNumber": str(FIRST + n),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def _answers(stubber: Stubber, *pages: list[int], ends: bool = False) -> None:
    """One iterator, then a page for each list of records; `ends` closes the shard after the last one."""
    stubber.add_response(
        "get_shard_iterator",
        {"ShardIterator": "at-0"},
        {
            "StreamArn": ARN,
            "ShardId": SHARD,
            "ShardIteratorType": "AT_SEQUENCE_NUMBER",
            "SequenceNumber": str(FIRST + 1),
        },
    )
    for number, page in enumerate(pages):
        answer: dict[str, Any] = {"Records": [_record(n) for n in page]}
        if not (ends and number == len(pages) - 1):
            answer["NextShardIterator"] = f"at-{number + 1}"
        stubber.add_response("get_records", answer, {"ShardIterator": f"at-{number}"})


@pytest.mark.parametrize(
    ("pages", "ends"),
    [
        ([[1, 2, 3]], False),
        ([[1, 2, 3, 4, 5]], False),
        ([[1], [2], [3]], False),
        ([[], [1, 2], [], [], [3, 4]], False),
        ([[1, 2], [3]], True),
        ([[1], [2, 3], []][:2], True),
    ],
)
def test_the_records_between_two_numbers_are_read(pages: list[list[int]], ends: bool) -> None:
    streams = carrier("dynamodbstreams")
    with Stubber(streams) as stubber:
        _answers(stubber, *pages, ends=ends)
        records = DynamoStreamReader(streams, ARN).read(SHARD, str(FIRST + 1), str(FIRST + 3))
        stubber.assert_no_pending_responses()
    assert [record["dynamodb"]["SequenceNumber"] for record in records] == [str(FIRST + n) for n in (1, 2, 3)]


def test_reading_ends_behind_the_last_number_though_no_record_has_it() -> None:
    streams = carrier("dynamodbstreams")
    with Stubber(streams) as stubber:
        _answers(stubber, [1, 2, 9])
        assert len(DynamoStreamReader(streams, ARN).read(SHARD, str(FIRST + 1), str(FIRST + 3))) == 2


def test_a_shard_that_ends_early_gives_what_it_has() -> None:
    streams = carrier("dynamodbstreams")
    with Stubber(streams) as stubber:
        _answers(stubber, [1], [], ends=True)
        assert len(DynamoStreamReader(streams, ARN).read(SHARD, str(FIRST + 1), str(FIRST + 3))) == 1


def test_a_stream_that_never_comes_to_the_point_is_unavailable() -> None:
    streams = carrier("dynamodbstreams")
    with Stubber(streams) as stubber:
        _answers(stubber, *[[] for _ in range(MOST_PAGES)])
        with pytest.raises(Unavailable):
            DynamoStreamReader(streams, ARN).read(SHARD, str(FIRST + 1), str(FIRST + 3))
        stubber.assert_no_pending_responses()


ANSWERS = [
    ("TrimmedDataAccessException", NotFound),
    ("ResourceNotFoundException", NotFound),
    ("ExpiredIteratorException", Unavailable),
    ("LimitExceededException", Unavailable),
    ("InternalServerError", Unavailable),
    ("ValidationException", InternalError),
]


@pytest.mark.parametrize(("code", "raised"), ANSWERS)
def test_a_refusal_is_told_wherever_it_comes(code: str, raised: type[Exception]) -> None:
    streams = carrier("dynamodbstreams")
    reader = DynamoStreamReader(streams, ARN)
    with refusing(streams, "get_shard_iterator", code), pytest.raises(raised):
        reader.read(SHARD, str(FIRST + 1), str(FIRST + 3))
    with Stubber(streams) as stubber:
        _answers(stubber, [1])
        stubber.add_client_error("get_records", code, expected_params={"ShardIterator": "at-1"})
        with pytest.raises(raised):
            reader.read(SHARD, str(FIRST + 1), str(FIRST + 3))
        stubber.assert_no_pending_responses()


def test_a_record_looks_as_in_lambda_s_events() -> None:
    shown = as_lambda_shows_it(_record(3))
    assert json.loads(json.dumps(shown)) == shown
    assert shown["dynamodb"]["Keys"] == {"pk": {"B": "YWNjb3VudA=="}, "sk": {"B": "Aw=="}}
    assert shown["dynamodb"]["NewImage"]["size_bytes"] == {"N": "7"}
    assert shown["dynamodb"]["NewImage"]["body"] == {"S": "name"}
    assert shown["dynamodb"]["ApproximateCreationDateTime"] == 1_767_225_600.0
    assert (shown["eventID"], shown["eventName"]) == ("e3", "INSERT")


@pytest.fixture
def inbox(monkeypatch: pytest.MonkeyPatch) -> Iterator[Aws]:
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
    with moto_backend() as backend:
        assert backend.aws is not None
        yield backend.aws


@pytest.mark.parametrize("fault", [None, *Fault])
def test_what_was_inserted_is_read_again(inbox: Aws, fault: Fault | None) -> None:
    account, streams = new_key(), carrier("dynamodbstreams")
    for n in range(5):
        inbox.store().inbox.put(account, item(n, b"b" * n))
    arn = inbox.dynamodb.describe_table(TableName=inbox.names.inbox)["Table"]["LatestStreamArn"]
    (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
    start = streams.get_shard_iterator(
        StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
    )["ShardIterator"]
    numbers = [
        record["dynamodb"]["SequenceNumber"] for record in streams.get_records(ShardIterator=start)["Records"]
    ]
    faults, reader = AwsFaults(), DynamoStreamReader(streams, arn)
    faults.attach(streams)
    for nth in (1, 2) if fault is not None else ():
        faults.strike(nth, fault)
        with pytest.raises(Crash if fault in CRASHES else Unavailable):
            reader.read(shard["ShardId"], numbers[1], numbers[3])
    faults.strike(None)
    records = reader.read(shard["ShardId"], numbers[1], numbers[3])
    assert faults.seen == ["GetShardIterator", "GetRecords"]
    assert [record["dynamodb"]["NewImage"]["size_bytes"]["N"] for record in records] == ["1", "2", "3"]
    assert {record["eventName"] for record in records} == {"INSERT"}
