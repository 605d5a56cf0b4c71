from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws.mail import SesMailer
from chalicelib.aws.posting import ApiGatewayPoster
from chalicelib.aws.queues import SqsQueues
from chalicelib.aws.sms import SnsTexter
from chalicelib.aws.stream import DynamoStreamReader
from chalicelib.aws.topic import SnsTopic
from chalicelib.carriers import AwsPorts, workshop
from chalicelib.config import Keys, WorkerSettings
from chalicelib.foundation import SystemChance, SystemClock, open_store
from chalicelib.names.counting import uncounted
from chalicelib.notify.absent import Absent
from tests.unit.test_config import COMPLETE, KEYS, TELLING


class Clients:
    """Makes clients that are never called, and remembers for which services."""

    def __init__(self) -> None:
        self.made: list[str] = []

    def __call__(self, service: str) -> Any:  # noqa: ANN401 - as botocore
        self.made.append(service)
        return object()


def ports(clients: Clients, variables: Mapping[str, str], keys: Keys = KEYS) -> AwsPorts:
    settings = WorkerSettings.read({**COMPLETE, **variables})
    store = open_store(settings, clients)
    return AwsPorts(
        settings, keys, store, clients, clock=SystemClock(), chance=SystemChance(), count=uncounted
    )


def test_what_is_set_up_is_there_and_its_client_is_made_when_it_is_needed() -> None:
    clients = Clients()
    here = ports(clients, TELLING)
    assert clients.made == ["dynamodb", "s3"]
    assert isinstance(here.topic, SnsTopic)
    assert isinstance(here.queues, SqsQueues)
    assert isinstance(here.stream, DynamoStreamReader)
    assert isinstance(here.poster, ApiGatewayPoster)
    assert isinstance(here.mailer, SesMailer)
    assert isinstance(here.texter, SnsTexter)
    assert clients.made[2:] == [
        "sns",
        "sqs",
        "dynamodbstreams",
        "apigatewaymanagementapi",
        "sesv2",
        "sns",
    ]
    assert here.topic is here.topic, "once"
    assert here.url == "https://relay.example"


def test_what_is_not_set_up_is_not_there() -> None:
    clients = Clients()
    bare = ports(clients, {}, replace(KEYS, push=None))
    for missing in (bare.topic, bare.queues, bare.stream, bare.poster):
        assert isinstance(missing, Absent)
    assert (bare.mailer, bare.texter, bare.vapid, bare.url) == (None, None, None, None)
    assert clients.made == ["dynamodb", "s3"]


@pytest.mark.parametrize(
    ("variables", "subject"),
    [
        ({"DM3_MAIL_SENDER": "relay@example.com"}, "mailto:relay@example.com"),
        ({}, "https://app.ens.domains/relay.eth"),
    ],
)
def test_push_services_learn_where_the_operator_is_found(variables: dict[str, str], subject: str) -> None:
    vapid = ports(Clients(), variables).vapid
    assert vapid is not None
    assert vapid.subject == subject


def test_a_laptops_relay_may_ask_this_machine() -> None:
    assert ports(Clients(), {"DM3_ALLOW_LOCAL_URLS": "true"}).allow_local
    assert not ports(Clients(), {}).allow_local


def test_the_workshop_touches_nothing() -> None:
    clients = Clients()
    settings = WorkerSettings.read({**COMPLETE, **TELLING})
    workshop(settings, KEYS, open_store(settings, clients), clients, count=uncounted)
    assert clients.made == ["dynamodb", "s3"]
