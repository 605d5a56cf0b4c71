"""The packaged relay in MiniStack, which obeys the roles in the template as AWS does."""

from __future__ import annotations

import json
import secrets
import time

import pytest
import urllib3

from chalicelib.store.bodies import BODY
from tests.interop.people import People
from tests.interop.reference import start_reference
from tests.support.packaged import Deployed

pytestmark = [
    pytest.mark.ministack,
    pytest.mark.chain,
    pytest.mark.xdist_group("deployed-relay"),
]

SWEPT_WITHIN_S = 60
LARGE_BYTES = 1_000_000  # more than an item of DynamoDB holds

ORIGIN = {"Origin": "https://app.example"}


def ask(
    deployed: Deployed,
    method: str,
    path: str,
    *,
    json: object = None,
    headers: dict[str, str] | None = None,
) -> urllib3.BaseHTTPResponse:
    url = deployed.relay.url + path
    with urllib3.PoolManager() as pool:
        return pool.request(method, url, json=json, headers=headers, timeout=60, retries=False)


def test_every_resource_of_the_template_is_there(deployed_stack: Deployed) -> None:
    kinds = [kind for kind, _ in deployed_stack.deployment.resources.values()]
    for kind, count in {
        "AWS::DynamoDB::Table": 7,
        "AWS::S3::Bucket": 1,
        "AWS::S3::BucketPolicy": 1,
        "AWS::Lambda::Function": 14,
        "AWS::IAM::Role": 14,
        # Two read the inbox's stream; e-mail and SMS are not offered here, so their queues are not worked.
        "AWS::Lambda::EventSourceMapping": 7,
        "AWS::ApiGateway::RestApi": 1,
        "AWS::ApiGateway::Stage": 1,
        "AWS::ApiGatewayV2::Api": 1,
        "AWS::ApiGatewayV2::Stage": 1,
        "AWS::SNS::Topic": 2,
        "AWS::SNS::Subscription": 3,
        "AWS::SQS::Queue": 15,
        "AWS::Events::Rule": 1,
        "AWS::CloudFront::Distribution": 1,
        "AWS::CloudFront::Function": 1,
        "AWS::Logs::LogGroup": 14,
        "AWS::CloudWatch::Alarm": 24,
    }.items():
        assert kinds.count(kind) == count, kind


def test_it_says_hello(deployed_stack: Deployed) -> None:
    answer = ask(deployed_stack, "GET", "/hello")
    assert (answer.status, answer.data) == (200, b"Hello DM3")


def test_it_reaches_its_store_with_the_role_it_has(deployed_stack: Deployed) -> None:
    assert ask(deployed_stack, "GET", "/health/store").status == 200


def through_the_front(deployed: Deployed, path: str, headers: dict[str, str] | None = None) -> str:
    """What the distribution answers. MiniStack knows it by its host, and takes anybody's word for TLS."""
    front = {"Host": deployed.deployment.front_host, "X-Forwarded-Proto": "https", **(headers or {})}
    with urllib3.PoolManager() as pool:
        answer = pool.request("GET", deployed.cloud.endpoint_url + path, headers=front, retries=False)
    return f"{answer.status} {answer.data.decode()}"


def test_the_distribution_leads_to_the_rest_side(deployed_stack: Deployed) -> None:
    assert through_the_front(deployed_stack, "/hello") == "200 Hello DM3"
    assert through_the_front(deployed_stack, "/health/store").startswith("200 ")
    assert through_the_front(deployed_stack, "/no/such/place") == '404 {"error":"Not found"}'


def test_it_answers_json_rpc(deployed_stack: Deployed) -> None:
    request = {"jsonrpc": "2.0", "id": 7, "method": "dm3_getDeliveryServiceProperties", "params": []}
    answer = ask(deployed_stack, "POST", "/rpc", json=request)
    result = json.loads(answer.data)
    assert (answer.status, result["id"]) == (200, 7)
    assert result["result"]["messageTTL"] >= 30
    assert result["result"]["sizeLimit"] == 3_000_000


def test_what_the_gateway_refuses_can_be_read_by_a_browser(deployed_stack: Deployed) -> None:
    answer = ask(deployed_stack, "GET", "/no/such/place", headers=ORIGIN)
    assert answer.status == 404
    assert json.loads(answer.data) == {"error": "Not found"}
    assert answer.headers["Access-Control-Allow-Origin"] == "*"


def test_a_preflight_is_answered(deployed_stack: Deployed) -> None:
    headers = {
        **ORIGIN,
        "Access-Control-Request-Method": "POST",
        "Access-Control-Request-Headers": "content-type",
    }
    answer = ask(deployed_stack, "OPTIONS", "/rpc", headers=headers)
    assert answer.status == 200
    assert answer.headers["Access-Control-Allow-Origin"] == "*"
    assert "POST" in answer.headers["Access-Control-Allow-Methods"]
    assert "content-type" in answer.headers["Access-Control-Allow-Headers"].lower()


def bodies(deployed: Deployed) -> set[str]:
    bucket = deployed.deployment.outputs["BodiesBucketName"]
    listed = deployed.cloud.client("s3").list_objects_v2(Bucket=bucket)
    return {item["Key"] for item in listed.get("Contents", [])}


def wait_until_gone(deployed: Deployed, names: set[str]) -> set[str]:
    """What is left of `names` after a while."""
    until = time.monotonic() + SWEPT_WITHIN_S
    while (left := names & bodies(deployed)) and time.monotonic() < until:
        time.sleep(0.5)
    return left


def test_a_body_goes_when_its_message_goes_and_no_other(deployed_stack: Deployed) -> None:
    outputs = deployed_stack.deployment.outputs
    table, bucket = outputs["InboxTableName"], outputs["BodiesBucketName"]
    dynamodb, s3 = deployed_stack.cloud.client("dynamodb"), deployed_stack.cloud.client("s3")
    for name in ("goes", "stays"):
        key = {"pk": {"B": b"account"}, "sk": {"B": name.encode()}}
        s3.put_object(Bucket=bucket, Key=name, Body=b"sealed")
        dynamodb.put_item(TableName=table, Item={**key, BODY: {"S": name}, "expires_at": {"N": "9999999999"}})
    dynamodb.delete_item(TableName=table, Key={"pk": {"B": b"account"}, "sk": {"B": b"goes"}})
    assert wait_until_gone(deployed_stack, {"goes"}) == set()
    assert "stays" in bodies(deployed_stack)


@pytest.mark.npm
def test_a_large_message_goes_through_the_bucket_and_leaves_it_when_acknowledged(
    deployed_stack: Deployed,
) -> None:
    before = bodies(deployed_stack)
    text = secrets.token_hex(LARGE_BYTES // 2)
    with start_reference() as reference:
        people = People(reference, deployed_stack.relay)
        alice, bob = people.join("alice"), people.join("bob")
        sent = alice.send(bob, text)
        new = bodies(deployed_stack) - before
        assert len(new) == 1
        (envelop,) = bob.incoming()
        assert bob.open(envelop, alice)["message"]["message"] == text
        acknowledgement = {
            "contactAddress": alice.name,
            "messageHash": sent["envelop"]["metadata"]["encryptedMessageHash"],
        }
        bob.call("acknowledge", acknowledgements=[acknowledgement])
        assert bob.incoming() == []
    assert wait_until_gone(deployed_stack, new) == set()
