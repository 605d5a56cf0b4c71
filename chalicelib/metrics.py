"""Metrics in CloudWatch's embedded metric format: counts of one request, written as lines of the log.

CloudWatch reads metrics out of log lines of a documented form ("Specification: CloudWatch embedded metric
format"), so that counting takes no request to AWS. The form is a few members of JSON, and the libraries that
write it cost the function more at its start than they save here (docs/adr/0014).

Nothing in a metric names a person, an address or a URL: see `names.counting.Event`.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Callable
from threading import Lock

from chalicelib.api.logs import METRICS

NAMESPACE = "dm3"
RELAY = "FunctionName"
"""The dimension of every metric: the function's name tells the relays of one account apart."""

Counted = tuple[tuple[tuple[str, str], ...], str]


class Metrics:
    """Counts events until they are written. Implements `names.counting.Counting`; thread-safe.

    `relay` is the value of the dimension `RELAY`, `clock_ms` tells milliseconds since the Unix epoch.
    """

    def __init__(self, relay: str, clock_ms: Callable[[], int], *, log: logging.Logger = METRICS) -> None:
        self._relay = relay
        self._clock_ms = clock_ms
        self._log = log
        self._lock = Lock()
        self._counts: Counter[Counted] = Counter()

    def __call__(self, event: str, /, **dimensions: str) -> None:
        """`event` has happened once."""
        with self._lock:
            self._counts[tuple(sorted(dimensions.items())), str(event)] += 1

    def flush(self) -> None:
        """Write what has been counted since the last time: a line for each set of dimensions."""
        with self._lock:
            counts, self._counts = self._counts, Counter()
        lines: dict[tuple[tuple[str, str], ...], dict[str, int]] = {}
        for (dimensions, event), count in counts.items():
            lines.setdefault(dimensions, {})[event] = count
        for dimensions, values in lines.items():
            self._log.info("metrics", extra={"fields": self._line(dict(dimensions), values)})

    def _line(self, dimensions: dict[str, str], values: dict[str, int]) -> dict[str, object]:
        described = {
            "Namespace": NAMESPACE,
            "Dimensions": [[RELAY, *dimensions]],
            "Metrics": [{"Name": name, "Unit": "Count"} for name in values],
        }
        return {
            "_aws": {"Timestamp": self._clock_ms(), "CloudWatchMetrics": [described]},
            RELAY: self._relay,
            **dimensions,
            **values,
        }
