"""The packaged relay in MiniStack tells its receivers: stream, topic, queues, sockets, and the clock.

Roles are obeyed (`tests.support.packaged`), so that each function gets along with the rights that it has.
Sockets are opened at the WebSocket API itself: MiniStack's CloudFront carries none.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, TypeVar

import pytest
import urllib3
from websockets.sync.client import ClientConnection, connect

from chalicelib.client import Dm3Client, Identity, Wallet
from chalicelib.notify.events import MESSAGE_RECEIVED, MessageReceived
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from chalicelib.protocol.signing import sign
from tests.support.packaged import RELAY_NAME, Deployed

pytestmark = [
    pytest.mark.ministack,
    pytest.mark.chain,
    pytest.mark.xdist_group("deployed-relay"),
]

WITHIN_S = 60
SOCKETS_WITHIN_S = 20
ENGINE_IO = "?EIO=4&transport=websocket"

T = TypeVar("T")


@dataclass(frozen=True)
class Member:
    """Somebody with an account at the deployed relay."""

    identity: Identity
    client: Dm3Client
    url: str

    @property
    def name(self) -> str:
        return self.identity.name

    def token(self) -> str:
        """A session's token."""
        with urllib3.PoolManager() as pool:
            where = f"{self.url}/auth/{self.name}"
            challenge = pool.request("GET", where).json()
            signature = sign(self.identity.keys.signing.private_key, challenge)
            body = {"challenge": challenge, "signature": signature}
            token: str = pool.request("POST", where, json=body).json()
        return token


def joined(deployed: Deployed, name: str, account: int) -> Member:
    wallet = Wallet.parse(deployed.chain.accounts[account][1])
    identity = Identity.create(name, wallet.address, wallet.sign, [RELAY_NAME])
    texts = {USER_PROFILE_RECORD: identity.profile_record()}
    deployed.chain.register(name, account, address=wallet.address, texts=texts)
    relay = deployed.relay
    client = Dm3Client.connect(identity, relay.rpc_url, universal_resolver=relay.universal_resolver)
    assert client.register() == (RELAY_NAME,)
    return Member(identity, client, relay.url)


@pytest.fixture(scope="module")
def alice(deployed_stack: Deployed) -> Member:
    return joined(deployed_stack, "alice-told.eth", 3)


@pytest.fixture(scope="module")
def bob(deployed_stack: Deployed) -> Member:
    return joined(deployed_stack, "bob-told.eth", 4)


def wait_for(look: Callable[[], T | None]) -> T:
    until = time.monotonic() + WITHIN_S
    while (found := look()) is None:
        assert time.monotonic() < until, "not in time"
        time.sleep(0.2)
    return found


class Subscriber:
    """A queue of an operator's own at the topic."""

    def __init__(self, deployed: Deployed, attributes: dict[str, str]) -> None:
        self._sqs = deployed.cloud.client("sqs")
        self._url = self._sqs.create_queue(QueueName=f"operator-{time.monotonic_ns()}")["QueueUrl"]
        arn = self._sqs.get_queue_attributes(QueueUrl=self._url, AttributeNames=["QueueArn"])
        topic = deployed.deployment.outputs["TopicArn"]
        queue_arn = arn["Attributes"]["QueueArn"]
        statement = {
            "Effect": "Allow",
            "Principal": {"Service": "sns.amazonaws.com"},
            "Action": "sqs:SendMessage",
            "Resource": queue_arn,
            "Condition": {"ArnEquals": {"aws:SourceArn": topic}},
        }
        policy = json.dumps({"Version": "2012-10-17", "Statement": [statement]})
        self._sqs.set_queue_attributes(QueueUrl=self._url, Attributes={"Policy": policy})
        deployed.cloud.client("sns").subscribe(
            TopicArn=topic,
            Protocol="sqs",
            Endpoint=queue_arn,
            Attributes={"RawMessageDelivery": "true", **attributes},
        )

    def texts(self) -> list[str]:
        """What has come by now."""
        answer = self._sqs.receive_message(QueueUrl=self._url, MaxNumberOfMessages=10, WaitTimeSeconds=1)
        return [message["Body"] for message in answer.get("Messages", [])]


def test_who_subscribes_to_the_topic_hears_of_mail_and_learns_no_name(
    deployed_stack: Deployed, alice: Member, bob: Member
) -> None:
    everything = Subscriber(deployed_stack, {})
    pushes = Subscriber(deployed_stack, {"FilterPolicy": json.dumps({"channels": ["push"]})})
    assert alice.client.send(bob.name, "hello").delivered
    (text,) = wait_for(lambda: everything.texts() or None)
    event = MessageReceived.parse(text)
    assert json.loads(text)["type"] == MESSAGE_RECEIVED
    (received,) = bob.client.inbox()
    assert received.id is not None
    assert event.message_id in text
    for secret in ("alice", "bob", alice.identity.address.lower(), bob.identity.address.lower(), "hello"):
        assert secret not in text.lower()
    assert pushes.texts() == [], "nobody asked for it"
    bob.client.acknowledge([received])


@contextmanager
def socket(deployed: Deployed, query: str = "") -> Iterator[ClientConnection]:
    with connect(deployed.deployment.sockets_url + query, compression=None) as one:
        yield one


def next_json(one: ClientConnection) -> dict[str, Any]:
    text = one.recv(timeout=SOCKETS_WITHIN_S)
    assert isinstance(text, str)
    frame: dict[str, Any] = json.loads(text)
    return frame


def subscribe(one: ClientConnection, member: Member) -> None:
    one.send(json.dumps({"type": "subscribe", "name": member.name, "token": member.token(), "cursor": None}))
    assert next_json(one)["type"] == "subscribed"
    while next_json(one)["type"] != "caughtUp":
        pass


def test_a_message_reaches_an_open_socket_and_is_acknowledged_over_it(
    deployed_stack: Deployed, alice: Member, bob: Member
) -> None:
    with socket(deployed_stack) as one:
        subscribe(one, bob)
        assert alice.client.send(bob.name, "to the open app").delivered
        pushed = next_json(one)
        assert pushed["type"] == "message"
        (waiting,) = bob.client.inbox()
        one.send(json.dumps({"type": "acknowledge", "ids": [pushed["message"]["id"]], "ref": "r"}))
        assert next_json(one) == {"type": "acknowledged", "count": 1, "ref": "r"}
        assert waiting.text == "to the open app"
        assert list(bob.client.inbox()) == []


def test_a_socket_of_the_reference_s_kind_is_greeted_and_signed_in(
    deployed_stack: Deployed, bob: Member
) -> None:
    with socket(deployed_stack, ENGINE_IO) as one:
        opened = str(one.recv(timeout=SOCKETS_WITHIN_S))
        assert opened[0] == "0"
        assert json.loads(opened[1:]).keys() >= {"sid", "pingInterval", "pingTimeout", "upgrades"}
        auth = {"account": {"ensName": bob.name}, "token": bob.token()}
        one.send("40" + json.dumps(auth))
        assert str(one.recv(timeout=SOCKETS_WITHIN_S)).startswith("40{")
        assert str(one.recv(timeout=SOCKETS_WITHIN_S)) == '42["authorized"]'


def connections(deployed: Deployed) -> int:
    table = deployed.deployment.outputs["ConnectionsTableName"]
    scanned = deployed.cloud.client("dynamodb").scan(TableName=table, Select="COUNT")
    return int(scanned["Count"])


def test_a_socket_that_is_closed_is_forgotten(deployed_stack: Deployed, bob: Member) -> None:
    wait_for(lambda: True if connections(deployed_stack) == 0 else None)
    with socket(deployed_stack) as one:
        subscribe(one, bob)
        assert connections(deployed_stack) > 0
    wait_for(lambda: True if connections(deployed_stack) == 0 else None)


@pytest.mark.parametrize("queue", ["Webhooks", "Push", "Sockets", "Untold", "Greetings"])
def test_what_is_poison_ends_where_failures_are_kept(deployed_stack: Deployed, queue: str) -> None:
    sqs = deployed_stack.cloud.client("sqs")
    outputs = deployed_stack.deployment.outputs
    url, failures_url = outputs[f"{queue}QueueUrl"], outputs[f"{queue}FailuresUrl"]
    visible = sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["VisibilityTimeout"])["Attributes"]
    # Six timeouts of the function lie between two tries, which nobody waits for here.
    sqs.set_queue_attributes(QueueUrl=url, Attributes={"VisibilityTimeout": "1"})
    poison = json.dumps({"neither": queue})
    sqs.send_message(QueueUrl=url, MessageBody=poison)

    def given_up() -> list[str] | None:
        answer = sqs.receive_message(QueueUrl=failures_url, WaitTimeSeconds=1)
        return [message["Body"] for message in answer.get("Messages", [])] or None

    assert wait_for(given_up) == [poison]
    sqs.set_queue_attributes(QueueUrl=url, Attributes=visible)


def test_the_minute_has_the_rights_that_it_needs(deployed_stack: Deployed) -> None:
    _, name = deployed_stack.deployment.resources["Minute"]
    answer = deployed_stack.cloud.client("lambda").invoke(FunctionName=name, Payload=b"{}")
    assert "FunctionError" not in answer, answer["Payload"].read().decode()


def test_the_clock_is_wound(deployed_stack: Deployed) -> None:
    events = deployed_stack.cloud.client("events")
    _, rule = deployed_stack.deployment.resources["EachMinute"]
    name = rule.rpartition("/")[2].rpartition("|")[2]
    assert events.describe_rule(Name=name)["State"] == "ENABLED"
    (target,) = events.list_targets_by_rule(Rule=name)["Targets"]
    assert deployed_stack.deployment.resources["Minute"][1] in target["Arn"]
