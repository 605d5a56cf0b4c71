from __future__ import annotations

import logging
from collections import Counter

import pytest

from chalicelib.names.counting import uncounted
from chalicelib.notify.minute import FAILED, Minute
from chalicelib.protocol.errors import InternalError, Unavailable


def test_every_task_has_its_turn() -> None:
    done: list[str] = []
    minute = Minute(
        {"first": lambda: done.append("first"), "second": lambda: done.append("second")}, uncounted
    )
    minute.handle({"detail-type": "Scheduled Event"})
    minute.handle({})
    assert done == ["first", "second"] * 2


def test_one_that_fails_keeps_no_other_from_its_turn_and_is_seen(caplog: pytest.LogCaptureFixture) -> None:
    done, counts = [], Counter[tuple[str, str]]()

    def unavailable() -> None:
        raise Unavailable

    def defect() -> None:
        raise KeyError("bob.eth")

    def count(event: str, /, **dimensions: str) -> None:
        counts[event, dimensions["Task"]] += 1

    tasks = {"first": unavailable, "second": defect, "third": lambda: done.append("third")}
    with caplog.at_level(logging.INFO), pytest.raises(InternalError) as failure:
        Minute(tasks, count).handle({})
    assert done == ["third"]
    assert counts == {(FAILED, "first"): 1, (FAILED, "second"): 1}
    assert failure.value.__cause__ is None
    assert failure.value.__context__ is None
    assert "bob" not in caplog.text + str([vars(record) for record in caplog.records])
