"""The queues: SQS."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from chalicelib.notify.ports import Queue
from chalicelib.store.failures import answered

if TYPE_CHECKING:
    from mypy_boto3_sqs import SQSClient


class SqsQueues:
    """`Queues` on SQS; `urls` has the URL of each."""

    def __init__(self, client: SQSClient, urls: Mapping[Queue, str]) -> None:
        self._client = client
        self._urls = urls

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        """See `Queues.send` (one SendMessage). The delay asked for counts, not the queue's own."""
        with answered():
            self._client.send_message(QueueUrl=self._urls[queue], MessageBody=text, DelaySeconds=delay_s)
