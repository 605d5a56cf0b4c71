"""Submissions where a refusal does not show what stands. What they promise is in tests/store_suite."""

from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest
from botocore.model import OperationModel

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import InboxKey, Submission
from chalicelib.store.dynamodb_submissions import BEGIN_ATTEMPTS
from chalicelib.store.table import key
from tests.support.stores import LATER_S, NOW_S, Aws, new_key


def _row(partition: bytes, receipt: bytes) -> Submission:
    return Submission(
        partition, b"s" * 32, InboxKey(7, b"i" * 16), receipt, stored=False, expires_at_s=LATER_S
    )


def _hide(aws: Aws, then: Callable[[], object] = lambda: None) -> None:
    """Refusals come without the item that stands; `then` happens before it can be read."""

    def hide(parsed: dict[str, Any], **_: object) -> None:
        if parsed.pop("Item", None) is not None:
            then()

    aws.dynamodb.meta.events.register("after-call.dynamodb.PutItem", hide)


def test_what_stands_is_read_where_the_refusal_does_not_bring_it(aws: Aws) -> None:
    rows, partition = aws.store().submissions, new_key()
    rows.begin(_row(partition, b"first"), now_s=NOW_S)
    _hide(aws)
    assert rows.begin(_row(partition, b"second"), now_s=NOW_S) == _row(partition, b"first")


def test_what_vanishes_meanwhile_is_written_anew(aws: Aws) -> None:
    rows, partition = aws.store().submissions, new_key()
    rows.begin(_row(partition, b"first"), now_s=NOW_S)
    gone: Any = key(partition, b"s" * 32)
    _hide(aws, lambda: aws.dynamodb.delete_item(TableName=aws.names.submissions, Key=gone))
    assert rows.begin(_row(partition, b"second"), now_s=NOW_S) == _row(partition, b"second")


def test_a_table_that_contradicts_itself_is_given_up(aws: Aws) -> None:
    refusal = {"Error": {"Code": "ConditionalCheckFailedException", "Message": "no"}}
    refused: list[str] = []

    def refuse(model: OperationModel, **_: object) -> tuple[SimpleNamespace, object]:
        refused.append(model.name)
        return SimpleNamespace(status_code=400), refusal

    refusing: Callable[..., Any] = refuse
    aws.dynamodb.meta.events.register("before-call.dynamodb.PutItem", refusing)
    with pytest.raises(Unavailable):
        aws.store().submissions.begin(_row(new_key(), b"r"), now_s=NOW_S)
    assert refused == ["PutItem"] * BEGIN_ATTEMPTS
