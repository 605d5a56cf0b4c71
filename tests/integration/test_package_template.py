"""The CloudFormation that `make package` writes: as it goes to AWS, after translation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.config import Chain, Settings, WorkerSettings
from chalicelib.metrics import NAMESPACE, RELAY
from chalicelib.names.counting import Event
from chalicelib.names.links import IPFS_GATEWAYS
from chalicelib.notify.ports import Queue
from chalicelib.store.tables import (
    ACCOUNTS,
    CONNECTIONS,
    COUNTERS,
    DELIVERIES,
    INBOX,
    NAMES,
    SUBMISSIONS,
    TableDefinition,
)
from infra.package.build import Built
from infra.package.cloudformation import lint

pytestmark = pytest.mark.xdist_group("deployed-relay")

GATEWAY_GIVES_UP_AFTER_S = 29
LEAST_MESSAGE_TTL_DAYS = 30


@pytest.fixture(scope="module")
def template(built: Built) -> dict[str, Any]:
    parsed: dict[str, Any] = json.loads(built.template.read_text("utf-8"))
    return parsed


def of_type(template: dict[str, Any], kind: str) -> dict[str, dict[str, Any]]:
    found = {name: item for name, item in template["Resources"].items() if item["Type"] == kind}
    assert found
    return found


def statements(role: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """All statements, those under a condition included."""
    for policy in role["Properties"]["Policies"]:
        for statement in policy["PolicyDocument"]["Statement"]:
            if "Fn::If" in statement:
                _, statement, otherwise = statement["Fn::If"]
                assert otherwise == {"Ref": "AWS::NoValue"}
            yield statement


def role_of(template: dict[str, Any], function: str) -> dict[str, Any]:
    name = template["Resources"][function]["Properties"]["Role"]["Fn::GetAtt"][0]
    role: dict[str, Any] = template["Resources"][name]
    return role


def allowed(template: dict[str, Any], function: str) -> set[tuple[str, str]]:
    """What the role of `function` allows: actions, and the resources of this stack that they are good for."""
    return {
        (action, resource_name(resource))
        for statement in statements(role_of(template, function))
        for action in as_list(statement["Action"])
        for resource in as_list(statement.get("Resource", statement.get("NotResource")))
    }


def resource_name(resource: dict[str, Any]) -> str:
    text = resource.get("Ref") or resource.get("Fn::GetAtt", [None])[0] or resource["Fn::Sub"]
    names: list[str] = re.findall(r"\$\{(?!AWS::)(\w+)", text)
    return names[0] if names else str(text)


def as_list(value: object) -> list[Any]:
    return value if isinstance(value, list) else [value]


def test_it_lints(template: dict[str, Any]) -> None:
    assert lint(template) == []


def test_the_linter_would_have_found_a_mistake(template: dict[str, Any]) -> None:
    broken = json.loads(json.dumps(template))
    broken["Resources"]["InboxTable"]["Properties"]["BillingMode"] = "BY_THE_HOUR"
    assert any("BillingMode" in finding for finding in lint(broken))


@pytest.mark.parametrize(
    ("resource", "definition"),
    [
        ("InboxTable", INBOX),
        ("SubmissionsTable", SUBMISSIONS),
        ("AccountsTable", ACCOUNTS),
        ("CountersTable", COUNTERS),
        ("NamesTable", NAMES),
        ("DeliveriesTable", DELIVERIES),
        ("ConnectionsTable", CONNECTIONS),
    ],
)
def test_its_tables_are_those_that_the_store_is_tested_on(
    template: dict[str, Any], resource: str, definition: TableDefinition
) -> None:
    assert template["Resources"][resource]["Properties"] == definition.properties()


def test_nothing_that_holds_mail_is_deleted_with_the_stack(template: dict[str, Any]) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert len(tables) == 7
    assert tables.pop("NamesTable")["DeletionPolicy"] == "Delete", "a cache"
    assert tables.pop("ConnectionsTable")["DeletionPolicy"] == "Delete", "sockets end with the stack"
    for item in (*tables.values(), *of_type(template, "AWS::S3::Bucket").values()):
        assert item["DeletionPolicy"] == item["UpdateReplacePolicy"] == "Retain"


def test_the_bucket_is_closed_encrypted_and_reached_by_tls_only(template: dict[str, Any]) -> None:
    properties = template["Resources"]["BodiesBucket"]["Properties"]
    assert set(properties["PublicAccessBlockConfiguration"].values()) == {True}
    assert len(properties["PublicAccessBlockConfiguration"]) == 4
    assert properties["BucketEncryption"]
    (statement,) = template["Resources"]["BodiesBucketPolicy"]["Properties"]["PolicyDocument"]["Statement"]
    assert (statement["Effect"], statement["Condition"]) == (
        "Deny",
        {"Bool": {"aws:SecureTransport": "false"}},
    )


def test_the_bucket_outlives_every_message(template: dict[str, Any]) -> None:
    (rule,) = template["Resources"]["BodiesBucket"]["Properties"]["LifecycleConfiguration"]["Rules"]
    assert rule["ExpirationInDays"] == {"Fn::FindInMap": ["BodyLifetime", {"Ref": "MessageTtlDays"}, "Days"]}
    assert rule["AbortIncompleteMultipartUpload"]
    lifetimes = {int(ttl): entry["Days"] for ttl, entry in template["Mappings"]["BodyLifetime"].items()}
    offered = [int(ttl) for ttl in template["Parameters"]["MessageTtlDays"]["AllowedValues"]]
    assert sorted(lifetimes) == sorted(offered)
    assert min(offered) >= LEAST_MESSAGE_TTL_DAYS
    assert all(days >= ttl + 7 for ttl, days in lifetimes.items())


def test_every_function_has_a_role_of_its_own(template: dict[str, Any]) -> None:
    functions = of_type(template, "AWS::Lambda::Function")
    roles = [function["Properties"]["Role"]["Fn::GetAtt"][0] for function in functions.values()]
    assert len(set(roles)) == len(functions) == 14
    assert set(roles) == set(of_type(template, "AWS::IAM::Role"))


def test_no_role_allows_an_action_or_a_resource_in_general(template: dict[str, Any]) -> None:
    for role in of_type(template, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
        found = list(statements(role))
        assert found
        for statement in found:
            assert all(
                re.fullmatch(r"[a-z0-9-]+:[A-Za-z]+", action) for action in as_list(statement["Action"])
            )
            if "NotResource" in statement:
                # A telephone is no resource: this is how AWS spells "no topic of anybody".
                assert statement["Action"] == ["sns:Publish"]
                assert statement["NotResource"] == {"Fn::Sub": "arn:${AWS::Partition}:sns:*:*:*"}
                continue
            # Only ever a resource of this stack or account: nothing is spelled out, and no star stands alone.
            resources = as_list(statement["Resource"])
            assert resources
            assert all(set(item) <= {"Fn::GetAtt", "Fn::Sub", "Ref"} for item in resources)


def test_the_function_that_speaks_to_the_world_cannot_delete_bodies_and_the_sweeper_cannot_read_them(
    template: dict[str, Any],
) -> None:
    assert "s3:DeleteObject" not in {action for action, _ in allowed(template, "APIHandler")}
    assert {action for action, _ in allowed(template, "Bodies")}.isdisjoint(
        {"s3:GetObject", "s3:PutObject", "dynamodb:GetItem", "ssm:GetParameter"}
    )


WORKERS = ("Outbox", "Untold", "Sockets", "Greetings", "Webhooks", "Email", "Push", "Sms", "Minute")
ADMITTING = ("APIHandler", "WebsocketConnect", "WebsocketMessage", "WebsocketDisconnect")


@pytest.mark.parametrize("worker", WORKERS)
def test_who_tells_receivers_can_neither_write_nor_delete_mail(template: dict[str, Any], worker: str) -> None:
    on_mail = {
        action
        for action, resource in allowed(template, worker)
        if resource in {"InboxTable", "BodiesBucket", "SubmissionsTable"}
    }
    assert on_mail.isdisjoint(
        f"dynamodb:{write}Item" for write in ("Put", "Update", "Delete", "BatchWrite", "PartiQLUpdate")
    )
    assert on_mail.isdisjoint({"s3:PutObject", "s3:DeleteObject"})


@pytest.mark.parametrize(
    ("right", "functions"),
    [
        (("sns:Publish", "ReceivedTopic"), {"Outbox", "Untold"}),
        (("sns:Publish", "arn:${AWS::Partition}:sns:*:*:*"), {"APIHandler", "Sms"}),
        (("sqs:SendMessage", "GreetingsQueue"), {"WebsocketConnect"}),
        (("sqs:SendMessage", "UntoldQueue"), {"Outbox", "Untold"}),
        (("sqs:SendMessage", "WebhooksQueue"), {"APIHandler", "Webhooks", "Minute"}),
        (("dynamodb:GetRecords", "InboxTable"), {"Bodies", "Outbox", "Untold"}),
        (("s3:DeleteObject", "BodiesBucket"), {"Bodies"}),
        # What is due and cannot be put into its queue is written anew, or it stands before all the rest.
        (
            ("dynamodb:PutItem", "DeliveriesTable"),
            {"APIHandler", "Webhooks", "Email", "Push", "Sms", "Minute"},
        ),
        (
            ("execute-api:ManageConnections", "WebsocketAPI"),
            {"APIHandler", "WebsocketMessage", "Sockets", "Greetings", "Minute"},
        ),
    ],
)
def test_who_may(template: dict[str, Any], right: tuple[str, str], functions: set[str]) -> None:
    assert {
        name for name in (*ADMITTING, *WORKERS, "Bodies") if right in allowed(template, name)
    } == functions


def test_who_may_close_sockets(template: dict[str, Any]) -> None:
    may = {
        name
        for name in (*ADMITTING, *WORKERS)
        for statement in statements(role_of(template, name))
        for resource in as_list(statement.get("Resource", []))
        if "/DELETE/@connections/" in str(resource)
    }
    assert may == {"APIHandler", "WebsocketMessage", "Greetings"}, "others find them gone and forget them"


def test_e_mail_goes_out_from_one_address_only(template: dict[str, Any]) -> None:
    senders = set()
    for name in (*ADMITTING, *WORKERS):
        role = template["Resources"][template["Resources"][name]["Properties"]["Role"]["Fn::GetAtt"][0]]
        for statement in statements(role):
            if "ses:SendEmail" in as_list(statement["Action"]):
                assert statement["Condition"] == {"StringEquals": {"ses:FromAddress": {"Ref": "MailSender"}}}
                senders.add(name)
    assert senders == {"APIHandler", "Email", "Webhooks"}


def test_every_function_logs_into_a_group_that_forgets(template: dict[str, Any]) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    used = {
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type(template, "AWS::Lambda::Function").values()
    }
    assert used == set(groups)
    assert all(group["Properties"]["RetentionInDays"] for group in groups.values())


def environment(template: dict[str, Any], function: str, **given: str) -> dict[str, str]:
    """The variables of `function` as it would find them; resources are called by their logical names."""
    variables = template["Resources"][function]["Properties"]["Environment"]["Variables"]
    defaults = {
        name: str(parameter["Default"])
        for name, parameter in template["Parameters"].items()
        if "Default" in parameter
    }
    parameters = {**defaults, "RelayName": "relay.eth", "RpcUrls": "https://a.example/key,https://b.example"}
    parameters["OriginSecret"] = "s" * 43

    def value(item: dict[str, Any]) -> str:
        if "Ref" in item:
            return str({**parameters, **given}.get(item["Ref"], item["Ref"]))
        if "Fn::GetAtt" in item:
            return ".".join(item["Fn::GetAtt"])
        if "Fn::If" in item:
            return value(item["Fn::If"][2])
        return re.sub(r"\$\{(\w|[:.])+\}", "x", str(item["Fn::Sub"]))

    return {name: value(item) for name, item in variables.items()}


@pytest.mark.parametrize("function", ADMITTING)
def test_the_settings_can_be_read_from_what_the_template_sets(
    template: dict[str, Any], function: str
) -> None:
    variables = environment(template, function)
    settings = Settings.read(variables)
    assert settings.tables.inbox == "InboxTable"
    assert settings.bodies_bucket == "BodiesBucket"
    assert settings.keys_parameter == template["Parameters"]["KeysParameter"]["Default"]
    assert settings.rpc_urls == ("https://a.example/key", "https://b.example")
    assert settings.message_ttl_days == LEAST_MESSAGE_TTL_DAYS
    assert settings.lenient is False
    assert settings.operator_token_sha256 is None
    token_set = environment(template, function, OperatorTokenSha256="ab" * 32)
    assert Settings.read(token_set).operator_token_sha256 == b"\xab" * 32
    assert settings.ipfs_gateways == IPFS_GATEWAYS
    assert settings.allow_local_urls is False
    chain = Chain(chain_id=1)
    assert replace(settings.chain, aliases=chain.aliases) == chain
    assert settings.notify.origin_secret == "s" * 43


@pytest.mark.parametrize("function", WORKERS)
def test_so_can_those_of_the_functions_that_tell_receivers(template: dict[str, Any], function: str) -> None:
    settings = WorkerSettings.read(environment(template, function))
    assert (settings.tables.connections, settings.tables.deliveries) == (
        "ConnectionsTable",
        "DeliveriesTable",
    )
    assert settings.notify.queues == {queue: f"{queue.capitalize()}Queue" for queue in Queue}
    assert settings.notify.topic_arn == "ReceivedTopic"
    assert settings.notify.sockets_url == "https://x.execute-api.x.x/api"
    assert (settings.notify.mail_sender, settings.notify.sms) == (None, False)
    offering = environment(template, function, MailSender="dm3@relay.example", OfferSms="true")
    notify = WorkerSettings.read(offering).notify
    assert (notify.mail_sender, notify.sms) == ("dm3@relay.example", True)
    assert (notify.stream_arn is not None) == (function == "Untold")
    assert (notify.url is not None) == (function == "Email")


@pytest.mark.parametrize("function", WORKERS)
def test_they_learn_no_node_s_url_and_no_secret_of_the_distribution(
    template: dict[str, Any], function: str
) -> None:
    variables = environment(template, function)
    assert not {"DM3_RPC_URLS", "DM3_ORIGIN_SECRET", "DM3_OPERATOR_TOKEN_SHA256"} & set(variables)


def test_the_variables_of_a_function_are_fewer_than_lambda_carries(template: dict[str, Any]) -> None:
    # Names and URLs of AWS are some 120 characters at most; a node's URL with its key is shorter.
    for function in (*ADMITTING, *WORKERS):
        variables = environment(
            template, function, RpcUrls=",".join(["https://node.example/" + "k" * 80] * 3)
        )
        refs = sum(value.endswith(("Table", "Queue", "Topic", "Bucket")) for value in variables.values())
        assert sum(len(name) + len(value) for name, value in variables.items()) + refs * 120 < 4096


def test_no_secret_stands_in_the_template_or_shows_in_the_console(template: dict[str, Any]) -> None:
    for name in ("RpcUrls", "OperatorTokenSha256", "OriginSecret"):
        assert template["Parameters"][name]["NoEcho"] is True
    assert "Default" not in template["Parameters"]["OriginSecret"]
    for function in (*ADMITTING, *WORKERS):
        assert "DM3_KEYS" not in template["Resources"][function]["Properties"]["Environment"]["Variables"]


def test_the_api_function_answers_before_the_gateway_gives_up(template: dict[str, Any]) -> None:
    for function in ADMITTING:
        assert template["Resources"][function]["Properties"]["Timeout"] <= GATEWAY_GIVES_UP_AFTER_S


def test_only_removals_with_a_body_wake_the_sweeper_and_what_fails_is_kept(template: dict[str, Any]) -> None:
    mapping = template["Resources"]["BodiesOnRemove"]["Properties"]
    (entry,) = mapping["FilterCriteria"]["Filters"]
    assert json.loads(entry["Pattern"]) == {
        "eventName": ["REMOVE"],
        "dynamodb": {"OldImage": {"body": {"S": [{"exists": True}]}}},
    }
    assert mapping["DestinationConfig"]["OnFailure"]["Destination"] == {
        "Fn::GetAtt": ["BodiesFailures", "Arn"]
    }
    assert mapping["MaximumRetryAttempts"] > 0


def test_the_gateways_own_errors_can_be_read_by_browsers(template: dict[str, Any]) -> None:
    body = template["Resources"]["RestAPI"]["Properties"]["Body"]
    responses = body["x-amazon-apigateway-gateway-responses"]
    assert {"DEFAULT_4XX", "DEFAULT_5XX", "MISSING_AUTHENTICATION_TOKEN"} <= set(responses)
    for response in responses.values():
        assert response["responseParameters"]["gatewayresponse.header.Access-Control-Allow-Origin"] == "'*'"
    assert responses["MISSING_AUTHENTICATION_TOKEN"]["statusCode"] == "404"


def test_a_flood_is_throttled_before_it_costs(template: dict[str, Any]) -> None:
    (stage,) = of_type(template, "AWS::ApiGateway::Stage").values()
    (settings,) = stage["Properties"]["MethodSettings"]
    assert settings["ThrottlingRateLimit"] == {"Ref": "RequestsPerSecond"}
    assert settings["ThrottlingBurstLimit"] == {"Ref": "RequestBurst"}
    (sockets,) = of_type(template, "AWS::ApiGatewayV2::Stage").values()
    assert sockets["Properties"]["DefaultRouteSettings"] == {
        "ThrottlingRateLimit": {"Ref": "SocketRequestsPerSecond"},
        "ThrottlingBurstLimit": {"Ref": "SocketBurst"},
    }


def test_every_alarm_reaches_the_topic(template: dict[str, Any]) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {alarm["Properties"]["MetricName"] for alarm in alarms.values()}
    assert {"Errors", "Throttles", "ConcurrentExecutions", "5XXError", Event.CHAIN_DOWN} <= watched
    down = alarms["ChainDown"]["Properties"]
    assert (down["Namespace"], down["Dimensions"][0]["Name"]) == (NAMESPACE, RELAY)
    assert "ApproximateNumberOfMessagesVisible" in watched
    assert all(alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())
    assert of_type(template, "AWS::Budgets::Budget")
