"""Records of names off chain, and signed answers about them for infra/local/contracts/offchain_resolver.vy.

Sources: ERC-3668 (CCIP-Read), ENSIP-21 (batch gateways).
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from coincurve import PrivateKey

from chalicelib.names import abi
from chalicelib.protocol.errors import Dm3Error, InvalidInput
from chalicelib.protocol.hashing import keccak256
from chalicelib.protocol.wallet import wallet_address
from infra.local.transactions import number, word

LIFETIME_S: Final = 300
MAX_QUERIES: Final = 8

_LOOKUP: Final = abi.selector("lookup(bytes,bytes,uint256)")
_ADDR: Final = abi.selector("addr(bytes32)")
_TEXT: Final = abi.selector("text(bytes32,string)")
_QUERY: Final = abi.selector("query((address,string[],bytes)[])")
_FIRST_V: Final = 27


@dataclass(frozen=True, slots=True)
class Records:
    """What a name has off chain."""

    address: str | None = None
    texts: Mapping[str, str] = field(default_factory=dict)


class SigningKey:
    """A key of its own, fresh for each gateway."""

    def __init__(self) -> None:
        self._key = PrivateKey()
        self.address = wallet_address(self._key.secret)

    def sign(self, digest: bytes) -> bytes:
        """65 bytes: r, s, and v of 27 or 28."""
        signed = self._key.sign_recoverable(digest, hasher=None)
        return signed[:-1] + bytes([signed[-1] + _FIRST_V])


def answer(
    records: Mapping[bytes, Records], key: SigningKey, sender: bytes, question: bytes, lifetime_s: int
) -> bytes:
    """What a gateway with these `records` (by DNS-encoded name) says to `question` by the contract `sender`.

    The lookups of a batch (ENSIP-21) are all answered here, whatever their URLs. Raises `Dm3Error` if it is
    no question.
    """
    if question.startswith(_QUERY):
        return _batch(records, key, question[abi.SELECTOR_BYTES :], lifetime_s)
    if not question.startswith(_LOOKUP):
        raise InvalidInput("This is not a question to this gateway.")
    arguments = question[abi.SELECTOR_BYTES :]
    last = abi.read_word(arguments, 2) == number(1)
    found = records.get(abi.read_bytes(arguments, 0), Records())
    result = _record(found, abi.read_bytes(arguments, 1)) if last else b""
    expires = int(time.time()) + lifetime_s
    digest = keccak256(
        b"\x19\x00" + sender + expires.to_bytes(8, "big") + keccak256(question) + keccak256(result)
    )
    signature = abi.Dynamic(key.sign(digest))
    return abi.encode_arguments(abi.Dynamic(result), number(expires), signature)


def _record(records: Records, call: bytes) -> bytes:
    if call.startswith(_ADDR):
        return word(records.address or "0x" + "00" * abi.ADDRESS_BYTES)
    if call.startswith(_TEXT):
        text = records.texts.get(abi.read_string(call[abi.SELECTOR_BYTES :], 1), "")
        return abi.encode_arguments(abi.Dynamic(text.encode()))
    raise InvalidInput("The gateway has no records of this kind.")


def _batch(records: Mapping[bytes, Records], key: SigningKey, arguments: bytes, lifetime_s: int) -> bytes:
    """`(bool[] failures, bytes[] responses)` of the queries `(address, string[], bytes)[]`."""
    failures, responses = [], []
    for query in abi.read_elements(arguments, 0, at_most=MAX_QUERIES):
        try:
            sender, question = abi.read_address(query, 0), abi.read_bytes(query, 2)
            responses.append(answer(records, key, sender, question, lifetime_s))
            failures.append(number(0))
        except Dm3Error as error:
            said = abi.Dynamic(error.message.encode())
            responses.append(abi.encode_call("HttpError(uint16,string)", number(400), said))
            failures.append(number(1))
    failed = number(len(failures)) + b"".join(failures)
    # `encode_arguments` puts the position of its only argument in front.
    answered = abi.encode_arguments(abi.DynamicArray(tuple(responses)))[abi.WORD_BYTES :]
    heads = number(2 * abi.WORD_BYTES) + number(2 * abi.WORD_BYTES + len(failed))
    return heads + failed + answered
