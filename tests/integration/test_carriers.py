"""Topic, queues, stream and sockets as the template connects them, at moto and at MiniStack."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws.posting import ApiGatewayPoster
from chalicelib.aws.queues import SqsQueues
from chalicelib.aws.stream import DynamoStreamReader
from chalicelib.aws.topic import SnsTopic
from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.ports import Gone, Queue
from chalicelib.relay.ports import InboxKey
from tests.support.carriers import carrier
from tests.support.ministack import ministack
from tests.support.stores import aws_at, item, new_key

MINISTACK = pytest.param("ministack", marks=[pytest.mark.ministack, pytest.mark.xdist_group("ministack")])
QUEUES = {
    Channel.SOCKET: Queue.SOCKETS,
    Channel.WEBHOOK: Queue.WEBHOOKS,
    Channel.EMAIL: Queue.EMAIL,
    Channel.PUSH: Queue.PUSH,
    Channel.SMS: Queue.SMS,
}
EVENTS: Sequence[Sequence[Channel]] = [
    [],
    [Channel.SOCKET],
    [Channel.WEBHOOK, Channel.EMAIL],
    list(Channel),
    [Channel.PUSH, Channel.SOCKET, Channel.SMS],
]


@pytest.fixture(scope="module")
def ministack_url() -> Iterator[str]:
    with ministack() as url:
        yield url


@pytest.fixture(params=["moto", MINISTACK])
def url(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[str | None]:
    """Where AWS answers; None for moto in this process."""
    if request.param == "ministack":
        at: str = request.getfixturevalue("ministack_url")
        yield at
    else:
        monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "disabled")
        with mock_aws():
            yield None


def _event(n: int, channels: Sequence[Channel]) -> MessageReceived:
    return MessageReceived(
        new_key(), InboxKey(1_700_000_000_000 + n, new_key()[:16]), SizeClass.SMALL, frozenset(channels)
    )


def _queue(sqs: Any, sns: Any, topic: str, name: str, channel: Channel | None) -> str:  # noqa: ANN401
    """The URL of a new queue that subscribes to what is for `channel`, or to everything."""
    url: str = sqs.create_queue(QueueName=name)["QueueUrl"]
    arn = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
    attributes = {"RawMessageDelivery": "true"}
    if channel is not None:
        attributes["FilterPolicy"] = json.dumps({"channels": [str(channel)]})
    sns.subscribe(TopicArn=topic, Protocol="sqs", Endpoint=arn, Attributes=attributes)
    return url


def _take(sqs: Any, url: str, expected: int) -> list[MessageReceived]:  # noqa: ANN401
    """The events in a queue, read as the channel's worker reads them; a little patience for the topic."""
    found: list[MessageReceived] = []
    deadline = time.monotonic() + 5
    while len(found) < expected and time.monotonic() < deadline:
        answer = sqs.receive_message(
            QueueUrl=url, MaxNumberOfMessages=10, MessageAttributeNames=["All"], WaitTimeSeconds=0
        )
        for message in answer.get("Messages", []):
            attributes = {
                name: {"stringValue": value["StringValue"], "dataType": value["DataType"]}
                for name, value in message.get("MessageAttributes", {}).items()
            }
            found.append(
                MessageReceived.of_record({"body": message["Body"], "messageAttributes": attributes})
            )
            sqs.delete_message(QueueUrl=url, ReceiptHandle=message["ReceiptHandle"])
    return sorted(found, key=lambda event: event.key)


def test_each_channel_s_queue_gets_its_events_and_an_operator_s_gets_all(url: str | None) -> None:
    sns, sqs = carrier("sns", url), carrier("sqs", url)
    topic = sns.create_topic(Name=f"received-{new_key().hex()}")["TopicArn"]
    run = new_key().hex()[:8]
    urls = {channel: _queue(sqs, sns, topic, f"{queue}-{run}", channel) for channel, queue in QUEUES.items()}
    everything = _queue(sqs, sns, topic, f"operator-{run}", None)
    events = [_event(n, channels) for n, channels in enumerate(EVENTS)]
    assert SnsTopic(sns, topic).publish(events) == ()
    for channel, queue_url in urls.items():
        wanted = [event for event in events if channel in event.channels]
        assert _take(sqs, queue_url, len(wanted)) == wanted
        assert _take(sqs, queue_url, 0) == []
    assert _take(sqs, everything, len(events)) == events


def test_a_text_waits_in_its_queue(url: str | None) -> None:
    sqs = carrier("sqs", url)
    queue_url = sqs.create_queue(QueueName=f"push-{new_key().hex()[:8]}")["QueueUrl"]
    queues = SqsQueues(sqs, {Queue.PUSH: queue_url})
    queues.send(Queue.PUSH, "later", delay_s=900)
    queues.send(Queue.PUSH, "now")
    answer = sqs.receive_message(QueueUrl=queue_url, MaxNumberOfMessages=10)
    assert [message["Body"] for message in answer["Messages"]] == ["now"]


def test_what_was_inserted_is_read_again_from_the_stream(url: str | None) -> None:
    with aws_at(url) as aws:
        account, streams = new_key(), carrier("dynamodbstreams", url)
        for n in range(5):
            aws.store().inbox.put(account, item(n, b"b" * n))
        aws.store().inbox.delete(account, [item(2).key])
        arn = aws.dynamodb.describe_table(TableName=aws.names.inbox)["Table"]["LatestStreamArn"]
        (shard,) = streams.describe_stream(StreamArn=arn)["StreamDescription"]["Shards"]
        start = streams.get_shard_iterator(
            StreamArn=arn, ShardId=shard["ShardId"], ShardIteratorType="TRIM_HORIZON"
        )["ShardIterator"]
        all_records = streams.get_records(ShardIterator=start)["Records"]
        numbers = [record["dynamodb"]["SequenceNumber"] for record in all_records]
        assert len(numbers) == 6
        records = DynamoStreamReader(streams, arn).read(shard["ShardId"], numbers[1], numbers[5])
    assert [record["dynamodb"]["SequenceNumber"] for record in records] == numbers[1:]
    assert [record["eventName"] for record in records] == ["INSERT"] * 4 + ["REMOVE"]
    inserted = [record["dynamodb"]["NewImage"]["size_bytes"] for record in records[:4]]
    assert inserted == [{"N": str(n)} for n in (1, 2, 3, 4)]
    assert json.loads(json.dumps(records)) == records


@pytest.mark.ministack
@pytest.mark.xdist_group("ministack")
def test_a_socket_that_is_not_there_is_gone(ministack_url: str) -> None:
    """moto knows no sockets that are gone."""
    api = carrier("apigatewayv2", ministack_url).create_api(
        Name="sockets", ProtocolType="WEBSOCKET", RouteSelectionExpression="$request.body.action"
    )["ApiId"]
    stage = f"{ministack_url}/_aws/execute-api/{api}/live"
    poster = ApiGatewayPoster(carrier("apigatewaymanagementapi", stage))
    with pytest.raises(Gone):
        poster.post("L0SM9cOFvHcCIhw=", "text")
    poster.close("L0SM9cOFvHcCIhw=")
