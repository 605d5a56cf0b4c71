"""Builds what worlds stand on: tables, a bucket, a chain with three names."""

from __future__ import annotations

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from moto import mock_aws

from chalicelib.aws.clients import client
from chalicelib.client.wallet import Wallet
from chalicelib.names.http_transport import HttpTransport
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.profile import (
    DELIVERY_SERVICE_RECORD,
    USER_PROFILE_RECORD,
    DeliveryServiceProfile,
)
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.relay.settings import RelayKeys
from chalicelib.store.tables import create_tables
from infra.local.chain import Chain, start_chain
from tests.faults.people import Person
from tests.faults.wire import Wire
from tests.faults.world import Ground

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

RELAY_NAME = "relay.eth"
BUCKET = "bodies"
PREFIX = "test-"
REGION = "us-east-1"
CREDENTIALS = ("test", "test")


def relay_keys() -> RelayKeys:
    """New keys of a delivery service."""
    return RelayKeys(encryption_key_pair(secrets.token_bytes(32)), signing_key_pair(secrets.token_bytes(32)))


def publish_relay(chain: Chain, keys: RelayKeys) -> None:
    """The relay's own profile, at `RELAY_NAME`."""
    profile = DeliveryServiceProfile(
        keys.encryption.public_key, keys.signing.public_key, "https://relay.example"
    )
    chain.register(RELAY_NAME, texts={DELIVERY_SERVICE_RECORD: data_uri(profile.to_json())})


def publish_person(chain: Chain, name: str, owner: int) -> Person:
    """A person whose wallet is one of the node's accounts, with name and profile on the chain."""
    person = Person.create(name, Wallet.parse(chain.accounts[owner][1]), RELAY_NAME)
    chain.register(name, owner, texts={USER_PROFILE_RECORD: person.record})
    return person


@contextmanager
def ground_on(aws_url: str | None, wire: Wire, *, bare: bool) -> Iterator[Ground]:
    """Tables at `aws_url` (None: where moto is), names on a chain of its own, all calls over `wire`."""
    dynamodb, s3 = clients(aws_url)
    tables = create_tables(dynamodb, PREFIX, bare=bare)
    keys = relay_keys()
    with start_chain() as chain:
        publish_relay(chain, keys)
        alice, bob = publish_person(chain, "alice.eth", 1), publish_person(chain, "bob.eth", 2)
        transport = HttpTransport(chain.rpc_url)
        wire.watch(dynamodb)
        wire.watch(s3)
        yield Ground(
            aws_url=aws_url,
            rpc_url=chain.rpc_url,
            dynamodb=dynamodb,
            s3=s3,
            tables=tables,
            bucket=BUCKET,
            transport=wire.transport(transport),
            relay_name=RELAY_NAME,
            keys=keys,
            alice=alice,
            bob=bob,
        )
        transport.close()


def clients(aws_url: str | None) -> tuple[DynamoDBClient, S3Client]:
    """DynamoDB at `aws_url`, S3 wherever botocore finds it: tests that use it have moto there."""
    return (
        client("dynamodb", region=REGION, endpoint_url=aws_url, credentials=CREDENTIALS),
        client("s3", region=REGION, credentials=CREDENTIALS),
    )


@contextmanager
def moto_ground(wire: Wire) -> Iterator[Ground]:
    """AWS in this process."""
    with mock_aws(), ground_on(None, wire, bare=False) as ground:
        ground.s3.create_bucket(Bucket=BUCKET)
        yield ground
