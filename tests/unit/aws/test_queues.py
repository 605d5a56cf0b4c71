from __future__ import annotations

from typing import Any

import pytest

from chalicelib.aws.queues import SqsQueues
from chalicelib.notify.ports import Queue
from chalicelib.protocol.errors import InternalError, Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import answering, carrier, refusing

URL = "https://sqs.us-east-1.amazonaws.com/123456789012/push"


@pytest.mark.parametrize("delay_s", [0, 1, 900])
def test_the_delay_asked_for_counts(delay_s: int) -> None:
    sqs = carrier("sqs")
    expected = {"QueueUrl": URL, "MessageBody": "text", "DelaySeconds": delay_s}
    with answering(sqs, "send_message", {"MessageId": "m"}, expected):
        SqsQueues(sqs, {Queue.PUSH: URL}).send(Queue.PUSH, "text", delay_s=delay_s)


def test_without_a_delay_not_even_the_queue_s_own_counts(moto: None) -> None:
    sqs = carrier("sqs")
    url = sqs.create_queue(QueueName="email", Attributes={"DelaySeconds": "30"})["QueueUrl"]
    SqsQueues(sqs, {Queue.EMAIL: url}).send(Queue.EMAIL, "now")
    assert [one["Body"] for one in sqs.receive_message(QueueUrl=url)["Messages"]] == ["now"]


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("AWS.SimpleQueueService.NonExistentQueue", Unavailable),
        ("RequestThrottled", Unavailable),
        ("KmsThrottled", Unavailable),
        ("AccessDenied", Unavailable),
        ("InvalidMessageContents", InternalError),
        ("InvalidParameterValue", InternalError),
    ],
)
def test_a_refusal_is_told(code: str, raised: type[Exception]) -> None:
    sqs = carrier("sqs")
    with refusing(sqs, "send_message", code), pytest.raises(raised):
        SqsQueues(sqs, {Queue.PUSH: URL}).send(Queue.PUSH, "text")


@pytest.fixture
def two(moto: None) -> tuple[SqsQueues, Any, AwsFaults]:
    """Two queues, what stands in each as a function, and faults."""
    sqs = carrier("sqs")
    urls = {queue: sqs.create_queue(QueueName=str(queue))["QueueUrl"] for queue in (Queue.PUSH, Queue.UNTOLD)}
    faults = AwsFaults()
    faults.attach(sqs)

    def texts(queue: Queue) -> list[str]:
        found = sqs.receive_message(QueueUrl=urls[queue], MaxNumberOfMessages=10)
        return [message["Body"] for message in found.get("Messages", [])]

    return SqsQueues(sqs, urls), texts, faults


def test_a_text_goes_to_its_queue(two: tuple[SqsQueues, Any, AwsFaults]) -> None:
    queues, texts, _ = two
    queues.send(Queue.PUSH, "for push")
    queues.send(Queue.UNTOLD, '{"quotes": "and ünïcode"}')
    assert texts(Queue.PUSH) == ["for push"]
    assert texts(Queue.UNTOLD) == ['{"quotes": "and ünïcode"}']


@pytest.mark.parametrize("fault", Fault)
def test_sending_again_after_a_fault_loses_nothing(
    two: tuple[SqsQueues, Any, AwsFaults], fault: Fault
) -> None:
    queues, texts, faults = two
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        queues.send(Queue.PUSH, "text")
    assert faults.seen == ["SendMessage"]
    faults.strike(None)
    queues.send(Queue.PUSH, "text")
    took_effect = fault in {Fault.LOST, Fault.CRASH_AFTER}
    assert texts(Queue.PUSH) == ["text"] * (2 if took_effect else 1)
