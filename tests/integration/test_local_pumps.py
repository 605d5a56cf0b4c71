"""The laptop's event sources: streams, topic, queues and the clock, and workers that die and come back."""

from __future__ import annotations

import io
import json
import time
from collections.abc import Callable, Iterator, Mapping
from threading import Barrier, Event
from typing import Any, TypeVar

import pytest

from chalicelib.notify.events import CHANNELS_ATTRIBUTE, Channel
from chalicelib.notify.ports import Queue
from infra.local.aws import LocalAws, local_aws
from infra.local.clients import Killed, Life, Mortal, Watched, mortal
from infra.local.mails import Mails
from infra.local.messaging import MAX_RECEIVES, QueueTimes
from infra.local.nudges import channel_key, queue_key, table_key
from infra.local.pumps import ClockPump, Handler, Hire, immortal
from infra.local.queues import QueuePump
from infra.local.streams import StreamPump, inserted
from tests.support.ministack import ministack

WITHIN_S = 20.0
PROMPT_S = 1.0
T = TypeVar("T")


@pytest.fixture(scope="module")
def aws() -> Iterator[LocalAws]:
    with local_aws(times=QueueTimes(visibility_s=2, waking_delay_s=2)) as aws:
        yield aws


def wait_for(look: Callable[[], T | None], within_s: float = WITHIN_S) -> T:
    deadline = time.monotonic() + within_s
    while not (found := look()):
        assert time.monotonic() < deadline
        time.sleep(0.005)
    return found


class Worker:
    """Keeps what it gets; `fail` says which bodies or records it does not take."""

    def __init__(self, fail: Callable[[str], bool] = lambda _: False) -> None:
        self.fail = fail
        self.batches: list[list[str]] = []
        self.events: list[Mapping[str, Any]] = []

    def __call__(self, event: Mapping[str, Any]) -> dict[str, Any]:
        self.events.append(event)
        self.batches.append([_text(record) for record in event["Records"]])
        failed = [_id(record) for record in event["Records"] if self.fail(_text(record))]
        return {"batchItemFailures": [{"itemIdentifier": one} for one in failed]}

    @property
    def got(self) -> list[str]:
        return [text for batch in self.batches for text in batch]


def _text(record: Mapping[str, Any]) -> str:
    return str(record["body"] if "body" in record else record["dynamodb"]["Keys"]["pk"]["B"])


def _id(record: Mapping[str, Any]) -> str:
    return str(record["messageId"] if "messageId" in record else record["dynamodb"]["SequenceNumber"])


def queue(aws: LocalAws, which: Queue = Queue.WEBHOOKS) -> str:
    assert aws.messaging is not None
    return aws.messaging.queues[which]


def pump_of(
    aws: LocalAws,
    worker: Callable[[Mapping[str, Any]], Any],
    which: Queue = Queue.WEBHOOKS,
    **more: Any,  # noqa: ANN401
) -> QueuePump:
    return pump_with(aws, immortal(worker), which, **more)


def pump_with(aws: LocalAws, hire: Hire, which: Queue = Queue.WEBHOOKS, **more: Any) -> QueuePump:  # noqa: ANN401
    url = queue(aws, which)
    nudge = aws.nudges.listen(queue_key(url), channel_key(str(which).removesuffix("s")))
    return QueuePump(str(which), aws.clients("sqs"), url, hire, nudge=nudge, **more)


def send(aws: LocalAws, *texts: str, to: Queue = Queue.WEBHOOKS) -> None:
    for text in texts:
        aws.clients("sqs").send_message(QueueUrl=queue(aws, to), MessageBody=text)


def publish(aws: LocalAws, text: str, *channels: Channel) -> None:
    assert aws.messaging is not None
    value = json.dumps([str(channel) for channel in channels])
    aws.clients("sns").publish(
        TopicArn=aws.messaging.topic_arn,
        Message=text,
        MessageAttributes={CHANNELS_ATTRIBUTE: {"DataType": "String.Array", "StringValue": value}},
    )


def left_in(aws: LocalAws, url: str) -> int:
    names = ["ApproximateNumberOfMessages", "ApproximateNumberOfMessagesNotVisible"]
    answer = aws.clients("sqs").get_queue_attributes(QueueUrl=url, AttributeNames=names)
    return sum(int(answer["Attributes"][name]) for name in names)


# --- queues ---


def test_a_queue_hands_on_what_it_gets_at_once_and_keeps_nothing(aws: LocalAws) -> None:
    worker = Worker()
    pump = pump_of(aws, worker, idle_s=60).start()
    began_s = time.monotonic()
    send(aws, "one")
    wait_for(lambda: worker.got == ["one"])
    assert time.monotonic() - began_s < PROMPT_S, "it was nudged"
    wait_for(lambda: left_in(aws, queue(aws)) == 0)
    pump.stop()
    (record,) = worker.events[0]["Records"]
    assert record["attributes"]["ApproximateReceiveCount"] == "1"
    assert record["eventSource"] == "aws:sqs"


def test_only_what_failed_comes_again(aws: LocalAws) -> None:
    worker = Worker()
    worker.fail = lambda text: text == "bad" and worker.got.count("bad") < 2
    send(aws, "good", "bad", "better")
    pump = pump_of(aws, worker, idle_s=0.1).start()
    wait_for(lambda: worker.got.count("bad") == 2)
    pump.stop()
    assert sorted(worker.got) == ["bad", "bad", "better", "good"]
    assert left_in(aws, queue(aws)) == 0


def test_a_worker_that_raises_fails_the_whole_batch(aws: LocalAws) -> None:
    seen: list[int] = []

    def work(event: Mapping[str, Any]) -> None:
        seen.append(len(event["Records"]))
        if len(seen) == 1:
            raise ZeroDivisionError

    send(aws, "one", "two")
    pump = pump_of(aws, work, idle_s=0.1).start()
    wait_for(lambda: sum(seen) >= 4)
    pump.stop()
    assert left_in(aws, queue(aws)) == 0


def test_a_poison_message_ends_in_the_dead_letter_queue_and_holds_nobody_up(aws: LocalAws) -> None:
    assert aws.messaging is not None
    worker = Worker(lambda text: text == "poison")
    send(aws, "poison")
    pump = pump_of(aws, worker, idle_s=0.1, retry_s=0).start()
    dead = aws.messaging.dead[Queue.WEBHOOKS]
    wait_for(lambda: left_in(aws, dead) == 1)
    send(aws, "after")
    wait_for(lambda: "after" in worker.got)
    pump.stop()
    assert worker.got.count("poison") == MAX_RECEIVES
    aws.clients("sqs").purge_queue(QueueUrl=dead)


def test_several_threads_work_a_queue_at_the_same_time(aws: LocalAws) -> None:
    meeting = Barrier(3, timeout=WITHIN_S)
    met: list[int] = []

    def meet(_event: Mapping[str, Any]) -> None:
        meeting.wait()
        met.append(1)

    pump = pump_of(aws, meet, threads=3, batch=1).start()
    send(aws, "one", "two", "three")
    wait_for(lambda: len(met) == 3)
    pump.stop()


def test_the_topic_fills_the_queues_by_channel(aws: LocalAws) -> None:
    sockets, webhooks, push = Worker(), Worker(), Worker()
    pumps = [
        pump_of(aws, sockets, Queue.SOCKETS).start(),
        pump_of(aws, webhooks, Queue.WEBHOOKS).start(),
        pump_of(aws, push, Queue.PUSH, idle_s=0.1).start(),
    ]
    began_s = time.monotonic()
    publish(aws, "both", Channel.SOCKET, Channel.WEBHOOK)
    publish(aws, "socket", Channel.SOCKET)
    publish(aws, "later", Channel.PUSH)
    publish(aws, "nobody")
    wait_for(lambda: len(sockets.got) == 2 and len(webhooks.got) == 1)
    assert time.monotonic() - began_s < PROMPT_S
    wait_for(lambda: push.got)
    assert time.monotonic() - began_s >= 1, "a wake-up waits for the sockets"
    for pump in pumps:
        pump.stop()
    assert (sorted(sockets.got), webhooks.got, push.got) == (["both", "socket"], ["both"], ["later"])
    (record,) = push.events[0]["Records"]
    attribute = record["messageAttributes"][CHANNELS_ATTRIBUTE]
    assert (attribute["dataType"], json.loads(attribute["stringValue"])) == ("String.Array", ["push"])


# --- workers that die ---


class Slow:
    """Workers that wait for the test before their call to AWS, and keep what they did after it."""

    def __init__(self, aws: LocalAws) -> None:
        self.aws = aws
        self.arrived, self.go_on = Event(), Event()
        self.done: list[str] = []
        self.hired = 0

    def __call__(self, life: Life) -> Handler:
        clients = mortal(self.aws.clients, life)
        self.hired += 1

        def work(event: Mapping[str, Any]) -> None:
            self.arrived.set()
            self.go_on.wait(WITHIN_S)
            clients("s3").list_buckets()
            self.done.extend(_text(record) for record in event["Records"])

        return work


def test_what_a_killed_worker_had_comes_again_to_a_new_one(aws: LocalAws) -> None:
    slow = Slow(aws)
    pump = pump_with(aws, slow, idle_s=0.1).start()
    send(aws, "precious")
    assert slow.arrived.wait(WITHIN_S)
    hired = slow.hired
    pump.kill()
    assert not pump.running
    slow.go_on.set()
    time.sleep(0.2)
    assert slow.done == []
    pump.start()
    wait_for(lambda: slow.done == ["precious"])
    assert slow.hired == hired + 1
    wait_for(lambda: left_in(aws, queue(aws)) == 0)
    pump.stop()


def test_a_worker_that_is_killed_in_its_last_line_has_told_nobody_that_it_is_done(aws: LocalAws) -> None:
    done: list[str] = []

    def work(event: Mapping[str, Any]) -> None:
        done.extend(record["body"] for record in event["Records"])
        if len(done) == 1:
            pump.kill()

    pump = pump_of(aws, work, idle_s=0.1).start()
    send(aws, "twice")
    wait_for(lambda: not pump.running)
    pump.start()
    wait_for(lambda: done == ["twice", "twice"])
    wait_for(lambda: left_in(aws, queue(aws)) == 0)
    pump.stop()


def test_a_call_is_not_begun_by_the_dead_and_may_be_the_last_thing_they_did() -> None:
    life = Life()
    calls: list[int] = []

    class Client:
        def put(self) -> None:
            calls.append(1)
            if len(calls) == 2:
                life.kill()

    told: list[str] = []
    client = Mortal(Watched(Client(), "s3", lambda _service, operation, _asked: told.append(operation)), life)
    client.put()
    with pytest.raises(Killed):
        client.put()
    with pytest.raises(Killed):
        client.put()
    assert (len(calls), told) == (2, ["put", "put"])


@pytest.mark.parametrize(("checks", "begun", "done"), [(0, 0, 0), (1, 1, 0), (2, 1, 1), (3, 2, 1)])
def test_a_doomed_worker_dies_in_the_middle_of_what_it_does(checks: int, begun: int, done: int) -> None:
    life = Life()
    calls: list[int] = []

    class Client:
        def put(self) -> None:
            calls.append(1)

    client = Mortal(Client(), life)
    life.doom(checks)
    answered: list[None] = []

    def work() -> None:
        while True:
            client.put()
            answered.append(None)

    with pytest.raises(Killed):
        work()
    assert (len(calls), len(answered)) == (begun, done)
    assert life.over
    with pytest.raises(Killed):
        client.put()


def test_a_pump_can_be_stopped_and_started_as_one_likes(aws: LocalAws) -> None:
    worker = Worker()
    pump = pump_of(aws, worker)
    pump.stop()
    pump.kill()
    pump.start().start()
    assert pump.running
    pump.stop()
    send(aws, "meanwhile")
    pump.start()
    wait_for(lambda: worker.got == ["meanwhile"])
    pump.stop()
    pump.stop()
    assert not pump.running


# --- streams ---


@pytest.fixture
def stream(aws: LocalAws) -> Iterator[tuple[str, str]]:
    """A table with a stream, and the stream's ARN."""
    dynamodb = aws.clients("dynamodb")
    made = dynamodb.create_table(
        TableName="told",
        BillingMode="PAY_PER_REQUEST",
        AttributeDefinitions=[{"AttributeName": "pk", "AttributeType": "B"}],
        KeySchema=[{"AttributeName": "pk", "KeyType": "HASH"}],
        StreamSpecification={"StreamEnabled": True, "StreamViewType": "NEW_AND_OLD_IMAGES"},
    )
    yield "told", made["TableDescription"]["LatestStreamArn"]
    dynamodb.delete_table(TableName="told")


def insert(aws: LocalAws, table: str, *keys: bytes) -> None:
    for key in keys:
        aws.clients("dynamodb").put_item(TableName=table, Item={"pk": {"B": key}})


ONE, TWO, THREE, FOUR = "MQ==", "Mg==", "Mw==", "NA=="


def test_a_stream_hands_on_what_its_filter_lets_through_at_once(
    aws: LocalAws, stream: tuple[str, str]
) -> None:
    table, arn = stream
    worker = Worker()
    nudge = aws.nudges.listen(table_key(table))
    pump = StreamPump(
        "o", aws.streams, arn, immortal(worker), wanted=inserted, nudge=nudge, idle_s=60
    ).start()
    began_s = time.monotonic()
    insert(aws, table, b"1")
    aws.clients("dynamodb").delete_item(TableName=table, Key={"pk": {"B": b"1"}})
    insert(aws, table, b"2")
    wait_for(lambda: worker.got == [ONE, TWO])
    assert time.monotonic() - began_s < PROMPT_S, "it was nudged"
    pump.stop()
    record = worker.events[0]["Records"][0]
    assert record["eventName"] == "INSERT"
    assert record["eventSourceARN"] == arn
    json.dumps(record)


def test_the_stream_goes_on_from_the_first_record_that_failed(aws: LocalAws, stream: tuple[str, str]) -> None:
    table, arn = stream
    worker = Worker()
    worker.fail = lambda text: text == THREE and worker.got.count(THREE) < 2
    insert(aws, table, b"1", b"2", b"3", b"4")
    pump = StreamPump("o", aws.streams, arn, immortal(worker), wanted=inserted)
    assert pump.poll()
    assert not pump.poll()
    assert worker.batches == [[ONE, TWO, THREE, FOUR], [THREE, FOUR]]


def test_a_batch_that_fails_as_a_whole_is_halved(aws: LocalAws, stream: tuple[str, str]) -> None:
    table, arn = stream
    batches: list[list[str]] = []

    def work(event: Mapping[str, Any]) -> None:
        batches.append([_text(record) for record in event["Records"]])
        if len(batches) <= 2:
            raise ZeroDivisionError

    insert(aws, table, b"1", b"2", b"3", b"4")
    pump = StreamPump("o", aws.streams, arn, immortal(work), wanted=inserted)
    while pump.poll():
        pass
    assert batches == [[ONE, TWO, THREE, FOUR], [ONE, TWO], [ONE], [TWO, THREE, FOUR]]


def test_what_is_too_old_is_given_up_with_its_place_in_the_stream_and_without_its_content(
    aws: LocalAws, stream: tuple[str, str]
) -> None:
    table, arn = stream
    told: list[Mapping[str, Any]] = []
    worker = Worker(lambda text: text == TWO)
    insert(aws, table, b"1", b"2")
    pump = StreamPump(
        "o", aws.streams, arn, immortal(worker), wanted=inserted, give_up=told.append, max_age_s=0
    )
    pump.poll()
    insert(aws, table, b"3")
    pump.poll()
    assert worker.batches == [[ONE, TWO], [THREE]]
    (metadata,) = told
    place = metadata["DDBStreamBatchInfo"]
    second = worker.events[0]["Records"][1]["dynamodb"]["SequenceNumber"]
    assert (place["startSequenceNumber"], place["endSequenceNumber"]) == (second, second)
    assert (place["streamArn"], place["batchSize"]) == (arn, 1)
    assert TWO not in json.dumps(metadata)


def test_what_could_not_be_given_up_is_not_lost(aws: LocalAws, stream: tuple[str, str]) -> None:
    table, arn = stream
    told: list[Mapping[str, Any]] = []

    def give_up(metadata: Mapping[str, Any]) -> None:
        told.append(metadata)
        if len(told) == 1:
            raise ConnectionError

    insert(aws, table, b"1")
    worker = Worker(lambda _: True)
    pump = StreamPump("o", aws.streams, arn, immortal(worker), wanted=inserted, give_up=give_up, max_age_s=0)
    with pytest.raises(ConnectionError):
        pump.poll()
    assert not pump.poll()
    assert len(told) == 2


def test_a_killed_stream_worker_leaves_its_place_to_the_next(aws: LocalAws, stream: tuple[str, str]) -> None:
    table, arn = stream
    slow = Slow(aws)
    insert(aws, table, b"1", b"2")
    pump = StreamPump("o", aws.streams, arn, slow, wanted=inserted).start()
    assert slow.arrived.wait(WITHIN_S)
    pump.kill()
    pump.start()
    slow.go_on.set()
    wait_for(lambda: slow.done == [ONE, TWO])
    insert(aws, table, b"3")
    wait_for(lambda: slow.done == [ONE, TWO, THREE])
    pump.stop()


# --- the clock ---


def test_the_clock_calls_and_outlives_a_failure() -> None:
    events: list[Mapping[str, Any]] = []

    def work(event: Mapping[str, Any]) -> None:
        events.append(event)
        raise ZeroDivisionError

    pump = ClockPump("minute", immortal(work), every_s=0.05).start()
    wait_for(lambda: len(events) >= 3)
    pump.stop()
    count = len(events)
    time.sleep(0.2)
    assert len(events) == count
    assert events[0]["source"] == "aws.events"


# --- e-mail ---


def test_an_e_mail_is_kept_for_the_developer_and_told_with_its_code(aws: LocalAws) -> None:
    told = io.StringIO()
    mails = Mails(told)
    client = Watched(aws.clients("sesv2"), "sesv2", mails.watch)
    client.send_email(
        FromEmailAddress=aws.mail_sender,
        Destination={"ToAddresses": ["bob@example.com"]},
        Content={
            "Simple": {
                "Subject": {"Data": "Your code"},
                "Body": {"Text": {"Data": "The code is 123456."}, "Html": {"Data": "<p>It is 123456.</p>"}},
                "Headers": [{"Name": "List-Unsubscribe", "Value": "<https://a>"}],
            }
        },
    )
    (mail,) = mails.sent()
    assert (mail.to, mail.code, mail.headers) == (
        ("bob@example.com",),
        "123456",
        {"List-Unsubscribe": "<https://a>"},
    )
    assert told.getvalue() == "e-mail to bob@example.com: Your code, code 123456\n"


# --- other endpoints ---


@pytest.mark.ministack
def test_another_endpoint_carries_events_too_and_is_left_empty() -> None:
    with ministack() as url:
        with local_aws(url, times=QueueTimes(waking_delay_s=0)) as aws:
            worker = Worker()
            pump = pump_of(aws, worker, wait_s=1, idle_s=0.05).start()
            publish(aws, "by topic", Channel.WEBHOOK)
            publish(aws, "for others", Channel.SOCKET)
            send(aws, "directly")
            wait_for(lambda: len(worker.got) == 2)
            pump.stop()
            assert sorted(worker.got) == ["by topic", "directly"]
            clients = aws.clients
        assert not clients("sqs").list_queues().get("QueueUrls")
        assert clients("sns").list_topics()["Topics"] == []
