"""What a node's answers to `eth_call` say: what the contract returned, or why it reverted.

Sources: EIP-1474 (JSON-RPC), ERC-3668 (`OffchainLookup`).
"""

from __future__ import annotations

import re
from typing import Final

from chalicelib.names import abi
from chalicelib.names.node_errors import is_contract_fault
from chalicelib.names.ports import OffchainLookup, RpcError
from chalicelib.protocol.errors import InvalidEncoding, Unavailable
from chalicelib.protocol.json_types import JsonValue

MAX_GATEWAY_URLS: Final = 8

_REVERT_HEX: Final = re.compile(r"0x((?:[0-9a-fA-F]{2})+)$")


def returned(value: JsonValue) -> bytes:
    """Bytes of a `0x…` string. Raises `Unavailable`: a node that answers anything else is broken."""
    try:
        if isinstance(value, str) and value.startswith("0x"):
            return bytes.fromhex(value[2:])
    except ValueError:
        pass
    raise Unavailable("The node gave an answer that makes no sense.")


def revert_data(error: RpcError) -> bytes:
    """The data of a revert. Raises `Unavailable` if the node refused for another reason.

    Nodes differ: geth and anvil give code 3 and the hex, others another code, an object around the hex, a
    word before it, or no data at all. Running out of all the gas that the node gives to a call, or code
    that cannot be run, counts as a revert without data: it is the contract's doing, and would happen again.
    """
    if not is_contract_fault(error):
        raise Unavailable("The node refused to answer; try again.")
    data = error.data.get("data") if isinstance(error.data, dict) else error.data
    revert = _REVERT_HEX.search(data if isinstance(data, str) else "")
    return bytes.fromhex(revert[1]) if revert else b""


def offchain_lookup(arguments: bytes) -> OffchainLookup:
    """What the arguments of the error `OffchainLookup` ask for. Raises `Unavailable` if they are garbled."""
    try:
        return OffchainLookup(
            sender=abi.read_address(arguments, 0),
            urls=abi.read_strings(arguments, 1, at_most=MAX_GATEWAY_URLS),
            call_data=abi.read_bytes(arguments, 2),
            callback=abi.read_word(arguments, 3)[: abi.SELECTOR_BYTES],
            extra_data=abi.read_bytes(arguments, 4),
        )
    except InvalidEncoding:
        raise Unavailable("The node gave an answer that makes no sense.") from None
