"""The event source mapping of SQS on the laptop: batches of a queue, and only what failed comes again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from threading import Event
from typing import Any

from infra.local.pumps import Handler, Pump

BATCH = 10


class QueuePump(Pump):
    """Hands the messages of a queue to `handler`, as events of Lambda, in batches of at most `batch`.

    What the handler names in `batchItemFailures`, or all if it raises, is visible again after `retry_s`
    (on AWS after the queue's visibility timeout); what a killed pump had is visible after that timeout.
    `wait_s` is how long one request waits for messages (long polling), 0 where that would hold up others.
    """

    def __init__(
        self,
        name: str,
        sqs: Any,  # noqa: ANN401 - botocore makes its clients at run time
        queue_url: str,
        handler: Handler,
        *,
        batch: int = BATCH,
        threads: int = 1,
        retry_s: int = 1,
        wait_s: int = 0,
        nudge: Event | None = None,
        idle_s: float = 1.0,
    ) -> None:
        super().__init__(name, threads=threads, nudge=nudge, idle_s=idle_s)
        self._sqs = sqs
        self._url = queue_url
        self._handler = handler
        self._batch = batch
        self._retry_s = retry_s
        self._wait_s = wait_s

    def poll(self) -> bool:
        """See `Pump`."""
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
        failed = self._work(messages)
        self._delete([message for message in messages if message["MessageId"] not in failed])
        for message in messages:
            if message["MessageId"] in failed:
                self._sqs.change_message_visibility(
                    QueueUrl=self._url,
                    ReceiptHandle=message["ReceiptHandle"],
                    VisibilityTimeout=self._retry_s,
                )
        return True

    def _work(self, messages: Sequence[Mapping[str, Any]]) -> set[str]:
        """The ids of what failed."""
        try:
            answer = self._handler({"Records": [_as_lambda_sees_it(message) for message in messages]})
        except Exception:  # noqa: BLE001 - the function says so itself; here the batch has failed
            return {message["MessageId"] for message in messages}
        return {failure["itemIdentifier"] for failure in (answer or {}).get("batchItemFailures", ())}

    def _delete(self, done: Sequence[Mapping[str, Any]]) -> None:
        if done:
            entries = [
                {"Id": str(number), "ReceiptHandle": message["ReceiptHandle"]}
                for number, message in enumerate(done)
            ]
            self._sqs.delete_message_batch(QueueUrl=self._url, Entries=entries)


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
