from __future__ import annotations

from collections.abc import Callable
from types import SimpleNamespace
from typing import Any

import pytest

from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.store.table import BATCH_ATTEMPTS, ConditionFailed, Table, is_live, key, number
from tests.support.stores import Aws

KEYS = [key(bytes([n]) * 8, b"sort") for n in range(60)]


@pytest.fixture
def pauses() -> list[float]:
    return []


@pytest.fixture
def table(aws: Aws, pauses: list[float]) -> Table:
    return Table(aws.dynamodb, aws.names.accounts, sleep=pauses.append)


def _answers(aws: Aws, operation: str, answer: Callable[[dict[str, Any]], dict[str, Any] | None]) -> None:
    """Let `answer` replace what AWS says to `operation`, given its parameters; None leaves it to AWS."""
    asked: list[dict[str, Any]] = []

    def note(params: dict[str, Any], **_: object) -> None:
        asked.append(params)

    def replace(**_: object) -> tuple[SimpleNamespace, dict[str, Any]] | None:
        said = answer(asked[-1])
        return None if said is None else (SimpleNamespace(status_code=200), said)

    replacing: Callable[..., Any] = replace
    aws.dynamodb.meta.events.register(f"before-parameter-build.dynamodb.{operation}", note)
    aws.dynamodb.meta.events.register(f"before-call.dynamodb.{operation}", replacing)


def test_unprocessed_deletes_are_sent_again_until_none_is_left(
    aws: Aws, table: Table, pauses: list[float]
) -> None:
    sent: list[int] = []

    def half(params: dict[str, Any]) -> dict[str, Any]:
        (name, requests), *_ = params["RequestItems"].items()
        sent.append(len(requests))
        return {"UnprocessedItems": {name: requests[: len(requests) // 2]}}

    _answers(aws, "BatchWriteItem", half)
    table.delete_many(KEYS[:30])
    assert sent == [25, 12, 6, 3, 1, 5, 2, 1]
    assert pauses == [0.05, 0.1, 0.2, 0.4, 0.05, 0.1]


def test_deletes_that_stay_unprocessed_are_told(aws: Aws, table: Table, pauses: list[float]) -> None:
    _answers(aws, "BatchWriteItem", lambda params: {"UnprocessedItems": params["RequestItems"]})
    with pytest.raises(Unavailable):
        table.delete_many(KEYS[:1])
    assert len(pauses) == BATCH_ATTEMPTS - 1


def test_unprocessed_reads_are_sent_again(aws: Aws, table: Table, pauses: list[float]) -> None:
    def one_at_a_time(params: dict[str, Any]) -> dict[str, Any]:
        (name, request), *_ = params["RequestItems"].items()
        first, *rest = request["Keys"]
        left = {name: {**request, "Keys": rest}} if rest else {}
        return {"Responses": {name: [first]}, "UnprocessedKeys": left}

    _answers(aws, "BatchGetItem", one_at_a_time)
    assert table.get_many(KEYS[:3], "pk") == KEYS[:3]
    assert pauses == [0.05, 0.1]


def test_reads_that_stay_unprocessed_are_told(aws: Aws, table: Table) -> None:
    _answers(aws, "BatchGetItem", lambda params: {"Responses": {}, "UnprocessedKeys": params["RequestItems"]})
    with pytest.raises(Unavailable):
        table.get_many(KEYS[:3], "pk")


def test_a_failed_condition_brings_what_stands(table: Table) -> None:
    first = {**KEYS[0], "version": number(1)}
    table.put(first)
    with pytest.raises(ConditionFailed) as caught:
        table.put({**KEYS[0], "version": number(2)}, condition="attribute_not_exists(pk)")
    assert caught.value.standing == first
    with pytest.raises(ConditionFailed) as caught:
        table.update(KEYS[1], "SET version = :v", condition="attribute_exists(pk)", values={":v": number(1)})
    assert caught.value.standing is None


def test_a_request_that_aws_finds_wrong_in_itself_is_a_defect(table: Table) -> None:
    with pytest.raises(InternalError):
        table.put({"no": number(1)})


def test_a_table_that_is_not_there_is_unavailable(aws: Aws) -> None:
    with pytest.raises(Unavailable):
        Table(aws.dynamodb, "no-such-table").get(KEYS[0], "pk")


def test_a_mistake_of_ours_is_not_hidden_as_unavailable(aws: Aws, table: Table) -> None:
    def mistake(**_: object) -> None:
        raise ZeroDivisionError

    aws.dynamodb.meta.events.register("before-call.dynamodb.PutItem", mistake)
    with pytest.raises(ZeroDivisionError):
        table.put(KEYS[0])


def test_a_query_can_be_continued(table: Table) -> None:
    for n in range(5):
        table.put(key(b"one", bytes([n])))
    first = table.query(b"one", "sk", limit=3)
    rest = table.query(b"one", "sk", start=first.last)
    assert (len(first.items), first.last, len(rest.items), rest.last) == (3, b"\x02", 2, None)


def test_a_query_can_go_backwards_and_be_continued(table: Table) -> None:
    for n in range(5):
        table.put(key(b"one", bytes([n])))
    first = table.query(b"one", "sk", limit=3, descending=True)
    rest = table.query(b"one", "sk", start=first.last, descending=True)
    assert [item["sk"]["B"] for item in (*first.items, *rest.items)] == [bytes([n]) for n in (4, 3, 2, 1, 0)]
    assert (first.last, rest.last) == (b"\x02", None)


def test_an_update_tells_what_it_made(table: Table) -> None:
    for expected in (3, 6):
        changed = table.update(
            KEYS[0],
            "ADD amount :n",
            condition="attribute_not_exists(gone)",
            values={":n": number(3)},
        )
        assert changed["amount"] == number(expected)


def test_many_items_are_written_in_batches(aws: Aws, table: Table) -> None:
    aws.meter.reset()
    table.put_many([{**one, "n": number(n)} for n, one in enumerate(KEYS)])
    assert aws.meter.calls == {"BatchWriteItem": 3}
    assert len(table.get_many(KEYS, "pk", "n")) == 60


def test_writes_that_stay_unprocessed_are_told(aws: Aws, table: Table, pauses: list[float]) -> None:
    _answers(aws, "BatchWriteItem", lambda params: {"UnprocessedItems": params["RequestItems"]})
    with pytest.raises(Unavailable):
        table.put_many(KEYS[:1])
    assert len(pauses) == BATCH_ATTEMPTS - 1


@pytest.mark.parametrize(("expires_at_s", "live"), [(9, False), (10, False), (11, True)])
def test_an_item_lives_until_its_second(expires_at_s: int, live: bool) -> None:
    assert is_live({"expires_at": number(expires_at_s)}, 10) is live
    assert not is_live(None, 10)
