from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.notify.batches import FAILED
from chalicelib.notify.outbox import set_aside_text
from chalicelib.notify.untold import LOST, Untold
from chalicelib.protocol.errors import NotFound, Unavailable
from chalicelib.store.memory_guard import Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.faults import Nth
from tests.unit.notify.outbox_world import OutboxWorld, Record, inserted, message, owner

SHARD = "shardId-00000001"


@dataclass
class MemoryStream:
    """Implements `StreamReader`: one shard. `failure` is raised until it is None again."""

    records: list[Record] = field(default_factory=list)
    failure: Exception | None = None

    def read(self, shard_id: str, first: str, last: str) -> Sequence[Mapping[str, Any]]:
        assert shard_id == SHARD
        if self.failure is not None:
            raise self.failure
        return [
            record
            for record in self.records
            if int(first) <= int(record["dynamodb"]["SequenceNumber"]) <= int(last)
        ]


def given_up(first: int, last: int) -> str:
    """What Lambda sends to the on-failure queue of a stream."""
    return json.dumps(
        {
            "requestContext": {"condition": "RetryAttemptsExhausted", "approximateInvokeCount": 3},
            "responseContext": {"statusCode": 200, "functionError": "Unhandled"},
            "version": "1.0",
            "DDBStreamBatchInfo": {
                "shardId": SHARD,
                "startSequenceNumber": str(first),
                "endSequenceNumber": str(last),
                "batchSize": last - first + 1,
                "streamArn": "arn:aws:dynamodb:eu-west-1:000000000000:table/inbox/stream/1",
            },
        }
    )


class UntoldWorld(OutboxWorld):
    """The outbox's world with the function that works what was set aside."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.stream = MemoryStream([inserted(number) for number in range(10)])
        self.worker = Untold(outbox=self.outbox, stream=self.stream, queues=self.queues, count=self.count)

    def retell(self, *texts: str) -> list[str]:
        answer = self.worker.handle(sqs_event(*texts))
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]


def test_what_the_outbox_set_aside_is_told_when_it_can_be() -> None:
    world = UntoldWorld()
    world.topic.refuse = lambda _event: True
    world.handle(inserted(1))
    (text,) = world.untold()
    assert world.retell(text) == ["m0"]
    world.topic.refuse = lambda _event: False
    assert world.retell(text) == []
    assert [event.key for event in world.topic.published] == [message(1)]
    assert world.untold() == []  # it comes again by itself, and is not set aside twice


def test_what_fails_again_is_named_and_holds_nobody_up() -> None:
    world = UntoldWorld()
    world.spoil(owner(7))
    broken, whole = set_aside_text({"eventName": "INSERT"}), set_aside_text(inserted(2))
    assert world.retell(broken, set_aside_text(inserted(1, owner(7))), "no JSON", "[]", "{}", whole) == [
        "m0",
        "m1",
        "m2",
        "m3",
        "m4",
    ]
    assert [event.key for event in world.topic.published] == [message(2)]
    assert world.counts[FAILED] == 5


def test_what_lambda_gave_up_on_is_read_from_the_stream_again() -> None:
    world = UntoldWorld()
    assert world.retell(given_up(1_003, 1_006)) == []
    assert [event.key for event in world.topic.published] == [message(number) for number in range(3, 7)]


def test_poison_in_a_stretch_is_set_aside_by_itself() -> None:
    world = UntoldWorld()
    world.spoil(owner(7))
    world.stream.records[4] = inserted(4, owner(7))
    assert world.retell(given_up(1_003, 1_005)) == []
    assert [event.key for event in world.topic.published] == [message(3), message(5)]
    assert world.untold() == [set_aside_text(inserted(4, owner(7)))]


def test_a_stretch_that_is_empty_by_now_is_done() -> None:
    world = UntoldWorld()
    assert world.retell(given_up(2_000, 2_001)) == []


@pytest.mark.parametrize("failure", [Unavailable(), NotFound()])
def test_a_stretch_that_cannot_be_read_comes_again(failure: Exception) -> None:
    world = UntoldWorld()
    world.stream.failure = failure
    assert world.retell(given_up(1_003, 1_006), set_aside_text(inserted(1))) == ["m0"]
    assert world.counts[LOST] == isinstance(failure, NotFound)
    world.stream.failure = None
    assert world.retell(given_up(1_003, 1_006)) == []
    assert len(world.topic.published) == 5


def test_what_is_left_of_a_stretch_is_a_smaller_one() -> None:
    world = UntoldWorld()
    world.stream.records = [inserted(number, owner(number)) for number in range(10)]

    def sixth_account_cannot_be_read(operation: str, moment: Moment) -> None:
        reads.append(operation)
        if (operation, moment, reads.count(operation)) == ("preferences.get", Moment.BEFORE, 2 * 3 + 1):
            raise Unavailable

    reads: list[str] = []
    world.strike(sixth_account_cannot_be_read)
    assert world.retell(given_up(1_003, 1_009)) == []
    assert [event.key for event in world.topic.published] == [message(number) for number in range(3, 6)]
    (left,) = world.untold()
    assert json.loads(left)["DDBStreamBatchInfo"]["startSequenceNumber"] == "1006"
    world.strike(None)
    assert world.retell(left) == []
    assert [event.key for event in world.topic.published] == [message(number) for number in range(3, 10)]


def test_what_is_left_of_a_stretch_is_not_dropped() -> None:
    world = UntoldWorld()
    world.stream.records = [inserted(number, owner(number)) for number in range(10)]
    world.strike(Nth(8))  # asked twice for sockets and twice for preferences of each account
    world.queues.failure = Unavailable()
    assert world.retell(given_up(1_000, 1_009)) == ["m0"]
    assert len(world.topic.published) == 2


def test_a_stretch_that_cannot_be_told_comes_again() -> None:
    world = UntoldWorld()
    world.topic.failure = Unavailable()
    assert world.retell(given_up(1_003, 1_006)) == ["m0"]
    world.topic.failure = None
    assert world.retell(given_up(1_003, 1_006)) == []
    assert len(world.told) == 4
