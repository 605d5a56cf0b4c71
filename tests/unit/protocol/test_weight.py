from __future__ import annotations

import pytest

from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.weight import outweighs

DEEP: JsonValue = []
for _ in range(10_000):
    DEEP = [DEEP]


@pytest.mark.parametrize(
    ("value", "values", "characters"),
    [
        (None, 1, 0),
        ("abc", 1, 3),
        ([1, "ab", []], 4, 2),
        ({"ab": {"c": "d"}, "e": ()}, 4, 5),
        (DEEP, 10_001, 0),
    ],
    ids=["null", "text", "list", "object", "deep"],
)
def test_a_value_outweighs_what_is_less_than_it_is(value: JsonValue, values: int, characters: int) -> None:
    assert not outweighs(value, values=values, characters=characters)
    assert outweighs(value, values=values - 1, characters=characters)
    assert not characters or outweighs(value, values=values, characters=characters - 1)
