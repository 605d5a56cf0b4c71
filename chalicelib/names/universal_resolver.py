"""Reads records of names through ENS's Universal Resolver, in one round trip to the node.

Sources: ENSIP-10 (`resolve(bytes,bytes)`), ENSIP-1 (`addr`), ENSIP-5 (`text`), ERC-3668 (`OffchainLookup`),
and the errors of ENS's UniversalResolver. The node's frame around an answer is trusted to be well formed,
and `Unavailable` if it is not; what is inside the frame comes from a resolver that the name's owner chose,
so rubbish there is simply no record.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.names import abi
from chalicelib.names.encoding import dns_encode, namehash
from chalicelib.names.ports import (
    ChainTransport,
    OffchainGateway,
    OffchainLookup,
    RpcCall,
    RpcResult,
)
from chalicelib.names.reverts import revert_data
from chalicelib.protocol.errors import InvalidEncoding, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.wallet import checksum_address

UNIVERSAL_RESOLVER: Final = "0xeEeEEEeE14D718C2B47D9923Deab1335E144EeEe"
MAX_TEXT_BYTES: Final = 65_536
# ERC-3668 lets a client bound how often an answer may ask for another lookup.
MAX_LOOKUPS: Final = 4
MAX_GATEWAY_URLS: Final = 8

_OFFCHAIN_LOOKUP: Final = abi.selector("OffchainLookup(address,string[],bytes,bytes4,bytes)")
# The gateway of somebody else's batch failed; asking again later may help, unlike after any other revert.
_HTTP_ERROR: Final = abi.selector("HttpError(uint16,string)")


@dataclass(frozen=True, slots=True)
class NameRecords:
    """What the chain says about a name: checksummed address and text record, None where there is none."""

    address: str | None
    text: str | None


class UniversalResolver:
    """The Universal Resolver at `address`, reached by `transport`.

    Without a `gateway`, a name whose records live off chain is `Unavailable`.
    """

    def __init__(
        self,
        transport: ChainTransport,
        *,
        address: str = UNIVERSAL_RESOLVER,
        gateway: OffchainGateway | None = None,
    ) -> None:
        self._transport = transport
        self._address = address
        self._gateway = gateway

    def address_and_text(self, name: str, key: str) -> NameRecords:
        """The address and the text record `key` of the normalised `name`, in one HTTP request.

        Raises `Unavailable`, and `InvalidName` if the name cannot be encoded.
        """
        address, text = self._resolve(name, [_addr_call(name), _text_call(name, key)])
        return NameRecords(_address(address), _text(text))

    def text(self, name: str, key: str) -> str | None:
        """The text record `key` of the normalised `name`, in one HTTP request. Raises as above."""
        return _text(self._resolve(name, [_text_call(name, key)])[0])

    def _resolve(self, name: str, calls: Sequence[bytes]) -> list[bytes | None]:
        encoded = abi.Dynamic(dns_encode(name))
        asked = [abi.encode_call("resolve(bytes,bytes)", encoded, abi.Dynamic(call)) for call in calls]
        return [self._answer(result) for result in self._call(self._address, asked)]

    def _call(self, contract: str, calls: Sequence[bytes]) -> list[RpcResult]:
        return self._transport.request(
            [RpcCall("eth_call", ({"to": contract, "data": "0x" + call.hex()}, "latest")) for call in calls]
        )

    def _answer(self, result: RpcResult) -> bytes | None:
        """What the resolver of the name answered, or None if it has nothing to say."""
        for _ in range(MAX_LOOKUPS + 1):
            if result.error is None:
                return _resolver_answer(_hex(result.value))
            revert = revert_data(result.error)
            if revert[: abi.SELECTOR_BYTES] == _HTTP_ERROR:
                raise Unavailable("The gateway that keeps the records of the name did not answer; try again.")
            if revert[: abi.SELECTOR_BYTES] != _OFFCHAIN_LOOKUP:
                return None  # ResolverNotFound, UnsupportedResolverProfile, …: asking again gives the same
            result = self._look_up(revert[abi.SELECTOR_BYTES :])
        raise Unavailable("The records of the name are behind too many gateways.")

    def _look_up(self, arguments: bytes) -> RpcResult:
        if self._gateway is None:
            raise Unavailable("The records of the name live off chain, which this service does not read yet.")
        try:
            lookup = _offchain_lookup(arguments)
        except InvalidEncoding:
            raise Unavailable("The node gave an answer that makes no sense.") from None
        # ERC-3668: the lookup must come from the contract that was called, not from one it called.
        if "0x" + lookup.sender.hex() != self._address.lower():
            raise Unavailable("The records of the name cannot be read off chain.")
        answer = abi.Dynamic(self._gateway.answer(lookup))
        call = lookup.callback + abi.encode_arguments(answer, abi.Dynamic(lookup.extra_data))
        return self._call(self._address, [call])[0]


def _addr_call(name: str) -> bytes:
    return abi.encode_call("addr(bytes32)", namehash(name))


def _text_call(name: str, key: str) -> bytes:
    return abi.encode_call("text(bytes32,string)", namehash(name), abi.Dynamic(key.encode()))


def _resolver_answer(data: bytes) -> bytes:
    """The first of the `(bytes, address)` that `resolve` returns. Raises `Unavailable`."""
    if not data:
        raise Unavailable("The chain of the node has no universal resolver.")
    try:
        abi.read_address(data, 1)
        return abi.read_bytes(data, 0)
    except InvalidEncoding:
        raise Unavailable("The node gave an answer that makes no sense.") from None


def _address(answer: bytes | None) -> str | None:
    try:
        address = abi.read_address(answer or b"", 0)
    except InvalidEncoding:
        return None
    return checksum_address("0x" + address.hex()) if any(address) else None


def _text(answer: bytes | None) -> str | None:
    """The record; None if it is absent, empty, too long or no text."""
    try:
        text = abi.read_bytes(answer or b"", 0)
        return text.decode() if 0 < len(text) <= MAX_TEXT_BYTES else None
    except (InvalidEncoding, UnicodeDecodeError):
        return None


def _hex(value: JsonValue) -> bytes:
    """Bytes of a `0x…` string. Raises `Unavailable`: a node that answers anything else is broken."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
    except ValueError:
        pass
    raise Unavailable("The node gave an answer that makes no sense.")


def _offchain_lookup(arguments: bytes) -> OffchainLookup:
    return OffchainLookup(
        sender=abi.read_address(arguments, 0),
        urls=abi.read_strings(arguments, 1, at_most=MAX_GATEWAY_URLS),
        call_data=abi.read_bytes(arguments, 2),
        callback=abi.read_word(arguments, 3)[: abi.SELECTOR_BYTES],
        extra_data=abi.read_bytes(arguments, 4),
    )
