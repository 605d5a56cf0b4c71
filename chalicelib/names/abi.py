"""The few contract ABI encodings that reading names takes, without a library that costs 400 ms to import.

Source: Solidity's "Contract ABI Specification": arguments are 32-byte words; `bytes` and `string` stand
behind the words, which hold their position. Answers are read as an attacker's bytes: a reader either finds
what it looks for within the data, or raises `InvalidEncoding`. Padding is not checked, as in Solidity.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Final, TypeAlias

from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.hashing import keccak256

WORD_BYTES: Final = 32
ADDRESS_BYTES: Final = 20
SELECTOR_BYTES: Final = 4


@dataclass(frozen=True, slots=True)
class Dynamic:
    """An argument of type `bytes` or `string` (its UTF-8)."""

    content: bytes


@dataclass(frozen=True, slots=True)
class DynamicArray:
    """An argument of type `bytes[]` or `string[]`."""

    elements: tuple[bytes, ...]


Argument: TypeAlias = bytes | Dynamic | DynamicArray
"""A 32-byte word, or one of the types that stand behind the words."""


@cache
def selector(signature: str) -> bytes:
    """The four bytes that name a function or an error, from e.g. `addr(bytes32)`."""
    return keccak256(signature.encode())[:SELECTOR_BYTES]


def address_word(address: bytes) -> bytes:
    """A 20-byte address as a word."""
    return address.rjust(WORD_BYTES, b"\x00")


def encode_call(signature: str, *arguments: Argument) -> bytes:
    """The call data of `signature`."""
    return selector(signature) + encode_arguments(*arguments)


def encode_arguments(*arguments: Argument) -> bytes:
    """The arguments of a call, a constructor or an error."""
    heads, tail = [], b""
    for argument in arguments:
        if isinstance(argument, bytes):
            heads.append(argument)
        else:
            heads.append(_number_word(WORD_BYTES * len(arguments) + len(tail)))
            tail += _behind_the_words(argument)
    return b"".join(heads) + tail


def read_word(data: bytes, index: int) -> bytes:
    """The word at `index` (counted in words). Raises `InvalidEncoding`."""
    return _slice(data, WORD_BYTES * index, WORD_BYTES)


def read_address(data: bytes, index: int) -> bytes:
    """The 20 bytes of the `address` argument at `index`. Raises `InvalidEncoding`."""
    word = read_word(data, index)
    if any(word[:-ADDRESS_BYTES]):
        raise InvalidEncoding("A word is not an address.")
    return word[-ADDRESS_BYTES:]


def read_bytes(data: bytes, index: int) -> bytes:
    """The `bytes` argument whose position stands at word `index`. Raises `InvalidEncoding`."""
    return _sized(data, _number(data, WORD_BYTES * index))


def read_string(data: bytes, index: int) -> str:
    """The `string` argument whose position stands at word `index`. Raises `InvalidEncoding`."""
    try:
        return read_bytes(data, index).decode()
    except UnicodeDecodeError:
        raise InvalidEncoding("A text is not UTF-8.") from None


def read_strings(data: bytes, index: int, *, at_most: int) -> tuple[str, ...]:
    """The first `at_most` of the `string[]` argument at word `index`. Raises `InvalidEncoding`."""
    start = _number(data, WORD_BYTES * index)
    count = _number(data, start)
    elements = data[start + WORD_BYTES :]
    return tuple(read_string(elements, element) for element in range(min(count, at_most)))


def read_elements(data: bytes, index: int, *, at_most: int) -> tuple[bytes, ...]:
    """The elements of the array of dynamic tuples at word `index`, each as the data from its beginning on.

    An element's words count from there. Elements may overlap, so whoever reads them must bound what is done
    for all of them together. Raises `InvalidEncoding`, also if there are more than `at_most`.
    """
    start = _number(data, WORD_BYTES * index)
    count = _number(data, start)
    if count > at_most:
        raise InvalidEncoding("A list has too many elements.")
    elements = data[start + WORD_BYTES :]
    positions = [_number(elements, WORD_BYTES * element) for element in range(count)]
    return tuple(elements[position:] for position in positions)


def read_bytes_array(data: bytes, index: int, *, at_most: int) -> tuple[bytes, ...]:
    """The `bytes[]` argument whose position stands at word `index`. Raises as `read_elements`."""
    return tuple(_sized(element, 0) for element in read_elements(data, index, at_most=at_most))


def _behind_the_words(argument: Dynamic | DynamicArray) -> bytes:
    if isinstance(argument, Dynamic):
        return _number_word(len(argument.content)) + _padded(argument.content)
    elements = (Dynamic(element) for element in argument.elements)
    return _number_word(len(argument.elements)) + encode_arguments(*elements)


def _number_word(number: int) -> bytes:
    return number.to_bytes(WORD_BYTES, "big")


def _padded(content: bytes) -> bytes:
    return content + bytes(-len(content) % WORD_BYTES)


def _slice(data: bytes, start: int, size: int) -> bytes:
    if start + size > len(data):
        raise InvalidEncoding("The data ends too early.")
    return data[start : start + size]


def _number(data: bytes, start: int) -> int:
    return int.from_bytes(_slice(data, start, WORD_BYTES), "big")


def _sized(data: bytes, start: int) -> bytes:
    return _slice(data, start + WORD_BYTES, _number(data, start))
