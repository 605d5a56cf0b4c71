from __future__ import annotations

import io
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api.logs import JsonFormatter
from chalicelib.metrics import Metrics
from chalicelib.names.counting import Event

NOW_MS = 1_700_000_000_000


class Log:
    def __init__(self) -> None:
        self.stream = io.StringIO()
        self.logger = logging.getLogger("tests.metrics")
        self.handler = logging.StreamHandler(self.stream)
        self.handler.setFormatter(JsonFormatter())
        self.logger.addHandler(self.handler)
        self.logger.setLevel(logging.INFO)
        self.logger.propagate = False

    def lines(self) -> list[dict[str, Any]]:
        return [json.loads(line) for line in self.stream.getvalue().splitlines()]


@pytest.fixture
def log() -> Iterator[Log]:
    log = Log()
    yield log
    log.logger.removeHandler(log.handler)


def test_what_is_counted_is_written_once_in_the_documented_form(log: Log) -> None:
    metrics = Metrics("relay-function", lambda: NOW_MS, log=log.logger)
    for _ in range(3):
        metrics(Event.REQUESTS, Provider="1")
    metrics(Event.SLOW, Provider="1")
    metrics(Event.CHAIN_DOWN)
    metrics.flush()
    metrics.flush()
    assert log.lines() == [
        {
            "level": "INFO",
            "event": "metrics",
            "_aws": {
                "Timestamp": NOW_MS,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "dm3",
                        "Dimensions": [["FunctionName", "Provider"]],
                        "Metrics": [
                            {"Name": "ProviderRequests", "Unit": "Count"},
                            {"Name": "ProviderSlow", "Unit": "Count"},
                        ],
                    }
                ],
            },
            "FunctionName": "relay-function",
            "Provider": "1",
            "ProviderRequests": 3,
            "ProviderSlow": 1,
        },
        {
            "level": "INFO",
            "event": "metrics",
            "_aws": {
                "Timestamp": NOW_MS,
                "CloudWatchMetrics": [
                    {
                        "Namespace": "dm3",
                        "Dimensions": [["FunctionName"]],
                        "Metrics": [{"Name": "ChainUnavailable", "Unit": "Count"}],
                    }
                ],
            },
            "FunctionName": "relay-function",
            "ChainUnavailable": 1,
        },
    ]


def test_a_request_that_counts_nothing_writes_nothing(log: Log) -> None:
    Metrics("relay-function", lambda: NOW_MS, log=log.logger).flush()
    assert log.lines() == []
