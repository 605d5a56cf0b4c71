"""The relay's storage on each of its backends, ready for tests."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol

from moto import mock_aws

from chalicelib.aws.clients import Patience, client
from chalicelib.notify.ports import NotifyStores
from chalicelib.relay.ports import InboxItem, InboxKey, InboxStore, Stores
from chalicelib.store.bodies import Bodies, BodyMissing, S3Bodies, random_name
from chalicelib.store.dynamodb import DynamoStore
from chalicelib.store.dynamodb_inbox import INLINE_LIMIT_BYTES
from chalicelib.store.memory import MemoryStore
from chalicelib.store.meter import Meter
from chalicelib.store.tables import TableNames, create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

NOW_S = 4_000_000_000
"""The tests' present. It lies far in the future, so that no emulator's own expiry interferes."""
LATER_S = NOW_S + 86_400
EARLIER_S = NOW_S - 86_400

REGION = "us-east-1"
CREDENTIALS = ("testing", "testing")
BUCKET = "bodies"


class DictBodies:
    """Bodies in a dictionary, for a backend that has no S3."""

    def __init__(self) -> None:
        self.kept: dict[str, bytes] = {}

    def put(self, blob: bytes) -> str:
        name = random_name()
        self.kept[name] = blob
        return name

    def get(self, name: str) -> bytes:
        if name not in self.kept:
            raise BodyMissing
        return self.kept[name]

    def delete(self, names: Sequence[str]) -> None:
        for name in names:
            self.kept.pop(name, None)


@dataclass(frozen=True)
class Aws:
    """Clients of one emulator, the tables in it, and a meter on the DynamoDB client."""

    dynamodb: DynamoDBClient
    s3: S3Client | None
    names: TableNames
    bodies: Bodies
    meter: Meter

    def store(self, *, inline_limit_bytes: int = INLINE_LIMIT_BYTES) -> DynamoStore:
        """A new adapter on the same data, as after a restart."""
        return DynamoStore(
            self.dynamodb,
            inbox_table=self.names.inbox,
            submissions_table=self.names.submissions,
            accounts_table=self.names.accounts,
            counters_table=self.names.counters,
            names_table=self.names.names,
            connections_table=self.names.connections,
            deliveries_table=self.names.deliveries,
            bodies=self.bodies,
            inline_limit_bytes=inline_limit_bytes,
        )


class AllStores(Stores, NotifyStores, Protocol):
    """What the relay keeps and what telling receivers keeps."""


@dataclass(frozen=True)
class Backend:
    """A store under test. `aws` is None for the simulator in memory."""

    name: str
    store: AllStores
    aws: Aws | None


def memory_backend() -> Backend:
    """The simulator."""
    return Backend("memory", MemoryStore(), None)


@contextmanager
def moto_backend() -> Iterator[Backend]:
    """moto in this process, empty."""
    with mock_aws(), aws_at(None) as aws:
        yield Backend("moto", aws.store(), aws)


@contextmanager
def aws_at(url: str | None, *, bare: bool = False) -> Iterator[Aws]:
    """Tables at an emulator's URL; `bare` if it knows neither S3, streams nor expiry."""
    patience = Patience(read_timeout_s=30.0, attempts=1)
    with ExitStack() as closing:
        dynamodb = client(
            "dynamodb",
            region=REGION,
            endpoint_url=url,
            patience=patience,
            credentials=CREDENTIALS,
            connections=64,
        )
        closing.callback(dynamodb.close)
        s3: S3Client | None = None
        bodies: Bodies = DictBodies()
        if not bare:
            s3 = client("s3", region=REGION, endpoint_url=url, patience=patience, credentials=CREDENTIALS)
            closing.callback(s3.close)
            s3.create_bucket(Bucket=BUCKET)
            bodies = S3Bodies(s3, BUCKET)
        names = create_tables(dynamodb, "relay-", bare=bare)
        meter = Meter()
        meter.attach(dynamodb, capacity=True)
        yield Aws(dynamodb, s3, names, bodies, meter)


def new_key() -> bytes:
    """A key nobody has used: every test has partitions of its own in tables that others use too."""
    return os.urandom(32)


def new_shard() -> int:
    """A shard nobody has used, far from those that the relay uses."""
    return 1_000 + int.from_bytes(os.urandom(2), "big") // 2


def item(
    number: int, blob: bytes = b"sealed", *, at_ms: int = NOW_S * 1000, expires_at_s: int = LATER_S
) -> InboxItem:
    """The `number`-th message of an inbox, one millisecond after the one before."""
    return InboxItem(InboxKey(at_ms + number, number.to_bytes(16, "big")), blob, expires_at_s)


def everything(
    inbox: InboxStore,
    account: bytes,
    *,
    limit: int = 100,
    max_bytes: int = 1_000_000,
    now_s: int = NOW_S,
    after: InboxKey | None = None,
) -> list[InboxItem]:
    """All items of the inbox, page by page."""
    found: list[InboxItem] = []
    while True:
        page = inbox.page(account, after=after, limit=limit, max_bytes=max_bytes, now_s=now_s)
        found += page.items
        if page.last is None:
            return found
        assert after is None or page.last > after, "a page that does not lead on"
        after = page.last
