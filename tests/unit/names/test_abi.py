from __future__ import annotations

from collections.abc import Callable

import pytest
from eth_abi.abi import decode, encode
from eth_abi.exceptions import DecodingError
from hypothesis import given, settings
from hypothesis import strategies as st
from web3 import Web3

from chalicelib.names import abi
from chalicelib.protocol.errors import InvalidEncoding

_word = st.binary(min_size=32, max_size=32)
_bytes = st.binary(max_size=100)


@pytest.mark.parametrize(
    "signature",
    [
        "resolve(bytes,bytes)",
        "addr(bytes32)",
        "text(bytes32,string)",
        "OffchainLookup(address,string[],bytes,bytes4,bytes)",
    ],
)
def test_selectors_equal_web3(signature: str) -> None:
    assert abi.selector(signature) == bytes(Web3.keccak(text=signature)[:4])


@given(_bytes, _bytes)
@settings(deadline=None, max_examples=50)
def test_two_dynamic_arguments_equal_eth_abi(one: bytes, two: bytes) -> None:
    call = abi.encode_call("resolve(bytes,bytes)", abi.Dynamic(one), abi.Dynamic(two))
    assert call[4:] == encode(["bytes", "bytes"], [one, two])


@given(_word, st.text(st.characters(exclude_categories=["Cs"]), max_size=50))
@settings(deadline=None, max_examples=50)
def test_word_and_text_equal_eth_abi(word: bytes, text: str) -> None:
    assert abi.encode_arguments(word, abi.Dynamic(text.encode())) == encode(
        ["bytes32", "string"], [word, text]
    )


@given(st.binary(min_size=20, max_size=20))
@settings(deadline=None, max_examples=20)
def test_addresses_equal_eth_abi(address: bytes) -> None:
    encoded = encode(["address"], [address])
    assert abi.address_word(address) == encoded
    assert abi.read_address(encoded, 0) == address


@given(
    _bytes,
    st.text(st.characters(exclude_categories=["Cs"]), max_size=40),
    st.lists(st.text("ab{}", max_size=40)),
)
@settings(deadline=None, max_examples=50)
def test_what_eth_abi_writes_is_read(content: bytes, text: str, texts: list[str]) -> None:
    data = encode(["bytes", "string", "string[]"], [content, text, texts])
    assert abi.read_bytes(data, 0) == content
    assert abi.read_string(data, 1) == text
    assert abi.read_strings(data, 2, at_most=5) == tuple(texts[:5])


def _flip(data: bytes, at: int, value: int) -> bytes:
    at %= len(data)
    return data[:at] + bytes([value]) + data[at + 1 :]


@given(_bytes, st.integers(0, 500), st.integers(0, 255), st.integers(0, 300))
@settings(deadline=None, max_examples=200)
def test_garbled_data_is_read_as_eth_abi_does_or_refused(
    content: bytes, at: int, value: int, end: int
) -> None:
    data = _flip(encode(["bytes", "address"], [content, b"\x11" * 20]), at, value)[:end]
    try:
        expected = decode(["bytes", "address"], data)
    except (DecodingError, OverflowError):
        return  # the oracle also refuses padding that is not zero; what it reads, we read alike
    assert abi.read_bytes(data, 0) == expected[0]
    assert "0x" + abi.read_address(data, 1).hex() == expected[1]


@given(st.binary(max_size=200), st.integers(0, 5))
@settings(deadline=None, max_examples=200)
def test_any_bytes_are_read_or_refused(data: bytes, index: int) -> None:
    readers: list[Callable[[bytes, int], object]] = [
        abi.read_word,
        abi.read_address,
        abi.read_bytes,
        abi.read_string,
        lambda data, index: abi.read_strings(data, index, at_most=3),
        lambda data, index: abi.read_elements(data, index, at_most=3),
    ]
    for read in readers:
        try:
            read(data, index)
        except InvalidEncoding:
            continue


def test_what_is_not_there_is_refused() -> None:
    huge = b"\xff" * 32
    for data in (b"", huge, (32).to_bytes(32, "big") + huge):
        with pytest.raises(InvalidEncoding):
            abi.read_bytes(data, 0)
    with pytest.raises(InvalidEncoding):
        abi.read_address(huge, 0)
    with pytest.raises(InvalidEncoding):
        abi.read_string(encode(["bytes"], [b"\xff"]), 0)


_lists = st.lists(_bytes, max_size=5)


@given(_word, _lists, _bytes)
@settings(deadline=None, max_examples=50)
def test_arrays_equal_eth_abi(word: bytes, elements: list[bytes], content: bytes) -> None:
    array = abi.DynamicArray(tuple(elements))
    encoded = abi.encode_arguments(word, array, abi.Dynamic(content))
    assert encoded == encode(["bytes32", "bytes[]", "bytes"], [word, elements, content])
    assert abi.read_bytes_array(encoded, 1, at_most=5) == tuple(elements)


def test_a_longer_array_is_refused() -> None:
    encoded = encode(["bytes[]"], [[b"a", b"b", b"c"]])
    with pytest.raises(InvalidEncoding):
        abi.read_bytes_array(encoded, 0, at_most=2)


def test_an_array_that_promises_too_much_is_refused_at_once() -> None:
    encoded = encode(["uint256", "uint256"], [32, 2**255])
    with pytest.raises(InvalidEncoding):
        abi.read_bytes_array(encoded, 0, at_most=2**256)


@given(st.binary(max_size=300))
@settings(deadline=None, max_examples=200)
def test_a_hostile_array_is_read_or_refused(data: bytes) -> None:
    try:
        found = abi.read_bytes_array(data, 0, at_most=4)
    except InvalidEncoding:
        return
    assert all(len(element) <= len(data) for element in found)


@given(st.lists(st.tuples(_bytes, st.binary(min_size=20, max_size=20)), max_size=4))
@settings(deadline=None, max_examples=50)
def test_elements_that_eth_abi_writes_are_read(elements: list[tuple[bytes, bytes]]) -> None:
    data = encode(["uint256", "(bytes,address)[]"], [7, elements])
    found = abi.read_elements(data, 1, at_most=4)
    assert [(abi.read_bytes(element, 0), abi.read_address(element, 1)) for element in found] == elements


def test_more_elements_than_allowed_are_refused() -> None:
    data = encode(["(bytes)[]"], [[(b"",)] * 3])
    assert len(abi.read_elements(data, 0, at_most=3)) == 3
    with pytest.raises(InvalidEncoding):
        abi.read_elements(data, 0, at_most=2)
    with pytest.raises(InvalidEncoding):
        abi.read_elements(data[:96], 0, at_most=3)
