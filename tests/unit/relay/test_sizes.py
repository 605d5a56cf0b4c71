from __future__ import annotations

import json

import pytest

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.sizes import carried_bytes, envelope_bytes


@pytest.mark.parametrize(
    ("case", "value", "size_bytes"),
    [
        ("a text counts as it is sent", '{ "a" : 1 }', 11),
        ("an object counts in its canonical form", {"b": "é", "a": 1}, len('{"a":1,"b":"é"}'.encode())),
        ("a lone surrogate can be counted", "\ud800", 3),
    ],
)
def test_what_the_size_limit_limits(case: str, value: JsonValue, size_bytes: int) -> None:
    assert envelope_bytes(value) == size_bytes, case


@pytest.mark.parametrize(
    "value", ['a"b\\c', {"é\u0001": ["\n", '"']}, {"message": json.dumps({"x": "y"})}, [1e20, "\ud800"]]
)
def test_an_answer_takes_no_more_than_was_counted(value: JsonValue) -> None:
    carried = json.dumps({"body": canonicalize(value)})
    assert carried_bytes(value) == len(carried) - len('{"body": ""}')
