"""The CloudFormation that `make package` writes: as it goes to AWS, after translation."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.config import Chain, Settings
from chalicelib.metrics import NAMESPACE, RELAY
from chalicelib.names.counting import Event
from chalicelib.names.links import IPFS_GATEWAYS
from chalicelib.store.tables import ACCOUNTS, COUNTERS, INBOX, NAMES, SUBMISSIONS, TableDefinition
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
    for policy in role["Properties"]["Policies"]:
        yield from policy["PolicyDocument"]["Statement"]


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
    ],
)
def test_its_tables_are_those_that_the_store_is_tested_on(
    template: dict[str, Any], resource: str, definition: TableDefinition
) -> None:
    assert template["Resources"][resource]["Properties"] == definition.properties()


def test_nothing_that_holds_mail_is_deleted_with_the_stack(template: dict[str, Any]) -> None:
    tables = of_type(template, "AWS::DynamoDB::Table")
    assert len(tables) == 5
    assert tables.pop("NamesTable")["DeletionPolicy"] == "Delete", "a cache"
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
    assert len(set(roles)) == len(functions) == 2
    assert set(roles) == set(of_type(template, "AWS::IAM::Role"))


def test_no_role_allows_an_action_or_a_resource_in_general(template: dict[str, Any]) -> None:
    for role in of_type(template, "AWS::IAM::Role").values():
        assert "ManagedPolicyArns" not in role["Properties"]
        found = list(statements(role))
        assert found
        for statement in found:
            assert all(
                re.fullmatch(r"[a-z0-9]+:[A-Za-z]+", action) for action in as_list(statement["Action"])
            )
            # Only ever a resource of this stack: nothing is spelled out, and no star stands alone.
            assert all(set(item) <= {"Fn::GetAtt", "Fn::Sub"} for item in as_list(statement["Resource"]))


def test_the_function_that_speaks_to_the_world_cannot_delete_bodies_and_the_sweeper_cannot_read_them(
    template: dict[str, Any],
) -> None:
    allowed = {
        name: {action for statement in statements(role) for action in as_list(statement["Action"])}
        for name, role in of_type(template, "AWS::IAM::Role").items()
    }
    assert "s3:DeleteObject" not in allowed["ApiHandlerRole"]
    assert (
        allowed["BodiesRole"] & {"s3:GetObject", "s3:PutObject", "dynamodb:GetItem", "ssm:GetParameter"}
        == set()
    )


def test_every_function_logs_into_a_group_that_forgets(template: dict[str, Any]) -> None:
    groups = of_type(template, "AWS::Logs::LogGroup")
    used = {
        function["Properties"]["LoggingConfig"]["LogGroup"]["Ref"]
        for function in of_type(template, "AWS::Lambda::Function").values()
    }
    assert used == set(groups)
    assert all(group["Properties"]["RetentionInDays"] for group in groups.values())


def test_the_settings_can_be_read_from_what_the_template_sets(template: dict[str, Any]) -> None:
    variables = template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]
    defaults = {
        name: str(parameter["Default"])
        for name, parameter in template["Parameters"].items()
        if "Default" in parameter
    }
    given = {**defaults, "RelayName": "relay.eth", "RpcUrls": "https://a.example/key,https://b.example"}
    environment = {name: given.get(value["Ref"], value["Ref"]) for name, value in variables.items()}
    settings = Settings.read(environment)
    assert settings.tables.inbox == "InboxTable"
    assert settings.bodies_bucket == "BodiesBucket"
    assert settings.keys_parameter == defaults["KeysParameter"]
    assert settings.rpc_urls == ("https://a.example/key", "https://b.example")
    assert settings.message_ttl_days == LEAST_MESSAGE_TTL_DAYS
    assert settings.lenient is False
    assert settings.operator_token_sha256 is None
    token_set = {**environment, "DM3_OPERATOR_TOKEN_SHA256": "ab" * 32}
    assert Settings.read(token_set).operator_token_sha256 == b"\xab" * 32
    assert variables["DM3_OPERATOR_TOKEN_SHA256"] == {"Ref": "OperatorTokenSha256"}
    assert settings.ipfs_gateways == IPFS_GATEWAYS
    assert settings.allow_local_urls is False
    chain = Chain(chain_id=1)
    assert replace(settings.chain, aliases=chain.aliases) == chain


def test_no_secret_stands_in_the_template_or_shows_in_the_console(template: dict[str, Any]) -> None:
    for name in ("RpcUrls", "OperatorTokenSha256"):
        assert template["Parameters"][name]["NoEcho"] is True
    assert "DM3_KEYS" not in template["Resources"]["APIHandler"]["Properties"]["Environment"]["Variables"]


def test_the_api_function_answers_before_the_gateway_gives_up(template: dict[str, Any]) -> None:
    assert template["Resources"]["APIHandler"]["Properties"]["Timeout"] <= GATEWAY_GIVES_UP_AFTER_S


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


def test_every_alarm_reaches_the_topic(template: dict[str, Any]) -> None:
    alarms = of_type(template, "AWS::CloudWatch::Alarm")
    watched = {alarm["Properties"]["MetricName"] for alarm in alarms.values()}
    assert {"Errors", "Throttles", "ConcurrentExecutions", "5XXError", Event.CHAIN_DOWN} <= watched
    down = alarms["ChainDown"]["Properties"]
    assert (down["Namespace"], down["Dimensions"][0]["Name"]) == (NAMESPACE, RELAY)
    assert "ApproximateNumberOfMessagesVisible" in watched
    assert all(alarm["Properties"]["AlarmActions"] == [{"Ref": "AlarmTopic"}] for alarm in alarms.values())
    assert of_type(template, "AWS::Budgets::Budget")
