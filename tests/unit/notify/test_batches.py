from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Mapping
from typing import Any

import pytest

from chalicelib.names.counting import uncounted
from chalicelib.notify.batches import FAILED, work
from chalicelib.protocol.errors import Unavailable
from tests.unit.notify.carriers import sqs_event


def test_what_fails_is_named_and_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    worked, counts = [], Counter[tuple[str, str]]()

    def one(record: Mapping[str, Any]) -> None:
        if record["body"] == "down":
            raise Unavailable
        if record["body"] == "poison":
            raise KeyError("bob.eth")
        worked.append(record["body"])

    def count(event: str, /, **dimensions: str) -> None:
        counts[event, dimensions["Queue"]] += 1

    with caplog.at_level(logging.INFO):
        answer = work(sqs_event("a", "down", "b", "poison", "c"), one, count, "email")
    assert answer == {"batchItemFailures": [{"itemIdentifier": "m1"}, {"itemIdentifier": "m3"}]}
    assert worked == ["a", "b", "c"]
    assert counts == {(FAILED, "email"): 2}
    # A defect is told by its type; its text may repeat what nobody should read.
    assert [vars(record)["fields"] for record in caplog.records] == [{"queue": "email", "type": "KeyError"}]


def test_a_process_that_dies_answers_nothing() -> None:
    def one(_record: Mapping[str, Any]) -> None:
        raise SystemExit

    with pytest.raises(SystemExit):
        work(sqs_event("a"), one, uncounted, "email")
