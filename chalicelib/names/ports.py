"""What reading names needs from the world: a node of the chain, and a way to follow links.

Adapters turn every foreign exception into the protocol's own. What an adapter returns is untrusted: the
callers decode it as if an attacker had written it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.profile_uri import IpfsProfile, LinkedProfile


@dataclass(frozen=True, slots=True)
class RpcCall:
    """One JSON-RPC call to a node, as in EIP-1474: a method and its positional parameters."""

    method: str
    params: tuple[JsonValue, ...] = ()


@dataclass(frozen=True, slots=True)
class RpcError:
    """The node's refusal of one call. `data` is unchecked; for a revert it is usually the revert's hex."""

    code: int
    message: str
    data: JsonValue = None


@dataclass(frozen=True, slots=True)
class RpcResult:
    """The node's answer to one call: a value, or an error."""

    value: JsonValue = None
    error: RpcError | None = None


class RateLimited(Unavailable):
    """The node refused because it is asked too often."""

    summary = "The node of the chain is asked too often; try again."


class AnswerTooLong(Unavailable):
    """The answer was longer than is read. What a stranger's contract returned is in it, so it may be that."""

    summary = "The answer of the node is too long."


class ChainTransport(Protocol):
    """A way to a node of the chain."""

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        """Answers to all `calls`, in their order, from one HTTP round trip.

        Raises `Unavailable` when the node did not answer, or answered something that is not JSON-RPC.
        """
        ...


class ProfileLinks(Protocol):
    """Follows the links that records hold instead of profiles."""

    def read(self, uri: LinkedProfile | IpfsProfile) -> JsonObject:
        """The JSON that `uri` names, verified to be just that.

        Raises `Unavailable` when it cannot be had just now. Any other `Dm3Error` says that the link leads to
        no profile, now or later: another content, none that can be read, or a place that must not be asked.
        """
        ...


@dataclass(frozen=True, slots=True)
class OffchainLookup:
    """What a contract that keeps its records elsewhere asks of its caller (ERC-3668, CCIP-Read)."""

    sender: bytes  # 20 bytes
    urls: tuple[str, ...]
    call_data: bytes
    callback: bytes  # 4 bytes
    extra_data: bytes


class OffchainGateway(Protocol):
    """Asks the gateways of ERC-3668. Without one, names whose records live off chain are unavailable."""

    def answer(self, lookup: OffchainLookup) -> bytes:
        """The gateway's answer, to be handed to the contract's callback. Raises `Unavailable`."""
        ...
