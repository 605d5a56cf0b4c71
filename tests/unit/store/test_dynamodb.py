from __future__ import annotations

import subprocess
import sys
import time

import pytest

from chalicelib.aws.clients import Patience, client
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.dynamodb import DynamoStore
from tests.support.hostile_server import hostile_server
from tests.support.ports import LOOPBACK, free_port
from tests.support.stores import BUCKET, CREDENTIALS, LATER_S, REGION, Aws, everything, item, new_key

IMPATIENT = Patience(connect_timeout_s=0.2, read_timeout_s=0.3, attempts=2)


def test_importing_the_store_does_not_import_botocore() -> None:
    program = (
        "import sys, chalicelib.store.dynamodb, chalicelib.store.meter, chalicelib.store.tables;"
        "print([name for name in ('botocore', 'boto3', 'urllib3') if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout == "[]\n"


def _store_at(url: str) -> DynamoStore:
    dynamodb = client(
        "dynamodb", region=REGION, endpoint_url=url, credentials=CREDENTIALS, patience=IMPATIENT
    )
    return DynamoStore(
        dynamodb,
        inbox_table="i",
        submissions_table="s",
        accounts_table="a",
        counters_table="c",
        names_table="n",
        connections_table="o",
        deliveries_table="d",
    )


def test_nobody_there_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        _store_at(f"http://{LOOPBACK}:{free_port()}").accounts.get(b"a")


def test_a_server_that_never_answers_is_given_up_in_time() -> None:
    began = time.monotonic()
    with hostile_server() as url:
        store = _store_at(url)
        with pytest.raises(Unavailable):
            store.counters.use_once(b"m", expires_at_s=LATER_S, now_s=1)
    assert time.monotonic() - began < 10


def test_a_server_that_speaks_no_http_is_unavailable() -> None:
    with hostile_server(b"220 this is no HTTP\r\n\r\n") as url:
        store = _store_at(url)
        with pytest.raises(Unavailable):
            store.accounts.get(b"a")


def test_large_messages_go_to_the_bucket(aws: Aws) -> None:
    assert aws.s3 is not None
    store = DynamoStore(
        aws.dynamodb,
        inbox_table=aws.names.inbox,
        submissions_table=aws.names.submissions,
        accounts_table=aws.names.accounts,
        counters_table=aws.names.counters,
        names_table=aws.names.names,
        connections_table=aws.names.connections,
        deliveries_table=aws.names.deliveries,
        s3_client=aws.s3,
        bucket=BUCKET,
        inline_limit_bytes=10,
    )
    account = new_key()
    store.inbox.put(account, item(1, b"x" * 10))
    store.inbox.put(account, item(2, b"y" * 11))
    assert aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"] == 1
    assert [one.blob for one in everything(store.inbox, account)] == [b"x" * 10, b"y" * 11]


def test_without_a_bucket_large_messages_are_refused_and_small_ones_are_not(aws: Aws) -> None:
    store = DynamoStore(
        aws.dynamodb,
        inbox_table=aws.names.inbox,
        submissions_table=aws.names.submissions,
        accounts_table=aws.names.accounts,
        counters_table=aws.names.counters,
        names_table=aws.names.names,
        connections_table=aws.names.connections,
        deliveries_table=aws.names.deliveries,
        inline_limit_bytes=10,
    )
    account = new_key()
    store.inbox.put(account, item(1, b"x" * 10))
    with pytest.raises(Unavailable):
        store.inbox.put(account, item(2, b"y" * 11))
    assert everything(store.inbox, account) == [item(1, b"x" * 10)]
