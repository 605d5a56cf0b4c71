from __future__ import annotations

from collections import Counter

import pytest

from chalicelib.notify.absent import NOT_OFFERED, Absent, not_offered
from chalicelib.notify.ports import Poster, Queue, Queues, StreamReader, Topic
from chalicelib.protocol.errors import Unavailable
from tests.unit.notify.carriers import sqs_event


def test_what_is_not_there_is_unavailable() -> None:
    absent = Absent()
    topic: Topic = absent
    queues: Queues = absent
    poster: Poster = absent
    stream: StreamReader = absent
    for use in (
        lambda: topic.publish([]),
        lambda: queues.send(Queue.WEBHOOKS, "text", delay_s=1),
        lambda: poster.post("id", "text"),
        lambda: poster.close("id"),
        lambda: stream.read("shard", "1", "2"),
    ):
        with pytest.raises(Unavailable):
            use()


def test_a_channel_that_is_not_offered_any_more_takes_everything_and_counts_it() -> None:
    counted: Counter[tuple[str, str]] = Counter()

    def count(event: str, /, **dimensions: str) -> None:
        counted[event, dimensions["Queue"]] += 1

    worker = not_offered(Queue.EMAIL, count)
    assert worker(sqs_event("a", "b")) == {"batchItemFailures": []}
    assert counted == {(NOT_OFFERED, "email"): 2}
