from __future__ import annotations

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.multicall import MULTICALL3, aggregate_answer, aggregate_call
from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.wallet import checksum_address
from tests.unit.names.simulated_chain import selector

_calls = st.lists(st.tuples(st.binary(min_size=20, max_size=20), st.binary(max_size=100)), max_size=5)
_results = st.lists(st.tuples(st.booleans(), st.binary(max_size=100)), max_size=5)


def test_the_address_is_an_address() -> None:
    assert checksum_address(MULTICALL3.lower()) == MULTICALL3


@given(_calls)
@settings(deadline=None, max_examples=100)
def test_calls_equal_eth_abi(calls: list[tuple[bytes, bytes]]) -> None:
    encoded = encode(["(address,bool,bytes)[]"], [[(target, True, data) for target, data in calls]])
    assert aggregate_call(calls) == selector("aggregate3((address,bool,bytes)[])") + encoded


@given(_results)
@settings(deadline=None, max_examples=100)
def test_what_eth_abi_writes_is_read(results: list[tuple[bool, bytes]]) -> None:
    expected = [returned if success else None for success, returned in results]
    assert aggregate_answer(encode(["(bool,bytes)[]"], [results]), len(results)) == expected


@given(_results, st.integers(0, 600), st.integers(0, 255), st.integers(0, 700))
@settings(deadline=None, max_examples=300)
def test_garbled_answers_are_read_as_eth_abi_does_or_refused(
    results: list[tuple[bool, bytes]], at: int, value: int, end: int
) -> None:
    data = bytearray(encode(["(bool,bytes)[]"], [results]))
    data[at % len(data)] = value
    try:
        (expected,) = decode(["(bool,bytes)[]"], bytes(data[:end]))
    except (DecodingError, OverflowError):
        return  # the oracle also refuses padding that is not zero; what it reads, we read alike
    if len(expected) == len(results):
        assert aggregate_answer(bytes(data[:end]), len(results)) == [
            returned if success else None for success, returned in expected
        ]


@given(
    st.binary(max_size=400)
    | st.lists(st.integers(0, 8), max_size=12).map(
        lambda words: b"".join((word * 32).to_bytes(32, "big") for word in words)
    ),
    st.integers(0, 4),
)
@settings(deadline=None, max_examples=300)
def test_any_bytes_are_read_or_refused(data: bytes, count: int) -> None:
    try:
        answers = aggregate_answer(data, count)
    except InvalidEncoding:
        return
    assert len(answers) == count
    assert all(len(answer or b"") <= len(data) for answer in answers)


@pytest.mark.parametrize("count", [0, 1, 3])
def test_more_or_fewer_answers_than_calls_are_refused(count: int) -> None:
    with pytest.raises(InvalidEncoding):
        aggregate_answer(encode(["(bool,bytes)[]"], [[(True, b""), (True, b"")]]), count)
