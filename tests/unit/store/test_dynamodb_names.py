from __future__ import annotations

from chalicelib.relay.ports import NameRow
from chalicelib.store.dynamodb_names import DynamoNames
from tests.support.stores import LATER_S, Aws, new_key


def test_a_row_carries_its_expiry_and_nothing_in_the_clear(aws: Aws) -> None:
    name = new_key()
    DynamoNames(aws.dynamodb, aws.names.names).put(NameRow(name, b"sealed", 7, LATER_S))
    item = aws.dynamodb.get_item(TableName=aws.names.names, Key={"pk": {"B": name}})["Item"]
    assert item == {
        "pk": {"B": name},
        "sealed": {"B": b"sealed"},
        "read_at": {"N": "7"},
        "expires_at": {"N": str(LATER_S)},
    }
