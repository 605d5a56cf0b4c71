"""Queries of moto that look at one partition find what moto's own find."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import pytest
from moto import mock_aws

from chalicelib.aws.clients import client
from infra.local.moto_tables import queries_by_partition

PARTITIONS, ITEMS = 5, 12


@pytest.fixture
def dynamodb() -> Iterator[Any]:
    """A table with a sort key and an index, and one without either, with items of several partitions."""
    with mock_aws():
        made: Any = client("dynamodb", region="us-east-1", credentials=("test", "test"))
        texts = [{"AttributeName": name, "AttributeType": "S"} for name in ("pk", "sk", "by")]
        keys = [{"AttributeName": "pk", "KeyType": "HASH"}, {"AttributeName": "sk", "KeyType": "RANGE"}]
        index = {
            "IndexName": "by_kind",
            "KeySchema": [{"AttributeName": "by", "KeyType": "HASH"}],
            "Projection": {"ProjectionType": "ALL"},
        }
        made.create_table(
            TableName="sorted",
            KeySchema=keys,
            AttributeDefinitions=texts,
            BillingMode="PAY_PER_REQUEST",
            GlobalSecondaryIndexes=[index],
        )
        made.create_table(
            TableName="plain",
            KeySchema=keys[:1],
            AttributeDefinitions=texts[:1],
            BillingMode="PAY_PER_REQUEST",
        )
        for number in range(PARTITIONS * ITEMS):
            partition = {"pk": {"S": f"p{number % PARTITIONS}"}}
            item = {**partition, "sk": {"S": f"{number * 7 % 61:02}"}, "by": {"S": f"{number % 3}"}}
            made.put_item(TableName="sorted", Item=item)
            made.put_item(TableName="plain", Item=partition)
        yield made


def found(dynamodb: Any, table: str, value: str, **asked: object) -> list[dict[str, Any]]:  # noqa: ANN401 - botocore's
    """Every page of a query."""
    query = {
        "TableName": table,
        "KeyConditionExpression": "pk = :value",
        "ExpressionAttributeValues": {":value": {"S": value}},
        **asked,
    }
    pages: list[dict[str, Any]] = []
    start = None
    while True:
        answer = dynamodb.query(**query, **({} if start is None else {"ExclusiveStartKey": start}))
        start = answer.get("LastEvaluatedKey")
        pages.append({"Items": answer["Items"], "ScannedCount": answer["ScannedCount"], "Last": start})
        if start is None:
            return pages


QUERIES: Mapping[str, Callable[[Any], list[dict[str, Any]]]] = {
    "everything": lambda dynamodb: found(dynamodb, "sorted", "p2"),
    "page by page": lambda dynamodb: found(dynamodb, "sorted", "p2", Limit=5),
    "backwards": lambda dynamodb: found(dynamodb, "sorted", "p2", Limit=5, ScanIndexForward=False),
    "by sort key": lambda dynamodb: found(
        dynamodb,
        "sorted",
        "p2",
        KeyConditionExpression="pk = :value AND sk > :least",
        ExpressionAttributeValues={":value": {"S": "p2"}, ":least": {"S": "30"}},
    ),
    "filtered": lambda dynamodb: found(
        dynamodb,
        "sorted",
        "p2",
        FilterExpression="#by = :by",
        ExpressionAttributeNames={"#by": "by"},
        ExpressionAttributeValues={":value": {"S": "p2"}, ":by": {"S": "1"}},
    ),
    "an index": lambda dynamodb: found(
        dynamodb,
        "sorted",
        "1",
        IndexName="by_kind",
        KeyConditionExpression="#by = :value",
        ExpressionAttributeNames={"#by": "by"},
    ),
    "without sort key": lambda dynamodb: found(dynamodb, "plain", "p2"),
    "nothing": lambda dynamodb: found(dynamodb, "sorted", "nobody"),
}


@pytest.mark.parametrize("name", list(QUERIES))
def test_the_same_is_found(dynamodb: Any, name: str) -> None:  # noqa: ANN401 - botocore's
    by_moto = QUERIES[name](dynamodb)
    with queries_by_partition():
        by_partition = QUERIES[name](dynamodb)
    assert by_partition == by_moto
    assert any(page["Items"] for page in by_moto) == (name != "nothing")


def test_other_partitions_are_not_looked_at(dynamodb: Any, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ANN401
    def look(_table: object) -> None:
        raise AssertionError("the whole table is looked at")

    monkeypatch.setattr("moto.dynamodb.models.table.Table.all_items", look)
    with queries_by_partition():
        assert len(found(dynamodb, "sorted", "p2")[0]["Items"]) == ITEMS
    with pytest.raises(AssertionError):
        found(dynamodb, "sorted", "p2")


@pytest.mark.parametrize("name", list(QUERIES))
def test_two_relays_may_be_in_one_process(dynamodb: Any, name: str) -> None:  # noqa: ANN401 - botocore's
    by_moto = QUERIES[name](dynamodb)
    with queries_by_partition():
        with queries_by_partition():
            assert QUERIES[name](dynamodb) == by_moto
        assert QUERIES[name](dynamodb) == by_moto
    assert QUERIES[name](dynamodb) == by_moto
