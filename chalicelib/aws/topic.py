"""The topic of received messages: SNS."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

from chalicelib.notify.events import CHANNELS_ATTRIBUTE, MessageReceived
from chalicelib.store.failures import answered

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient


class SnsTopic:
    """`Topic` on SNS.

    The channels are an attribute of the type String.Array, by which the queues' subscriptions filter. SNS
    takes no empty array, so an event that goes to no channel has no attribute: no policy that asks for a
    channel matches it, while an operator's subscription without a policy gets it as any other.
    """

    def __init__(self, client: SNSClient, topic_arn: str) -> None:
        self._client = client
        self._topic_arn = topic_arn

    def publish(self, events: Sequence[MessageReceived]) -> tuple[int, ...]:
        """See `Topic.publish` (one PublishBatch). What the answer does not confirm counts as not taken."""
        entries: list[Any] = [_entry(position, event) for position, event in enumerate(events)]
        with answered():
            answer = self._client.publish_batch(TopicArn=self._topic_arn, PublishBatchRequestEntries=entries)
        taken = {entry["Id"] for entry in answer.get("Successful", [])}
        return tuple(position for position in range(len(events)) if str(position) not in taken)


def _entry(position: int, event: MessageReceived) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": str(position), "Message": event.to_text()}
    if event.channels:
        names = json.dumps(sorted(map(str, event.channels)))
        entry["MessageAttributes"] = {CHANNELS_ATTRIBUTE: {"DataType": "String.Array", "StringValue": names}}
    return entry
