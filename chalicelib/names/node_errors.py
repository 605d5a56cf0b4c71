"""Tells errors of a node from errors of the contract it was asked to run.

The contracts that are run belong to strangers. If what they do (revert, use up the gas, run into an invalid
instruction) counted against the providers, one name could have every provider passed over; so what looks
like the doing of a contract is an answer, whatever its code. JSON-RPC leaves the codes from -32099 to -32000
to the server, and EIP-1474 gives some of them a meaning, which providers share only in part: hence the words.
"""

from __future__ import annotations

import re
from typing import Final

from chalicelib.names.counting import Event
from chalicelib.names.ports import RpcError

# Geth and those after it give 3 for a revert; Nethermind -32015 for whatever the virtual machine says.
_EXECUTION_CODES: Final = frozenset({3, -32015})
_EXECUTION: Final = re.compile(
    r"revert|out ?of ?gas|oog|gas required|opcode|bad ?instruction|evm ?error|vm execution"
    r"|stack ?(under|over)flow|stack limit|invalid ?jump",
    re.IGNORECASE,
)
# The call was given up on, be it for its own length or for the node's want of time.
_GIVEN_UP: Final = re.compile(r"execution (aborted|failed)", re.IGNORECASE)
# -32005 is "limit exceeded" of EIP-1474; the others are what large providers answer in its place.
_LIMIT_CODES: Final = frozenset({429, -32005, -32007, -32029})
_LIMIT: Final = re.compile(
    r"rate.?limit|too many requests|quota|capacity|(request|compute unit|credit).*(limit|exceeded|reached)",
    re.IGNORECASE,
)
# Geth answers -32000 for whatever goes wrong, and then the words tell what is its own.
_GENERIC_CODE: Final = -32000
_OWN: Final = re.compile(
    r"(header|block|state|root) .*(not found|unavailable|missing)|header not found|unknown block|missing trie"
    r"|pruned|sync|no (healthy|available) |upstream|internal",
    re.IGNORECASE,
)


def is_contract_fault(error: RpcError) -> bool:
    """Whether the called contract reverted or cannot be run: asking again, or another node, says the same."""
    return error.code in _EXECUTION_CODES or _EXECUTION.search(_text(error)) is not None


def node_failure(error: RpcError) -> Event | None:
    """What to count the error as if it is the node's own; None if it is an answer to the call."""
    text = _text(error)
    if is_contract_fault(error) or _GIVEN_UP.search(text):
        return None
    if error.code in _LIMIT_CODES or _LIMIT.search(text):
        return Event.LIMITED
    if error.code == _GENERIC_CODE and not _OWN.search(text):
        return None
    return Event.REFUSED


def _text(error: RpcError) -> str:
    return error.message + (error.data if isinstance(error.data, str) else "")
