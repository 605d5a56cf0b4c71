"""The topic and the queues on the laptop, as infra/template/queues.yaml makes them on AWS.

Each queue has a dead-letter queue, and those of channels get from the topic, raw, what names their channel.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final

from chalicelib.notify.events import CHANNELS_ATTRIBUTE, Channel
from chalicelib.notify.ports import Queue

MAX_RECEIVES: Final = 5
WAKING_DELAY_S: Final = 30
"""How long mail, web push and SMS wait, in case that an open socket shows the message."""
VISIBILITY_S: Final = 60
"""After how long a message that was received and not deleted comes again."""

QUEUE_OF: Final[Mapping[Channel, Queue]] = {
    Channel.SOCKET: Queue.SOCKETS,
    Channel.WEBHOOK: Queue.WEBHOOKS,
    Channel.EMAIL: Queue.EMAIL,
    Channel.PUSH: Queue.PUSH,
    Channel.SMS: Queue.SMS,
}
_WAKING_QUEUES: Final = (Queue.EMAIL, Queue.PUSH, Queue.SMS)


@dataclass(frozen=True, slots=True)
class QueueTimes:
    """What tests and impatient developers may shorten, in seconds."""

    visibility_s: int = VISIBILITY_S
    waking_delay_s: int = WAKING_DELAY_S


@dataclass(frozen=True, slots=True)
class Messaging:
    """The topic's ARN, and the URLs of the queues and of their dead-letter queues."""

    topic_arn: str
    queues: Mapping[Queue, str]
    dead: Mapping[Queue, str]


def create_messaging(clients: Callable[[str], Any], prefix: str, times: QueueTimes) -> Messaging:
    """Make topic, queues and subscriptions. Raises botocore's own errors."""
    sns, sqs = clients("sns"), clients("sqs")
    topic_arn = sns.create_topic(Name=f"{prefix}received")["TopicArn"]
    dead = {queue: _create_queue(sqs, f"{prefix}{queue}-dead", {}) for queue in Queue}
    queues = {}
    for queue in Queue:
        redrive = {"deadLetterTargetArn": _arn(sqs, dead[queue]), "maxReceiveCount": MAX_RECEIVES}
        attributes = {"VisibilityTimeout": str(times.visibility_s), "RedrivePolicy": json.dumps(redrive)}
        if queue in _WAKING_QUEUES:
            attributes["DelaySeconds"] = str(times.waking_delay_s)
        queues[queue] = _create_queue(sqs, f"{prefix}{queue}", attributes)
    for channel, queue in QUEUE_OF.items():
        sns.subscribe(
            TopicArn=topic_arn,
            Protocol="sqs",
            Endpoint=_arn(sqs, queues[queue]),
            Attributes={
                "RawMessageDelivery": "true",
                "FilterPolicy": json.dumps({CHANNELS_ATTRIBUTE: [str(channel)]}),
            },
        )
    return Messaging(topic_arn, queues, dead)


def remove_messaging(clients: Callable[[str], Any], messaging: Messaging) -> None:
    """Delete topic and queues; what is gone already is no error."""
    from botocore.exceptions import BotoCoreError, ClientError

    sns, sqs = clients("sns"), clients("sqs")
    with suppress(BotoCoreError, ClientError):
        sns.delete_topic(TopicArn=messaging.topic_arn)
    for url in (*messaging.queues.values(), *messaging.dead.values()):
        with suppress(BotoCoreError, ClientError):
            sqs.delete_queue(QueueUrl=url)


def _create_queue(sqs: Any, name: str, attributes: Mapping[str, str]) -> str:  # noqa: ANN401 - botocore's
    url: str = sqs.create_queue(QueueName=name, Attributes=dict(attributes))["QueueUrl"]
    return url


def _arn(sqs: Any, url: str) -> str:  # noqa: ANN401 - botocore's
    answer = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])
    arn: str = answer["Attributes"]["QueueArn"]
    return arn
