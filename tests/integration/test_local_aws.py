"""The laptop's AWS: moto behind a lock, and the pump from the inbox's stream to the sweeper."""

from __future__ import annotations

import os
import time
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from chalicelib.config import InvalidSettings, Keys, Settings, SweeperSettings
from chalicelib.foundation import keys_of, open_store
from chalicelib.process import Sweeper, Wiring
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.ports import Charge, InboxItem, InboxKey
from chalicelib.store.dynamodb import DynamoStore
from infra.local.aws import LocalAws, local_aws
from infra.local.pumps import immortal
from infra.local.streams import StreamPump, removed_with_body
from tests.support.dynalite import dynalite, why_missing
from tests.support.ministack import ministack

ACCOUNT = b"a" * 32
KEY = InboxKey(1_700_000_000_000, b"m" * 16)
NEVER_S = 9_999_999_999
LARGE = b"x" * 500_000
KEYS = Keys(b"e" * 32, b"s" * 32, b"t" * 32, b"i" * 32, (b"n" * 32,))


@pytest.fixture
def aws() -> Iterator[LocalAws]:
    with local_aws() as aws:
        yield aws


@pytest.fixture
def store(aws: LocalAws) -> DynamoStore:
    return DynamoStore(
        aws.clients("dynamodb"),
        inbox_table=aws.tables.inbox,
        submissions_table=aws.tables.submissions,
        accounts_table=aws.tables.accounts,
        counters_table=aws.tables.counters,
        names_table=aws.tables.names,
        connections_table=aws.tables.connections,
        deliveries_table=aws.tables.deliveries,
        s3_client=aws.clients("s3"),
        bucket=aws.bucket,
    )


def settings(aws: LocalAws, **changed: str) -> Settings:
    return Settings.read(
        {
            "DM3_RELAY_NAME": "relay.eth",
            "DM3_RPC_URLS": "http://127.0.0.1:1",
            "DM3_KEYS": KEYS.to_text(),
            "DM3_INBOX_TABLE": aws.tables.inbox,
            "DM3_SUBMISSIONS_TABLE": aws.tables.submissions,
            "DM3_ACCOUNTS_TABLE": aws.tables.accounts,
            "DM3_COUNTERS_TABLE": aws.tables.counters,
            "DM3_NAMES_TABLE": aws.tables.names,
            "DM3_CONNECTIONS_TABLE": aws.tables.connections,
            "DM3_DELIVERIES_TABLE": aws.tables.deliveries,
            "DM3_BODIES_BUCKET": aws.bucket,
            **changed,
        }
    )


def bodies(aws: LocalAws) -> list[str]:
    listed = aws.clients("s3").list_objects_v2(Bucket=aws.bucket)
    return [body["Key"] for body in listed.get("Contents", ())]


def test_a_counter_is_exact_from_many_threads(store: DynamoStore) -> None:
    """moto alone loses conditions here: two threads read before either writes."""
    charge = Charge(b"c" * 32, 1, 20, NEVER_S)
    with ThreadPoolExecutor(8) as people:
        granted = list(people.map(lambda _: store.counters.charge(charge, now_s=1), range(40)))
    assert granted.count(True) == 20


def test_the_environment_is_left_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCOUNT_ID_ENDPOINT_MODE", "preferred")
    with local_aws():
        assert os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] == "disabled"
    assert os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] == "preferred"


def test_a_deleted_message_takes_its_body_along(aws: LocalAws, store: DynamoStore) -> None:
    store.inbox.put(ACCOUNT, InboxItem(KEY, LARGE, NEVER_S))
    small = InboxKey(KEY.stored_at_ms + 1, KEY.message_id)
    store.inbox.put(ACCOUNT, InboxItem(small, b"small", NEVER_S))
    assert len(bodies(aws)) == 1
    assert aws.stream_arn is not None
    seen: list[Mapping[str, Any]] = []
    sweeper = Sweeper(lambda: SweeperSettings(aws.bucket), clients=aws.clients)

    def sweep(event: Mapping[str, Any]) -> None:
        seen.append(event)
        sweeper.sweep(event)

    pump = StreamPump("bodies", aws.streams, aws.stream_arn, immortal(sweep), wanted=removed_with_body)
    pump.poll()
    assert seen == [], "nothing was removed"
    store.inbox.delete(ACCOUNT, [KEY, small])
    pump.poll()
    assert bodies(aws) == []
    (event,) = seen
    (record,) = event["Records"]
    assert record["eventName"] == "REMOVE"
    assert all(isinstance(value, str) for value in record["dynamodb"]["Keys"]["pk"].values()), (
        "as JSON has it"
    )
    pump.poll()
    assert len(seen) == 1


def test_what_the_handler_did_not_take_is_repeated(aws: LocalAws, store: DynamoStore) -> None:
    store.inbox.put(ACCOUNT, InboxItem(KEY, LARGE, NEVER_S))
    store.inbox.delete(ACCOUNT, [KEY])
    seen: list[int] = []

    def handler(event: Mapping[str, Any]) -> None:
        seen.append(len(event["Records"]))
        if len(seen) == 1:
            raise Unavailable

    assert aws.stream_arn is not None
    pump = StreamPump("bodies", aws.streams, aws.stream_arn, immortal(handler), wanted=removed_with_body)
    assert pump.poll(), "there is something left"
    assert not pump.poll()
    assert seen == [1, 1]


def test_the_pump_outlives_a_failure_and_stops_when_told(aws: LocalAws) -> None:
    nowhere = "arn:aws:dynamodb:us-east-1:1:table/none/stream/none"
    pump = StreamPump("bodies", aws.streams, nowhere, immortal(lambda _: None), wanted=removed_with_body)
    pump.start()
    pump.stop()


def test_the_relay_is_built_once_and_when_it_is_needed(aws: LocalAws) -> None:
    made: list[str] = []

    def clients(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        made.append(service)
        return aws.clients(service)

    wiring = Wiring(lambda: settings(aws), clients=clients)
    assert made == []
    with ThreadPoolExecutor(4) as people:
        relays = list(people.map(lambda _: wiring.relay(), range(8)))
    assert len({id(relay) for relay in relays}) == 1
    assert sorted(made) == ["dynamodb", "s3"]
    wiring.probe()


def test_wrong_settings_are_the_operators_affair(aws: LocalAws) -> None:
    wiring = Wiring(lambda: settings(aws, DM3_RPC_URLS=""), clients=aws.clients)
    with pytest.raises(InternalError) as told:
        wiring.relay()
    assert "DM3" not in told.value.message


def test_a_store_that_is_gone_is_unavailable(aws: LocalAws) -> None:
    wiring = Wiring(lambda: settings(aws, DM3_COUNTERS_TABLE="gone"), clients=aws.clients)
    with pytest.raises(Unavailable):
        wiring.probe()


class Ssm:
    def __init__(self, text: str | None) -> None:
        self._text = text

    def get_parameter(self, **asked: object) -> dict[str, dict[str, str]]:
        from botocore.exceptions import ReadTimeoutError

        assert asked == {"Name": "/dm3/keys", "WithDecryption": True}
        if self._text is None:
            raise ReadTimeoutError(endpoint_url="")
        return {"Parameter": {"Value": self._text}}


def test_keys_may_come_from_a_parameter(aws: LocalAws) -> None:
    stored = settings(aws, DM3_KEYS="", DM3_KEYS_PARAMETER="/dm3/keys")
    assert keys_of(stored, lambda _: Ssm(KEYS.to_text())) == KEYS
    with pytest.raises(Unavailable):
        keys_of(stored, lambda _: Ssm(None))
    with pytest.raises(InvalidSettings):
        keys_of(stored, lambda _: Ssm("{}"))


def test_an_endpoint_that_does_not_answer_is_told_in_one_sentence() -> None:
    with (
        pytest.raises(ConnectionError, match="the AWS endpoint does not answer"),
        local_aws("http://127.0.0.1:9"),
    ):
        pytest.fail("nothing listens there")


@pytest.mark.ministack
def test_another_endpoint_has_everything_and_is_left_empty() -> None:
    with ministack() as url:
        with local_aws(url) as aws:
            seen: list[Mapping[str, Any]] = []
            store = open_store(settings(aws), aws.clients)
            store.inbox.put(ACCOUNT, InboxItem(KEY, LARGE, NEVER_S))
            store.inbox.delete(ACCOUNT, [KEY])
            assert aws.stream_arn is not None
            pump = StreamPump(
                "bodies", aws.streams, aws.stream_arn, immortal(seen.append), wanted=removed_with_body
            )
            deadline = time.monotonic() + 20
            while not seen and time.monotonic() < deadline:
                pump.poll()
            assert len(seen) == 1
            clients = aws.clients
        assert clients("dynamodb").list_tables()["TableNames"] == []
        assert clients("s3").list_buckets()["Buckets"] == []


@pytest.mark.dynalite
@pytest.mark.skipif(why_missing() is not None, reason="dynalite is not there")
def test_an_endpoint_with_dynamodb_alone_will_do_for_messages_of_usual_size() -> None:
    with dynalite() as url, local_aws(url) as aws:
        store = open_store(settings(aws), aws.clients)
        store.inbox.put(ACCOUNT, InboxItem(KEY, b"small", NEVER_S))
        assert store.inbox.exists(ACCOUNT, KEY, now_s=1)
        assert aws.stream_arn is None
        with pytest.raises(Unavailable):
            store.inbox.put(ACCOUNT, InboxItem(InboxKey(1, b"l" * 16), LARGE, NEVER_S))
