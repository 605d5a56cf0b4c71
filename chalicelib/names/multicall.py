"""Several reads of contracts in one `eth_call`: the encodings of Multicall3's `aggregate3`.

Source: the contract Multicall3, which stands at the same address on nearly every chain (multicall3.com), and
Solidity's "Contract ABI Specification". Answers are read as an attacker's bytes: within their bounds, or not
at all.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from chalicelib.names import abi
from chalicelib.protocol.errors import InvalidEncoding

MULTICALL3: Final = "0xcA11bde05977b3631167028862bE2a173976CA11"

_AGGREGATE: Final = "aggregate3((address,bool,bytes)[])"
_MAY_FAIL: Final = 1


def aggregate_call(calls: Sequence[tuple[bytes, bytes]]) -> bytes:
    """The call data that makes each of `calls`, a 20-byte address and call data; each may fail by itself."""
    heads, tail = b"", b""
    for target, data in calls:
        heads += _number_word(abi.WORD_BYTES * len(calls) + len(tail))
        tail += abi.encode_arguments(abi.address_word(target), _number_word(_MAY_FAIL), abi.Dynamic(data))
    array = _number_word(len(calls)) + heads + tail
    return abi.selector(_AGGREGATE) + _number_word(abi.WORD_BYTES) + array


def aggregate_answer(data: bytes, count: int) -> list[bytes | None]:
    """What each of the `count` calls returned, None where it failed. Raises `InvalidEncoding`."""
    array = _behind(data, 0)
    if _number(array, 0) != count:
        raise InvalidEncoding("There is not one answer to each call.")
    elements = array[abi.WORD_BYTES :]
    return [_returned(_behind(elements, index)) for index in range(count)]


def _returned(element: bytes) -> bytes | None:
    """Of the element `(bool success, bytes returnData)`."""
    returned = abi.read_bytes(element, 1)
    return returned if _number(element, 0) else None


def _behind(data: bytes, index: int) -> bytes:
    """What begins at the position that stands at word `index`."""
    return data[_number(data, index) :]


def _number(data: bytes, index: int) -> int:
    return int.from_bytes(abi.read_word(data, index), "big")


def _number_word(number: int) -> bytes:
    return number.to_bytes(abi.WORD_BYTES, "big")
