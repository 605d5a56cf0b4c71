from __future__ import annotations

import json
import math

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.canonical import canonicalize, number_text, parse_json
from chalicelib.protocol.errors import InvalidEncoding, ParseError
from chalicelib.protocol.json_types import JsonValue
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses, values

NUMBERS = {
    "1.0": "1",
    "1e21": "1e+21",
    "123456789012345680000": "123456789012345680000",
    "1e-6": "0.000001",
    "1e-7": "1e-7",
    "1.25e-9": "1.25e-9",
    "-0": "0",
    "-0.0": "0",
    "1e400": "null",
    "-1e400": "null",
    "1" + "0" * 5_000: "null",
    "9007199254740993": "9007199254740992",
    "0.5": "0.5",
    "12.5": "12.5",
    "-1.5e300": "-1.5e+300",
}


@pytest.mark.parametrize(("given_text", "printed"), NUMBERS.items(), ids=[key[:20] for key in NUMBERS])
def test_numbers_are_printed_as_doubles(given_text: str, printed: str) -> None:
    assert canonicalize(parse_json(given_text)) == printed


@pytest.mark.parametrize("value", [10**400, math.nan, math.inf, -math.inf])
def test_numbers_without_a_spelling_are_null(value: float) -> None:
    assert number_text(value) == "null"


def test_members_are_sorted_by_utf16_code_unit() -> None:
    assert canonicalize({"\uff5e": 1, "😀": 2, "b": 3, "a": 4}) == '{"a":4,"b":3,"😀":2,"\uff5e":1}'


def test_surrogates() -> None:
    assert canonicalize("\ud800 \udfff") == r'"\ud800 \udfff"'
    assert canonicalize("\ud83d" + "\ude00") == '"😀"'
    assert canonicalize({"\udc00": 1}) == r'{"\udc00":1}'


def test_a_tuple_is_an_array() -> None:
    assert canonicalize((1, (True, None))) == "[1,[true,null]]"


@pytest.mark.parametrize("value", [object(), {1, 2}, b"bytes", [object()], {"a": len}])
def test_what_is_not_json_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidEncoding):
        canonicalize(value)


def nested(depth: int) -> JsonValue:
    value: JsonValue = 1
    for _ in range(depth):
        value = [value]
    return value


def test_canonical_text_has_a_depth() -> None:
    assert canonicalize(nested(200)) == "[" * 200 + "1" + "]" * 200
    with pytest.raises(InvalidEncoding):
        canonicalize(nested(201))


@pytest.mark.parametrize("bracket", ["[]", '{"a":}'])
def test_nesting_is_bounded_when_parsing(bracket: str) -> None:
    opened, closed = bracket[:-1], bracket[-1]
    for max_depth in (1, 2, 64):
        parse_json(
            opened * max_depth + ("1" if "a" in opened else "") + closed * max_depth, max_depth=max_depth
        )
        with pytest.raises(ParseError):
            parse_json(opened * (max_depth + 1) + "1" + closed * (max_depth + 1), max_depth=max_depth)
    assert parse_json("1", max_depth=0) == 1
    with pytest.raises(ParseError):
        parse_json("[]", max_depth=0)


@pytest.mark.parametrize(
    "text",
    [
        "",
        '"\\',
        "NaN",
        "Infinity",
        "-Infinity",
        "[1,]",
        "{'a':1}",
        '"\n"',
        "01",
        "1 2",
        "\ufeff1",
        "[" * 100_000,
    ],
    ids=lambda text: text[:12],
)
def test_what_is_not_json_text_is_refused(text: str) -> None:
    with pytest.raises(ParseError):
        parse_json(text)


@pytest.mark.parametrize("data", [b"\xff", b'"\xed\xa0\x80"', b"\xef\xbb\xbf1", b"\xff\xfe1\x00"])
def test_bytes_must_be_plain_utf8(data: bytes) -> None:
    with pytest.raises(ParseError):
        parse_json(data)
    assert parse_json('"é"'.encode()) == "é"


def test_of_members_with_the_same_name_the_last_counts() -> None:
    assert parse_json('{"a":1,"a":2}') == {"a": 2}


@settings(deadline=None, max_examples=150)
@given(values())
def test_canonicalising_again_changes_nothing(value: JsonValue) -> None:
    text = canonicalize(value)
    assert canonicalize(parse_json(text)) == text
    assert text.encode().decode() == text


EXACT = st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(max_size=20)


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        EXACT, lambda inner: st.lists(inner) | st.dictionaries(st.text(max_size=9), inner), max_leaves=9
    )
)
def test_canonical_text_means_what_was_given(value: JsonValue) -> None:
    assert parse_json(canonicalize(value)) == json.loads(json.dumps(value)) == value


@settings(deadline=None, max_examples=150)
@given(TEXTS | st.binary(max_size=30) | st.text('[]{}",:0123456789.eE+-tfnull\\u ', max_size=30))
def test_any_text_is_json_or_refused(text: str | bytes) -> None:
    accepts_or_refuses(lambda: parse_json(text))


def test_brackets_in_strings_are_no_nesting() -> None:
    assert parse_json(r"""["[[[\"[[[", {"{{{\\": 1}]""", max_depth=2) == ['[[["[[[', {"{{{\\": 1}]
