"""A node with a universal resolver, in memory. It reads and writes the ABI with eth_abi, as an oracle."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from eth_abi.abi import decode, encode
from eth_utils.crypto import keccak

from chalicelib.names.ports import RpcCall, RpcError, RpcResult
from chalicelib.protocol.errors import Unavailable

RESOLVER = "0x" + "5e" * 20


def selector(signature: str) -> bytes:
    return keccak(text=signature)[:4]


def reverted(signature: str, types: Sequence[str], values: Sequence[object]) -> RpcResult:
    data = selector(signature) + encode(types, values)
    return RpcResult(error=RpcError(3, "execution reverted", "0x" + data.hex()))


def resolved(answer: bytes) -> RpcResult:
    return RpcResult(value="0x" + encode(["bytes", "address"], [answer, RESOLVER]).hex())


def wire_name(encoded: bytes) -> str:
    labels = []
    while encoded[0]:
        labels.append(encoded[1 : 1 + encoded[0]].decode())
        encoded = encoded[1 + encoded[0] :]
    return ".".join(labels)


def several(*answers: bytes) -> RpcResult:
    """What the universal resolver says to `multicall(bytes[])`."""
    return resolved(encode(["bytes[]"], [answers]))


@dataclass
class SimulatedChain:
    """`addresses` by name, `texts` by name and key; `requests` counts round trips, `fail` refuses them.

    An `old` universal resolver hands `multicall(bytes[])` on to resolvers, which do not know it.
    """

    addresses: dict[str, str] = field(default_factory=dict)
    texts: dict[tuple[str, str], str] = field(default_factory=dict)
    fail: bool = False
    old: bool = False
    requests: int = 0
    calls: list[RpcCall] = field(default_factory=list)

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        self.requests += 1
        self.calls.extend(calls)
        if self.fail:
            raise Unavailable
        return [self._answer(call) for call in calls]

    def _answer(self, call: RpcCall) -> RpcResult:
        assert call.method == "eth_call"
        transaction, block = call.params
        assert block == "latest"
        assert isinstance(transaction, dict)
        data = bytes.fromhex(transaction["data"][2:])
        assert data[:4] == selector("resolve(bytes,bytes)")
        encoded_name, inner = decode(["bytes", "bytes"], data[4:])
        name = wire_name(encoded_name)
        if name not in self.addresses and not any(known == name for known, _ in self.texts):
            return reverted("ResolverNotFound(bytes)", ["bytes"], [encoded_name])
        if inner[:4] != selector("multicall(bytes[])"):
            return resolved(self._record(name, inner))
        if self.old:
            return reverted("UnsupportedResolverProfile(bytes4)", ["bytes4"], [inner[:4]])
        (calls,) = decode(["bytes[]"], inner[4:])
        return several(*(self._record(name, inner_call) for inner_call in calls))

    def _record(self, name: str, call: bytes) -> bytes:
        if call[:4] == selector("addr(bytes32)"):
            return encode(["address"], [self.addresses.get(name, "0x" + "00" * 20)])
        assert call[:4] == selector("text(bytes32,string)")
        _, key = decode(["bytes32", "string"], call[4:])
        return encode(["string"], [self.texts.get((name, key), "")])
