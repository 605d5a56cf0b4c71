from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest

from chalicelib.aws.topic import SnsTopic
from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.ports import InboxKey
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import answering, carrier, refusing

ARN = "arn:aws:sns:us-east-1:123456789012:received"


def event(n: int = 0, channels: Iterable[Channel] = ()) -> MessageReceived:
    key = InboxKey(1_700_000_000_000 + n, n.to_bytes(16, "big"))
    return MessageReceived(b"o" * 32, key, SizeClass.SMALL, frozenset(channels))


def _entry(position: int, one: MessageReceived, names: str | None) -> dict[str, Any]:
    entry: dict[str, Any] = {"Id": str(position), "Message": one.to_text()}
    if names is not None:
        entry["MessageAttributes"] = {"channels": {"DataType": "String.Array", "StringValue": names}}
    return entry


def test_the_channels_travel_beside_the_text() -> None:
    sns = carrier("sns")
    events = [event(0, [Channel.WEBHOOK, Channel.EMAIL]), event(1), event(2, [Channel.SOCKET])]
    expected = {
        "TopicArn": ARN,
        "PublishBatchRequestEntries": [
            _entry(0, events[0], '["email", "webhook"]'),
            _entry(1, events[1], None),
            _entry(2, events[2], '["socket"]'),
        ],
    }
    answer = {"Successful": [{"Id": str(n), "MessageId": "m"} for n in range(3)], "Failed": []}
    with answering(sns, "publish_batch", answer, expected):
        assert SnsTopic(sns, ARN).publish(events) == ()


def test_what_the_topic_did_not_take_is_told_by_position() -> None:
    sns = carrier("sns")
    answer = {
        "Successful": [{"Id": "1", "MessageId": "m"}],
        "Failed": [{"Id": "0", "Code": "InternalError", "SenderFault": False}],
    }
    with answering(sns, "publish_batch", answer):
        assert SnsTopic(sns, ARN).publish([event(0), event(1), event(2)]) == (0, 2), "2 is not confirmed"


@pytest.mark.parametrize(
    ("code", "raised"),
    [
        ("NotFound", Unavailable),
        ("Throttled", Unavailable),
        ("AuthorizationError", Unavailable),
        ("KMSDisabled", Unavailable),
        ("InvalidParameter", InternalError),
        ("TooManyEntriesInBatchRequest", InternalError),
        ("BatchRequestTooLong", InternalError),
    ],
)
def test_a_refusal_of_all_is_told(code: str, raised: type[Exception]) -> None:
    sns = carrier("sns")
    with refusing(sns, "publish_batch", code), pytest.raises(raised):
        SnsTopic(sns, ARN).publish([event()])


@pytest.fixture
def topic(moto: None) -> tuple[SnsTopic, Any, AwsFaults]:
    """A topic with one subscription, its queue as a function, and faults."""
    sns, sqs = carrier("sns"), carrier("sqs")
    arn = sns.create_topic(Name="received")["TopicArn"]
    url = sqs.create_queue(QueueName="all")["QueueUrl"]
    queue = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    sns.subscribe(TopicArn=arn, Protocol="sqs", Endpoint=queue, Attributes={"RawMessageDelivery": "true"})
    faults = AwsFaults()
    faults.attach(sns)

    def texts() -> list[str]:
        found = sqs.receive_message(QueueUrl=url, MaxNumberOfMessages=10, WaitTimeSeconds=0)
        return sorted(message["Body"] for message in found.get("Messages", []))

    return SnsTopic(sns, arn), texts, faults


def test_an_operator_s_own_subscription_gets_every_event(topic: tuple[SnsTopic, Any, AwsFaults]) -> None:
    to, texts, _ = topic
    events = [event(n, [Channel.PUSH] if n % 2 else []) for n in range(10)]
    assert to.publish(events) == ()
    assert texts() == sorted(one.to_text() for one in events)


@pytest.mark.parametrize("fault", Fault)
def test_publishing_again_after_a_fault_leaves_nothing_out(
    topic: tuple[SnsTopic, Any, AwsFaults], fault: Fault
) -> None:
    to, texts, faults = topic
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        to.publish([event()])
    assert faults.seen == ["PublishBatch"]
    faults.strike(None)
    assert to.publish([event()]) == ()
    took_effect = fault in {Fault.LOST, Fault.CRASH_AFTER}
    assert texts() == [event().to_text()] * (2 if took_effect else 1)
