"""Reads records of names through ENS's Universal Resolver, in one round trip to the node.

Sources: ENSIP-10 (`resolve(bytes,bytes)`), ENSIP-1 (`addr`), ENSIP-5 (`text`), ERC-3668 (`OffchainLookup`),
ENSIP-21 (batches of lookups), and ENS's UniversalResolver for its errors and its `multicall(bytes[])`. The
node's frame around an answer is trusted to be well formed, and `Unavailable` if it is not; what is inside the
frame comes from a resolver that the name's owner chose, so rubbish there is simply no record.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.names import abi
from chalicelib.names.encoding import dns_encode, namehash
from chalicelib.names.ports import ChainTransport, OffchainGateway, RpcCall, RpcResult
from chalicelib.names.rpc_answers import offchain_lookup, returned, revert_data
from chalicelib.protocol.errors import InvalidEncoding, SourceUnavailable, Unavailable
from chalicelib.protocol.wallet import checksum_address

UNIVERSAL_RESOLVER: Final = "0xeEeEEEeE14D718C2B47D9923Deab1335E144EeEe"
MAX_TEXT_BYTES: Final = 65_536
# ERC-3668 lets a client bound how often an answer may ask for another lookup.
MAX_LOOKUPS: Final = 4
# So many seconds after the first call no further lookup begins, for any record of the name: gateways that are
# slow each by a little are slow together.
LOOKUPS_WITHIN_S: Final = 5.0
# What a contract and its gateway have a node called with: far more than proofs take. In hex it is half of the
# megabyte that some nodes take of a request at most; what they refuse would look like their own failure.
MAX_CALL_BYTES: Final = 262_144
# A resolver that is paid for by a name's owner can look like an old universal resolver, so the newer form is
# tried again after so many names.
PLAIN_NAMES: Final = 256

# Far more than resolvers take, far less than nodes allow: a resolver that burns gas must not hold a node up
# until it misses its deadline, or a few such names would make it look broken.
LOOKUP_GAS: Final = 20_000_000

_OFFCHAIN_LOOKUP: Final = abi.selector("OffchainLookup(address,string[],bytes,bytes4,bytes)")
# The gateway of somebody else's batch failed; asking again later may help, unlike after any other revert.
_HTTP_ERROR: Final = abi.selector("HttpError(uint16,string)")
_MULTICALL: Final = "multicall(bytes[])"
# What a universal resolver says that hands `multicall(bytes[])` on to a resolver without it, as all before
# version 3 do. Version 3 makes the calls by itself, and says neither of itself.
_NO_MULTICALL: Final = (
    abi.encode_call("UnsupportedResolverProfile(bytes4)", abi.selector(_MULTICALL).ljust(32, b"\x00")),
    abi.encode_call("ResolverError(bytes)", abi.Dynamic(b"")),
)


@dataclass(frozen=True, slots=True)
class NameRecords:
    """What the chain says about a name: checksummed address and text record, None where there is none."""

    address: str | None
    text: str | None


class _RevertedError(Exception):
    """The universal resolver reverted with `data`, and asking again gives the same."""

    def __init__(self, data: bytes) -> None:
        super().__init__()
        self.data = data


class UniversalResolver:
    """The Universal Resolver at `address`, reached by `transport`. Safe for use by several threads.

    Without a `gateway`, a name whose records live off chain is `Unavailable`. `clock_s` tells
    seconds that only pass.
    """

    def __init__(
        self,
        transport: ChainTransport,
        *,
        address: str = UNIVERSAL_RESOLVER,
        gateway: OffchainGateway | None = None,
        clock_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._transport = transport
        self._address = address
        self._gateway = gateway
        self._clock_s = clock_s
        self._plain_left = 0

    def address_and_text(self, name: str, key: str) -> NameRecords:
        """The address and the text record `key` of the normalised `name`.

        One HTTP request to the node, with one `eth_call`, and one more for each round of lookups off chain.
        With a universal resolver before version 3 there are two `eth_call`s in the request instead, each with
        its own lookups. Raises `Unavailable`, and `InvalidName` if the name cannot be encoded.
        """
        calls, last_s = [_addr_call(name), _text_call(name, key)], self._last_s()
        read = self._plainly if self._is_plain() else self._together
        address, text = read(name, calls, last_s)
        return NameRecords(_address(address), _text(text))

    def text(self, name: str, key: str) -> str | None:
        """The text record `key` of the normalised `name`, likewise. Raises as above."""
        return _text(self._plainly(name, [_text_call(name, key)], self._last_s())[0])

    def _last_s(self) -> float:
        """When the last lookup of a name that is read from now on may begin."""
        return self._clock_s() + LOOKUPS_WITHIN_S

    def _is_plain(self) -> bool:
        """Whether the newer form need not be tried. Threads may count wrongly, which does no harm."""
        left = self._plain_left
        self._plain_left = max(left - 1, 0)
        return left > 0

    def _together(self, name: str, calls: Sequence[bytes], last_s: float) -> list[bytes | None]:
        """The resolver's answers to `calls`, None where it has none, in one call."""
        call = abi.encode_call(_MULTICALL, abi.DynamicArray(tuple(calls)))
        try:
            answers = _several(self._settled(self._ask(name, [call])[0], last_s), len(calls))
        except _RevertedError as reverted:
            if reverted.data not in _NO_MULTICALL:
                return [None] * len(calls)
            plain = self._plainly(name, calls, last_s)
            # Remembered only now: where the other form is `Unavailable`, it must not become the usual one.
            self._plain_left = PLAIN_NAMES
            return plain
        return [_unless_error(answer) for answer in answers]

    def _plainly(self, name: str, calls: Sequence[bytes], last_s: float) -> list[bytes | None]:
        """As `_together`, with a call for each."""
        return [self._answer(result, last_s) for result in self._ask(name, calls)]

    def _answer(self, result: RpcResult, last_s: float) -> bytes | None:
        try:
            return self._settled(result, last_s)
        except _RevertedError:
            return None  # ResolverNotFound, UnsupportedResolverProfile, …

    def _ask(self, name: str, calls: Sequence[bytes]) -> list[RpcResult]:
        encoded = abi.Dynamic(dns_encode(name))
        return self._call(
            [abi.encode_call("resolve(bytes,bytes)", encoded, abi.Dynamic(call)) for call in calls]
        )

    def _call(self, calls: Sequence[bytes]) -> list[RpcResult]:
        gas = hex(LOOKUP_GAS)
        transactions = [{"to": self._address, "data": "0x" + call.hex(), "gas": gas} for call in calls]
        return self._transport.request(
            [RpcCall("eth_call", (transaction, "latest")) for transaction in transactions]
        )

    def _settled(self, result: RpcResult, last_s: float) -> bytes:
        """What the resolver of the name answered in the end. Raises `_RevertedError` and `Unavailable`."""
        for _ in range(MAX_LOOKUPS + 1):
            if result.error is None:
                return _resolver_answer(returned(result.value))
            revert = revert_data(result.error)
            _must_be_final(revert)
            if not revert.startswith(_OFFCHAIN_LOOKUP):
                raise _RevertedError(revert)
            if self._clock_s() > last_s:
                break
            result = self._look_up(revert[abi.SELECTOR_BYTES :])
        raise SourceUnavailable("The records of the name are behind too many gateways.")

    def _look_up(self, arguments: bytes) -> RpcResult:
        if self._gateway is None:
            raise SourceUnavailable("The records of the name live off chain, which is not read here.")
        lookup = offchain_lookup(arguments)
        # ERC-3668: the lookup must come from the contract that was called, not from one it called.
        if "0x" + lookup.sender.hex() != self._address.lower():
            raise SourceUnavailable("The records of the name cannot be read off chain.")
        answer = abi.Dynamic(self._gateway.answer(lookup))
        call = lookup.callback + abi.encode_arguments(answer, abi.Dynamic(lookup.extra_data))
        if len(call) > MAX_CALL_BYTES:
            raise Unavailable("The records of the name are too large on their way to the chain.")
        return self._call([call])[0]


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


def _several(answer: bytes, count: int) -> Sequence[bytes]:
    """The `bytes[]` that a multicall answers; nothing for each call if a resolver made it up."""
    try:
        answers = abi.read_bytes_array(answer, 0, at_most=count)
    except InvalidEncoding:
        answers = ()
    return answers if len(answers) == count else [b""] * count


def _unless_error(answer: bytes) -> bytes | None:
    """The answer to one call of several. Answers are whole words; an error has its selector in front.

    Raises `Unavailable` if the gateway that has the answer failed.
    """
    if len(answer) % abi.WORD_BYTES != abi.SELECTOR_BYTES:
        return answer
    _must_be_final(answer)
    return None


def _must_be_final(error: bytes) -> None:
    if error.startswith(_HTTP_ERROR):
        raise SourceUnavailable("The gateway that keeps the records of the name did not answer; try again.")


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
