"""The event source mapping of DynamoDB streams on the laptop: from a table's stream to one function.

Like the mappings in infra/template (bodies, outbox) each hands on only what its filter lets through, in the
form of a Lambda event, and repeats what the function did not take: all of a batch if it raises, and then half
of it; from the first sequence number that it names in `batchItemFailures` otherwise.
"""

from __future__ import annotations

import base64
import logging
import time
import uuid
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from threading import Event, Lock
from typing import Any

from infra.local.pumps import Hire, Pump, Shift

BATCH = 100
MAX_AGE_S = 12 * 3_600.0
_LIST_SHARDS_S = 10.0
_LONGEST_PAUSE_S = 2.0
_SHORTEST_PAUSE_S = 0.1

_log = logging.getLogger("dm3.local")

Record = Mapping[str, Any]
Wanted = Callable[[Record], bool]
GiveUp = Callable[[Mapping[str, Any]], None]


def removed_with_body(record: Record) -> bool:
    """The filter of the function `bodies`: a removed item with a body in S3."""
    return record["eventName"] == "REMOVE" and "S" in record["dynamodb"].get("OldImage", {}).get("body", {})


def inserted(record: Record) -> bool:
    """The filter of the function `outbox`."""
    return bool(record["eventName"] == "INSERT")


@dataclass(slots=True)
class _Shard:
    """How far a shard has been worked; `iterator` is None when it is closed and read to its end."""

    iterator: str | None
    pending: list[dict[str, Any]] = field(default_factory=list)
    failures: int = 0
    at_once: int = BATCH


class StreamPump(Pump):
    """Hands the records of a stream that are `wanted` to its worker, in their order, until it is stopped.

    Records older than `max_age_s` that the worker does not take are handed to `give_up`, as what Lambda
    tells an on-failure destination. What was handed on is remembered when the pump is started again.
    """

    def __init__(
        self,
        name: str,
        streams: Any,  # noqa: ANN401 - botocore makes its clients at run time
        stream_arn: str,
        hire: Hire,
        *,
        wanted: Wanted,
        give_up: GiveUp | None = None,
        max_age_s: float = MAX_AGE_S,
        nudge: Event | None = None,
        idle_s: float = 0.25,
    ) -> None:
        super().__init__(name, hire, nudge=nudge, idle_s=idle_s)
        self._streams = streams
        self._arn = stream_arn
        self._wanted = wanted
        self._give_up = give_up
        self._max_age_s = max_age_s
        self._shards: dict[str, _Shard] = {}
        self._listed_s = float("-inf")
        self._polling = Lock()  # a killed thread may still be about while its successor begins

    def poll(self, shift: Shift | None = None) -> bool:
        """Read every shard once and hand on what came; see `Pump`."""
        shift = shift or self._shift
        with self._polling:
            shift.life.check()
            self._list_shards()
            pauses_s = [self._work(shift, shard_id, shard) for shard_id, shard in self._shards.items()]
        pause_s = max(pauses_s, default=0.0)
        if pause_s:
            shift.ended.wait(pause_s)
        return any(shard.pending for shard in self._shards.values())

    def _list_shards(self) -> None:
        if time.monotonic() - self._listed_s < _LIST_SHARDS_S:
            return
        described = self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]
        for shard in described["Shards"]:
            shard_id = shard["ShardId"]
            if shard_id not in self._shards:
                answer = self._streams.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
                )
                self._shards[shard_id] = _Shard(answer["ShardIterator"])
        self._listed_s = time.monotonic()

    def _work(self, shift: Shift, shard_id: str, shard: _Shard) -> float:
        """Read and hand on once; for how many seconds to leave a function alone that did not take a batch."""
        if not shard.pending and shard.iterator is not None:
            answer = self._streams.get_records(ShardIterator=shard.iterator)
            shard.pending = [
                _as_lambda_sees_it(one, self._arn) for one in answer["Records"] if self._wanted(one)
            ]
            shard.iterator = answer.get("NextShardIterator")
            if shard.iterator is None:
                self._listed_s = float("-inf")  # its successors are to be found
        if not shard.pending:
            return 0.0
        batch = shard.pending[: shard.at_once]
        taken = _hand_on(shift, batch)
        shift.life.check()  # what the dead have taken counts for nothing
        del shard.pending[:taken]
        if taken == len(batch):
            shard.failures, shard.at_once = 0, BATCH
            return 0.0
        shard.failures += 1
        if taken == 0:
            shard.at_once = max(1, len(batch) // 2)
        if self._too_old(shard.pending[0]):
            self._drop(shard_id, shard)
            return 0.0
        return min(_LONGEST_PAUSE_S, _SHORTEST_PAUSE_S * 2.0 ** min(shard.failures, 10))

    def _too_old(self, record: Record) -> bool:
        created_s: float = record["dynamodb"].get("ApproximateCreationDateTime", time.time())
        return time.time() - created_s >= self._max_age_s

    def _drop(self, shard_id: str, shard: _Shard) -> None:
        """Tell of the records that failed, and go on behind them."""
        lost = shard.pending[: shard.at_once]
        if self._give_up is not None:
            self._give_up(_metadata(self._arn, shard_id, lost, shard.failures))
        del shard.pending[: len(lost)]
        shard.failures, shard.at_once = 0, BATCH


def _hand_on(shift: Shift, batch: list[dict[str, Any]]) -> int:
    """How many records of the batch, from its beginning, were taken."""
    try:
        answer = shift.handler({"Records": batch})
    except Exception as error:  # noqa: BLE001 - then the batch has failed as a whole
        _log.warning("worker", extra={"fields": {"type": type(error).__name__}})
        return 0
    failed = {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}
    for number, record in enumerate(batch):
        if record["dynamodb"]["SequenceNumber"] in failed:
            return number
    return len(batch)


def _metadata(arn: str, shard_id: str, records: list[dict[str, Any]], attempts: int) -> dict[str, Any]:
    """What Lambda sends to an on-failure destination: where the records are, and not the records."""
    arrivals = [record["dynamodb"].get("ApproximateCreationDateTime", 0) for record in records]
    return {
        "requestContext": {
            "requestId": str(uuid.uuid4()),
            "functionArn": "arn:aws:lambda:us-east-1:000000000000:function:outbox",
            "condition": "RecordAgeExceeded",
            "approximateInvokeCount": attempts,
        },
        "version": "1.0",
        "timestamp": time.strftime("%Y-%m-%dT%H:%M:%S.000Z", time.gmtime()),
        "DDBStreamBatchInfo": {
            "shardId": shard_id,
            "startSequenceNumber": records[0]["dynamodb"]["SequenceNumber"],
            "endSequenceNumber": records[-1]["dynamodb"]["SequenceNumber"],
            "approximateArrivalOfFirstRecord": min(arrivals),
            "approximateArrivalOfLastRecord": max(arrivals),
            "batchSize": len(records),
            "streamArn": arn,
        },
    }


def _as_lambda_sees_it(record: Record, arn: str) -> dict[str, Any]:
    """The record as JSON: bytes in base64, times as seconds."""
    change = dict(record["dynamodb"])
    for part in ("Keys", "OldImage", "NewImage"):
        if part in change:
            change[part] = {name: _value(value) for name, value in change[part].items()}
    created = change.get("ApproximateCreationDateTime")
    if isinstance(created, datetime):
        change["ApproximateCreationDateTime"] = created.timestamp()
    return {**record, "dynamodb": change, "eventSourceARN": arn}


def _value(value: Mapping[str, Any]) -> dict[str, Any]:
    return {
        kind: base64.b64encode(content).decode() if isinstance(content, bytes) else content
        for kind, content in value.items()
    }
