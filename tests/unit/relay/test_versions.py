from __future__ import annotations

from functools import reduce

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.protocol.envelope import VERSION
from chalicelib.relay.versions import parse_version


@pytest.mark.parametrize(
    ("text", "numbers"),
    [("v1", (1,)), ("v1.0", (1,)), ("v1.0.0", (1,)), ("v1.2", (1, 2)), ("v10.02", (10, 2)), ("v0", ())],
)
def test_versions_are_numbers(text: str, numbers: tuple[int, ...]) -> None:
    assert parse_version(text) == numbers


@pytest.mark.parametrize(
    "text",
    ["", "v", "1", "V1", "v1.", "v.1", "v1..2", "v-1", "v1 ", "v1\n", "v1.2.3.4.5", "v1234567", "v\u0661"],
)
def test_everything_else_is_no_version(text: str) -> None:
    assert parse_version(text) is None


def test_what_this_project_writes_is_a_version() -> None:
    assert parse_version(VERSION) is not None


@given(st.lists(st.integers(0, 999_999), min_size=1, max_size=4))
def test_versions_compare_as_their_numbers_do(numbers: list[int]) -> None:
    text = "v" + ".".join(map(str, numbers))
    parsed = parse_version(text)
    assert parsed is not None
    padded = parsed + (0,) * (len(numbers) - len(parsed))
    assert list(padded) == numbers
    later = parse_version("v" + ".".join(map(str, [*numbers[:-1], numbers[-1] + 1][:4])))
    assert later is None or later > parsed


@given(st.text(max_size=40))
def test_no_text_is_too_odd(text: str) -> None:
    parsed = parse_version(text)
    assert parsed is None or reduce(lambda all_, one: all_ and one >= 0, parsed, True)  # noqa: FBT003
