from __future__ import annotations

import pytest

from chalicelib.protocol.errors import Unavailable
from chalicelib.store.meter import Meter
from chalicelib.store.table import Table, key
from tests.support.aws_faults import AwsFaults, Fault
from tests.support.stores import Aws, item, new_key


def test_requests_and_units_are_counted(aws: Aws) -> None:
    account = new_key()
    aws.meter.reset()
    store = aws.store()
    store.inbox.put(account, item(1))
    store.inbox.exists(account, item(1).key, now_s=0)
    store.inbox.delete(account, [item(n).key for n in range(3)])
    assert aws.meter.calls == {"PutItem": 1, "GetItem": 1, "BatchWriteItem": 1}
    assert aws.meter.read_units > 0
    assert aws.meter.write_units > 0


def test_without_being_asked_it_asks_for_no_units(aws: Aws) -> None:
    meter = Meter()
    assert aws.s3 is not None
    meter.attach(aws.s3)
    meter.attach(aws.dynamodb)
    aws.store(inline_limit_bytes=1).inbox.put(new_key(), item(1))
    assert meter.calls == {"PutObject": 1, "PutItem": 1}
    assert (meter.read_units, meter.write_units) == (0, 0)


def test_failed_requests_count_too(aws: Aws, faults: AwsFaults) -> None:
    aws.meter.reset()
    faults.strike(1, Fault.LOST)
    with pytest.raises(Unavailable):
        Table(aws.dynamodb, aws.names.accounts).delete(key(b"a", b"b"))
    assert aws.meter.calls == {"DeleteItem": 1}


def test_what_reports_no_units_consumes_none(aws: Aws) -> None:
    aws.meter.reset()
    aws.dynamodb.describe_table(TableName=aws.names.inbox)
    assert aws.meter.calls == {"DescribeTable": 1}
    assert (aws.meter.read_units, aws.meter.write_units) == (0, 0)
