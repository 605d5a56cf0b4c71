from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.members import (
    number_member,
    optional_text,
    other_members,
    require_object,
    text_member,
    texts_member,
)
from tests.unit.protocol.strategies import accepts_or_refuses, values


@pytest.mark.parametrize("value", [None, True, 1, "x", ["x"], {}])
def test_only_text_is_text(value: JsonValue) -> None:
    assert text_member({"a": "x"}, "a", InvalidInput) == "x"
    assert optional_text({}, "a", InvalidInput) is None
    if value != "x":
        for read in (text_member, optional_text):
            with pytest.raises(InvalidInput):
                read({"a": value}, "a", InvalidInput)


@pytest.mark.parametrize("value", [None, True, "1", float("inf"), float("nan"), 10**400, [1]])
def test_only_finite_numbers_are_numbers(value: JsonValue) -> None:
    assert number_member({"a": 1.5}, "a", InvalidInput) == 1.5
    with pytest.raises(InvalidInput):
        number_member({"a": value}, "a", InvalidInput)


@pytest.mark.parametrize("value", [None, "x", {}, [1], ["x", None]])
def test_only_arrays_of_texts_are_texts(value: JsonValue) -> None:
    assert texts_member({"a": ["x", "y"]}, "a", InvalidInput) == ("x", "y")
    with pytest.raises(InvalidInput):
        texts_member({"a": value}, "a", InvalidInput)


def test_objects_and_what_else_they_hold() -> None:
    assert require_object({"a": 1}, InvalidInput) == {"a": 1}
    assert other_members({"a": 1, "b": 2}, {"a"}) == {"b": 2}
    with pytest.raises(InvalidInput):
        require_object(["a"], InvalidInput)


@settings(deadline=None, max_examples=100)
@given(values("a"))
def test_any_member_is_read_or_refused(value: JsonValue) -> None:
    for read in (text_member, optional_text, number_member, texts_member):
        accepts_or_refuses(lambda: read({"a": value}, "a", InvalidInput))  # noqa: B023 - called at once
    accepts_or_refuses(lambda: require_object(value, InvalidInput))
