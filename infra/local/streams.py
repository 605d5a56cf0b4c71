"""The event source mapping of the laptop: from the inbox table's stream to the function that deletes bodies.

Like the mapping in infra/template/relay.yaml it hands on only what was removed and had a body in S3, in the
form of a Lambda event, and repeats what the function did not take.
"""

from __future__ import annotations

import base64
import logging
from collections.abc import Callable, Mapping
from threading import Event, Thread
from typing import Any, Self

PAUSE_S = 0.25

_log = logging.getLogger("dm3.local")


class StreamPump:
    """Polls a stream in a thread of its own and calls `handler` with events, until `stop`."""

    def __init__(
        self,
        streams: Any,  # noqa: ANN401 - botocore makes its clients at run time
        stream_arn: str,
        handler: Callable[[dict[str, Any]], None],
    ) -> None:
        self._streams = streams
        self._arn = stream_arn
        self._handler = handler
        self._iterators: dict[str, str | None] = {}
        self._ended = Event()
        self._thread = Thread(target=self._run, name="stream-pump", daemon=True)

    def start(self) -> Self:
        """Begin polling."""
        self._thread.start()
        return self

    def stop(self) -> None:
        """End the thread, after what it is doing."""
        self._ended.set()
        self._thread.join()

    def _run(self) -> None:
        while not self._ended.wait(PAUSE_S):
            try:
                self.poll()
            except Exception as error:  # noqa: BLE001 - a pump that dies would leave bodies behind unnoticed
                _log.warning("stream", extra={"fields": {"type": type(error).__name__}})

    def poll(self) -> None:
        """Read every shard once. What the handler does not take (it raises) is read again."""
        for shard in self._streams.describe_stream(StreamArn=self._arn)["StreamDescription"]["Shards"]:
            shard_id = shard["ShardId"]
            if shard_id not in self._iterators:
                self._iterators[shard_id] = self._streams.get_shard_iterator(
                    StreamArn=self._arn, ShardId=shard_id, ShardIteratorType="TRIM_HORIZON"
                )["ShardIterator"]
            self._read(shard_id)

    def _read(self, shard_id: str) -> None:
        iterator = self._iterators[shard_id]
        if iterator is None:  # the shard is closed and read to its end
            return
        answer = self._streams.get_records(ShardIterator=iterator)
        records = [_as_lambda_sees_it(record) for record in answer["Records"] if _had_body(record)]
        if records:
            self._handler({"Records": records})
        self._iterators[shard_id] = answer.get("NextShardIterator")


def _had_body(record: Mapping[str, Any]) -> bool:
    """The FilterCriteria of the template: a removed item with a body in S3."""
    return record["eventName"] == "REMOVE" and "S" in record["dynamodb"].get("OldImage", {}).get("body", {})


def _as_lambda_sees_it(record: Mapping[str, Any]) -> dict[str, Any]:
    """The record as JSON: bytes in base64, times as seconds."""
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
