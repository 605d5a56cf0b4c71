"""The inbox where DynamoDB and S3 have to work together. What it promises is in tests/store_suite."""

from __future__ import annotations

from typing import Any

import pytest

from chalicelib.protocol.errors import Unavailable
from chalicelib.store import dynamodb_inbox
from chalicelib.store.table import key, number
from tests.support.aws_faults import AwsFaults, Fault
from tests.support.stores import BUCKET, EARLIER_S, NOW_S, Aws, everything, item, new_key

LARGE = item(2, b"l" * 400_000)


def _bodies(aws: Aws) -> int:
    assert aws.s3 is not None
    return aws.s3.list_objects_v2(Bucket=BUCKET)["KeyCount"]


def test_a_body_whose_key_was_taken_is_deleted_again(aws: Aws) -> None:
    inbox, account = aws.store().inbox, new_key()
    inbox.put(account, LARGE)
    inbox.put(account, LARGE)
    assert everything(inbox, account) == [LARGE]
    assert _bodies(aws) == 1


def test_a_write_that_is_sent_twice_keeps_its_body(aws: Aws) -> None:
    """The answer got lost, botocore sends it again, and it fails on the item that it wrote itself."""
    inbox, account = aws.store().inbox, new_key()
    sending = [True]

    def send_first(params: dict[str, Any], **_: object) -> None:
        if sending.pop() if sending else False:
            aws.dynamodb.put_item(**params)

    aws.dynamodb.meta.events.register("before-parameter-build.dynamodb.PutItem", send_first)
    inbox.put(account, LARGE)
    assert everything(inbox, account) == [LARGE]


def test_a_refusal_that_does_not_show_what_stands_deletes_nothing(aws: Aws) -> None:
    inbox, account = aws.store().inbox, new_key()
    inbox.put(account, LARGE)
    aws.dynamodb.meta.events.register(
        "after-call.dynamodb.PutItem", lambda parsed, **_: parsed.pop("Item", None)
    )
    inbox.put(account, LARGE)
    assert everything(inbox, account) == [LARGE]
    assert _bodies(aws) == 2


@pytest.mark.parametrize("fault", [Fault.TIMEOUT, Fault.THROTTLED, Fault.BROKEN])
def test_a_page_ends_before_a_body_that_cannot_be_read_just_now(
    aws: Aws, faults: AwsFaults, fault: Fault
) -> None:
    inbox, account = aws.store().inbox, new_key()
    for one in (item(1), LARGE, item(3)):
        inbox.put(account, one)
    faults.strike(2, fault)
    page = inbox.page(account, after=None, limit=9, max_bytes=10**7, now_s=NOW_S)
    assert faults.seen == ["Query", "GetObject"]
    assert (page.items, page.last, page.unreadable) == ((item(1),), item(1).key, 0)
    faults.strike(2, fault)
    with pytest.raises(Unavailable):
        inbox.page(account, after=page.last, limit=9, max_bytes=10**7, now_s=NOW_S)
    faults.strike(None)
    assert everything(inbox, account, after=page.last) == [LARGE, item(3)]


def test_a_body_over_the_bound_is_not_even_fetched(aws: Aws, faults: AwsFaults) -> None:
    inbox, account = aws.store().inbox, new_key()
    inbox.put(account, item(1))
    inbox.put(account, LARGE)
    faults.strike(None)
    page = inbox.page(account, after=None, limit=9, max_bytes=399_999, now_s=NOW_S)
    assert (page.items, page.last) == ((item(1),), item(1).key)
    assert faults.seen == ["Query"]


def test_an_altered_body_and_an_item_without_content_are_unreadable(aws: Aws) -> None:
    inbox, account = aws.store().inbox, new_key()
    inbox.put(account, LARGE)
    assert aws.s3 is not None
    name = aws.s3.list_objects_v2(Bucket=BUCKET)["Contents"][0]["Key"]
    aws.s3.put_object(Bucket=BUCKET, Key=name, Body=b"short")
    empty: Any = {
        **key(account, item(3).key.to_bytes()),
        "size_bytes": number(1),
        "expires_at": number(NOW_S + 9),
    }
    aws.dynamodb.put_item(TableName=aws.names.inbox, Item=empty)
    inbox.put(account, item(4))
    page = inbox.page(account, after=None, limit=9, max_bytes=10**7, now_s=NOW_S)
    assert (page.items, page.last, page.unreadable) == ((item(4),), None, 2)


def test_a_page_of_nothing_but_expired_items_leads_on(aws: Aws, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dynamodb_inbox, "QUERIES_PER_PAGE", 2)
    inbox, account = aws.store().inbox, new_key()
    for n in range(15):
        inbox.put(account, item(n, expires_at_s=EARLIER_S))
    inbox.put(account, item(20))
    page = inbox.page(account, after=None, limit=1, max_bytes=10**6, now_s=NOW_S)
    assert (page.items, page.last) == ((), item(9).key)
    assert everything(inbox, account, limit=1) == [item(20)]
