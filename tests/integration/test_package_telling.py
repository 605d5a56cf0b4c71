"""The part of the template that tells receivers: topic, queues, clock, and the one host before both APIs."""

from __future__ import annotations

import json
from typing import Any

import pytest

from chalicelib.api.source import ORIGIN_HEADER, VIEWER_HEADER
from chalicelib.notify.events import CHANNELS_ATTRIBUTE, Channel
from chalicelib.notify.ports import Queue
from chalicelib.notify.schedule import RUN_S
from chalicelib.notify.sockets.pinger import PACED_S
from infra.package.build import Built

pytestmark = pytest.mark.xdist_group("deployed-relay")

CHANNELS = {
    Queue.SOCKETS: Channel.SOCKET,
    Queue.WEBHOOKS: Channel.WEBHOOK,
    Queue.EMAIL: Channel.EMAIL,
    Queue.PUSH: Channel.PUSH,
    Queue.SMS: Channel.SMS,
}
WORKED_IF = {Queue.EMAIL: "SendsMail", Queue.SMS: "SendsSms"}
WAKE_UPS_WAIT_S = 30
STREAM_KEEPS_S = 86_400


@pytest.fixture(scope="module")
def resources(built: Built) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(built.template.read_text("utf-8"))["Resources"]
    return found


def arn(name: str) -> dict[str, list[str]]:
    return {"Fn::GetAtt": [name, "Arn"]}


def of(queue: Queue, suffix: str) -> str:
    return queue.capitalize() + suffix


@pytest.mark.parametrize("queue", Queue)
def test_what_fails_five_times_is_kept_longer_than_what_waits(
    resources: dict[str, Any], queue: Queue
) -> None:
    waiting = resources[of(queue, "Queue")]["Properties"]
    failures = resources[of(queue, "Failures")]["Properties"]
    assert waiting["RedrivePolicy"] == {
        "deadLetterTargetArn": arn(of(queue, "Failures")),
        "maxReceiveCount": 5,
    }
    assert failures["MessageRetentionPeriod"] > waiting["MessageRetentionPeriod"]
    assert waiting["SqsManagedSseEnabled"] is failures["SqsManagedSseEnabled"] is True


@pytest.mark.parametrize("queue", Queue)
def test_what_was_taken_comes_again_only_when_the_function_must_have_ended(
    resources: dict[str, Any], queue: Queue
) -> None:
    timeout_s = resources[queue.capitalize()]["Properties"]["Timeout"]
    assert resources[of(queue, "Queue")]["Properties"]["VisibilityTimeout"] >= 6 * timeout_s


@pytest.mark.parametrize("queue", Queue)
def test_only_waking_a_person_waits_for_the_open_app(resources: dict[str, Any], queue: Queue) -> None:
    delay_s = resources[of(queue, "Queue")]["Properties"]["DelaySeconds"]
    assert delay_s == (WAKE_UPS_WAIT_S if queue in {Queue.EMAIL, Queue.PUSH, Queue.SMS} else 0)


@pytest.mark.parametrize("queue", Queue)
def test_each_queue_is_worked_by_its_function_message_by_message(
    resources: dict[str, Any], queue: Queue
) -> None:
    mapping = resources[of(queue, "OnMessages")]
    assert mapping["Properties"]["EventSourceArn"] == arn(of(queue, "Queue"))
    assert mapping["Properties"]["FunctionName"] == {"Ref": queue.capitalize()}
    assert mapping["Properties"]["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["Properties"]["ScalingConfig"]["MaximumConcurrency"] >= 2
    assert mapping.get("Condition") == WORKED_IF.get(queue)


@pytest.mark.parametrize("queue", Queue)
def test_an_alarm_tells_of_what_was_given_up_and_of_what_is_late(
    resources: dict[str, Any], queue: Queue
) -> None:
    for name, metric, watched in (
        ("GivenUp", "ApproximateNumberOfMessagesVisible", "Failures"),
        ("Late", "ApproximateAgeOfOldestMessage", "Queue"),
    ):
        alarm = resources[of(queue, name)]
        assert alarm.get("Condition") == WORKED_IF.get(queue)
        assert alarm["Properties"]["MetricName"] == metric
        (dimension,) = alarm["Properties"]["Dimensions"]
        assert dimension["Value"] == {"Fn::GetAtt": [of(queue, watched), "QueueName"]}


@pytest.mark.parametrize(("queue", "channel"), CHANNELS.items())
def test_a_channel_gets_its_events_as_they_were_published_and_no_others(
    resources: dict[str, Any], queue: Queue, channel: Channel
) -> None:
    subscription = resources[of(queue, "Subscription")]
    assert subscription.get("Condition") == WORKED_IF.get(queue)
    assert subscription["Properties"] == {
        "TopicArn": {"Ref": "ReceivedTopic"},
        "Protocol": "sqs",
        "Endpoint": arn(of(queue, "Queue")),
        "RawMessageDelivery": True,
        "FilterPolicyScope": "MessageAttributes",
        "FilterPolicy": {CHANNELS_ATTRIBUTE: [channel.value]},
        "RedrivePolicy": {"deadLetterTargetArn": arn(of(queue, "Failures"))},
    }


@pytest.mark.parametrize("queue", CHANNELS)
def test_the_topic_alone_may_write_into_a_channel_s_queue(resources: dict[str, Any], queue: Queue) -> None:
    policy = resources[of(queue, "QueuePolicy")]["Properties"]
    both = [arn(of(queue, "Queue")), arn(of(queue, "Failures"))]
    assert policy["Queues"] == [{"Ref": of(queue, "Queue")}, {"Ref": of(queue, "Failures")}]
    allow, deny = policy["PolicyDocument"]["Statement"]
    assert (allow["Effect"], allow["Principal"]) == ("Allow", {"Service": "sns.amazonaws.com"})
    assert allow["Condition"] == {"ArnEquals": {"aws:SourceArn": {"Ref": "ReceivedTopic"}}}
    assert (deny["Effect"], deny["Condition"]) == ("Deny", {"Bool": {"aws:SecureTransport": "false"}})
    assert allow["Resource"] == deny["Resource"] == both


def test_the_topic_is_encrypted_and_takes_events_by_tls_only(resources: dict[str, Any]) -> None:
    assert resources["ReceivedTopic"]["Properties"]["KmsMasterKeyId"] == "alias/aws/sns"
    (statement,) = resources["ReceivedTopicPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert statement["Effect"] == "Deny"
    assert statement["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_new_mail_wakes_the_outbox_and_what_fails_for_half_a_day_is_kept(resources: dict[str, Any]) -> None:
    mapping = resources["OutboxOnInsert"]["Properties"]
    (entry,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(entry["Pattern"]) == {"eventName": ["INSERT"]}
    assert mapping["FunctionResponseTypes"] == ["ReportBatchItemFailures"]
    assert mapping["BisectBatchOnFunctionError"] is True
    assert mapping["MaximumRecordAgeInSeconds"] == STREAM_KEEPS_S / 2, "time to read it in the stream again"
    assert "MaximumRetryAttempts" not in mapping
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == arn("UntoldQueue")


def test_the_clock_calls_each_minute_once(resources: dict[str, Any]) -> None:
    rule = resources["EachMinute"]["Properties"]
    assert rule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = rule["Targets"]
    assert target["Arn"] == arn("Minute")
    permission = resources["EachMinuteMayCall"]["Properties"]
    assert permission["Principal"] == "events.amazonaws.com"
    assert permission["SourceArn"] == arn("EachMinute")
    assert resources["MinuteOnce"]["Properties"]["MaximumRetryAttempts"] == 0
    assert RUN_S + PACED_S + 10 < resources["Minute"]["Properties"]["Timeout"] < 60, "one at a time"
    assert resources["MinuteSilent"]["Properties"]["TreatMissingData"] == "breaching"


@pytest.fixture(scope="module")
def front(resources: dict[str, Any]) -> dict[str, Any]:
    config: dict[str, Any] = resources["Distribution"]["Properties"]["DistributionConfig"]
    return config


def behaviours(front: dict[str, Any]) -> list[dict[str, Any]]:
    return [front["DefaultCacheBehavior"], *front["CacheBehaviors"]]


def test_both_apis_stand_under_one_host(front: dict[str, Any]) -> None:
    assert front["DefaultCacheBehavior"]["TargetOriginId"] == "rest"
    assert {"PUT", "POST", "DELETE", "OPTIONS"} <= set(front["DefaultCacheBehavior"]["AllowedMethods"])
    assert {item["PathPattern"]: item["TargetOriginId"] for item in front["CacheBehaviors"]} == {
        "/socket.io/*": "sockets",
        "/live": "sockets",
    }
    rest, sockets = front["Origins"]
    assert "${RestAPI}" in rest["DomainName"]["Fn::Sub"]
    assert "${WebsocketAPI}" in sockets["DomainName"]["Fn::Sub"]
    assert rest["OriginPath"] == sockets["OriginPath"] == "/api"


def test_nothing_is_cached_and_everything_is_handed_on_by_tls(front: dict[str, Any]) -> None:
    for behaviour in behaviours(front):
        assert behaviour["CachePolicyId"] == "4135ea2d-6df8-44a3-9df3-4b5a84be39ad"  # CachingDisabled
        # AllViewerExceptHostHeader
        assert behaviour["OriginRequestPolicyId"] == "b689b0a8-53d0-40ab-baf2-68738e2966ac"
        assert behaviour["ViewerProtocolPolicy"] == "https-only", (
            "no redirect after a token went in the clear"
        )
    for origin in front["Origins"]:
        assert origin["CustomOriginConfig"]["OriginProtocolPolicy"] == "https-only"


def test_whoever_comes_this_way_is_named_on_every_path(
    front: dict[str, Any], resources: dict[str, Any]
) -> None:
    for origin in front["Origins"]:
        assert origin["OriginCustomHeaders"] == [
            {"HeaderName": ORIGIN_HEADER, "HeaderValue": {"Ref": "OriginSecret"}}
        ]
    for behaviour in behaviours(front):
        (association,) = behaviour["FunctionAssociations"]
        assert association["EventType"] == "viewer-request"
        assert association["FunctionARN"] == {"Fn::GetAtt": ["FrontDesk", "FunctionARN"]}
    assert f"request.headers['{VIEWER_HEADER}']" in resources["FrontDesk"]["Properties"]["FunctionCode"]


def test_the_published_url_has_no_path_and_no_slash_at_its_end(built: Built) -> None:
    outputs = json.loads(built.template.read_text("utf-8"))["Outputs"]
    assert outputs["RelayUrl"]["Value"] == {
        "Fn::If": [
            "HasDomain",
            {"Fn::Sub": "https://${DomainName}"},
            {"Fn::Sub": "https://${Distribution.DomainName}"},
        ]
    }


def test_no_function_but_the_writer_of_links_waits_for_the_distribution(resources: dict[str, Any]) -> None:
    naming = {
        name
        for name, item in resources.items()
        if item["Type"] == "AWS::Lambda::Function" and "Distribution" in json.dumps(item)
    }
    assert naming == {"Email"}
