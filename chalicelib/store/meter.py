"""Counting what storage costs: requests by name, and the capacity DynamoDB says they consumed.

For benches, tests and an operator who wants to know; nothing is counted unless a meter is attached.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from threading import Lock
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel

_READS = frozenset({"GetItem", "BatchGetItem", "Query", "Scan"})


class Meter:
    """Counts the requests of every botocore client it is attached to.

    `calls` counts by operation ("PutItem"), one for each request that was answered, refused ones and failed
    ones included; repetitions inside botocore count once. `read_units` and `write_units` are what DynamoDB
    reported, which it does not do for a write whose condition failed.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self.reset()

    def reset(self) -> None:
        """Start from zero."""
        with self._lock:
            self.calls: Counter[str] = Counter()
            self.read_units = 0.0
            self.write_units = 0.0

    def attach(self, client: BaseClient, *, capacity: bool = False) -> None:
        """Count what `client` does from now on; `capacity` asks DynamoDB to report units as well."""
        client.meta.events.register("before-call", self._count)
        if capacity:
            client.meta.events.register("before-parameter-build.dynamodb", self._ask)
            client.meta.events.register("after-call.dynamodb", self._weigh)

    def _count(self, model: OperationModel, **_: object) -> None:
        with self._lock:
            self.calls[model.name] += 1

    def _ask(self, params: dict[str, Any], model: OperationModel, **_: object) -> None:
        shape = model.input_shape
        if shape is not None and "ReturnConsumedCapacity" in shape.members:
            params["ReturnConsumedCapacity"] = "TOTAL"

    def _weigh(self, parsed: dict[str, Any], model: OperationModel, **_: object) -> None:
        units = sum(_units(parsed.get("ConsumedCapacity")))
        with self._lock:
            if model.name in _READS:
                self.read_units += units
            else:
                self.write_units += units


def _units(reported: object) -> Iterator[float]:
    # A batch reports a list, one entry for each table.
    for one in reported if isinstance(reported, list) else [reported]:
        yield one["CapacityUnits"] if isinstance(one, dict) else 0.0
