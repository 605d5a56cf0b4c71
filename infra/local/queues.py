"""The event source mapping of SQS on the laptop: batches of a queue, and only what failed comes again."""

from __future__ import annotations

import logging
from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

from infra.local.pumps import Hire, Pump, Shift

BATCH = 10

_log = logging.getLogger("dm3.local")


class QueuePump(Pump):
    """Hands the messages of a queue to its worker, as events of Lambda, in batches of at most `batch`.

    What the worker names in `batchItemFailures`, or all if it raises, is visible again after `retry_s`
    (on AWS after the queue's visibility timeout); what a killed pump had is visible after that timeout.
    `wait_s` is how long one request waits for messages (long polling), 0 where that would hold up others.
    """

    def __init__(
        self,
        name: str,
        sqs: Any,  # noqa: ANN401 - botocore makes its clients at run time
        queue_url: str,
        hire: Hire,
        *,
        batch: int = BATCH,
        threads: int = 1,
        retry_s: int = 1,
        wait_s: int = 0,
        nudge: Event | None = None,
        idle_s: float = 1.0,
    ) -> None:
        super().__init__(name, hire, threads=threads, nudge=nudge, idle_s=idle_s)
        self._sqs = sqs
        self._url = queue_url
        self._batch = batch
        self._retry_s = retry_s
        self._wait_s = wait_s

    def poll(self, shift: Shift | None = None) -> bool:
        """See `Pump`."""
        shift = shift or self._shift
        answer = self._sqs.receive_message(
            QueueUrl=self._url,
            MaxNumberOfMessages=self._batch,
            WaitTimeSeconds=self._wait_s,
            AttributeNames=["All"],
            MessageAttributeNames=["All"],
        )
        messages = answer.get("Messages", [])
        if not messages:
            return False
        if len(messages) == self._batch:
            self._nudge.set()  # there may be more, for another thread
        failed = _failed(shift, messages)
        shift.life.check()  # the dead do not tell that they have done their work
        self._delete([message for message in messages if message["MessageId"] not in failed])
        for message in messages:
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=self._retry_s,
                )
        return True

    def _delete(self, done: Sequence[Mapping[str, Any]]) -> None:
        if done:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(done)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


def _failed(shift: Shift, messages: Sequence[Mapping[str, Any]]) -> set[str]:
    """The ids of what the worker did not take."""
    try:
        answer = shift.handler({"Records": [_as_lambda_sees_it(message) for message in messages]})
    except Exception as error:  # noqa: BLE001 - then the batch has failed as a whole
        _log.warning("worker", extra={"fields": {"type": type(error).__name__}})
        return {message["MessageId"] for message in messages}
    return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}


def _as_lambda_sees_it(message: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "messageId": message["MessageId"],
        "receiptHandle": message["ReceiptHandle"],
        "body": message["Body"],
        "attributes": dict(message.get("Attributes", {})),
        "messageAttributes": {
            name: {
                "stringValue": value.get("StringValue"),
                "dataType": value["DataType"],
                "stringListValues": [],
                "binaryListValues": [],
            }
            for name, value in message.get("MessageAttributes", {}).items()
        },
        "md5OfBody": message.get("MD5OfBody", ""),
        "eventSource": "aws:sqs",
    }
