"""What the outbox could not tell, told again.

The queue UNTOLD holds two kinds of text: what the outbox set aside itself (`outbox.set_aside_text`), and
what Lambda sends when it gives up on a stretch of the stream ("Retain discarded batches for a DynamoDB stream
event source in Lambda"): where that stretch lies, not what is in it. What fails here comes again by itself
and ends in the queue's dead-letter queue, from which the operator can move it back.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.notify.batches import work
from chalicelib.notify.outbox import Outbox
from chalicelib.notify.ports import Queue, Queues, StreamReader
from chalicelib.protocol.errors import NotFound, Unavailable

_STRETCH = "DDBStreamBatchInfo"

LOST = "StreamRecordsLost"
"""Metric: records had left the stream before they could be told. Their messages are in the inboxes."""


class Untold:
    """The function behind the queue UNTOLD."""

    def __init__(self, *, outbox: Outbox, stream: StreamReader, queues: Queues, count: Counting) -> None:
        self._outbox = outbox
        self._stream = stream
        self._queues = queues
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work a Lambda event from SQS; the answer names the records that are to come again."""
        return work(event, self._one, self._count, Queue.UNTOLD)

    def _one(self, record: Mapping[str, Any]) -> None:
        text = json.loads(record["body"])
        stretch = text.get(_STRETCH)
        if stretch is None:
            self._outbox.tell(text)
        else:
            self._tell_stretch(stretch)

    def _tell_stretch(self, stretch: Mapping[str, Any]) -> None:
        """Tell what Lambda gave up on; what is left of it becomes a text of its own, so that it shrinks.

        Raises Unavailable if none of it could be told.
        """
        first, last = stretch["startSequenceNumber"], stretch["endSequenceNumber"]
        try:
            records = self._stream.read(stretch["shardId"], first, last)
        except NotFound:
            self._count(LOST)
            raise
        failed = self._outbox.handle({"Records": records})["batchItemFailures"]
        if not failed:
            return
        number = failed[0]["itemIdentifier"]
        if number in ("", records[0]["dynamodb"]["SequenceNumber"]):
            raise Unavailable
        left = {_STRETCH: {**stretch, "startSequenceNumber": number}}
        self._queues.send(Queue.UNTOLD, json.dumps(left))
