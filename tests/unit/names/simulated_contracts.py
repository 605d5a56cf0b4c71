"""A node with contracts, in memory: it reads and writes the ABI with eth_abi, as an oracle, and counts gas.

A contract is a function from call data to what it returns; it may raise `Failed`. In Multicall3 it gets 63
of 64 parts of what gas is left (EIP-150), as on a chain.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from eth_abi.abi import decode, encode

from chalicelib.names.multicall import MULTICALL3
from chalicelib.names.ports import RpcCall, RpcError, RpcResult
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonValue
from tests.unit.names.simulated_chain import selector

USUAL_GAS = 30_000


class Failed(Exception):
    """A contract that does not answer: how the node tells it, and whether all gas went with it."""

    def __init__(self, error: RpcError, *, burns: bool = False) -> None:
        super().__init__(error.message)
        self.error = error
        self.burns = burns


Contract = Callable[[bytes], bytes]


def reverting(_: bytes) -> bytes:
    raise Failed(RpcError(3, "execution reverted", "0x"))


def burning(_: bytes) -> bytes:
    raise Failed(RpcError(-32000, "out of gas"), burns=True)


def token(balances: dict[str, int], ids: dict[tuple[str, int], int] | None = None) -> Contract:
    """`balanceOf` of both kinds, and `depositOf`."""

    def answer(data: bytes) -> bytes:
        if data[:4] == selector("balanceOf(address,uint256)"):
            owner, token_id = decode(["address", "uint256"], data[4:], strict=True)
            return encode(["uint256"], [(ids or {}).get((owner, token_id), 0)])
        assert data[:4] in (selector("balanceOf(address)"), selector("depositOf(address)"))
        (owner,) = decode(["address"], data[4:], strict=True)
        return encode(["uint256"], [balances.get(owner, 0)])

    return answer


@dataclass
class SimulatedContracts:
    """`contracts`, `balances` and `nonces` by lower-case address; `requests` counts round trips."""

    contracts: dict[str, Contract] = field(default_factory=dict)
    balances: dict[str, int] = field(default_factory=dict)
    nonces: dict[str, int] = field(default_factory=dict)
    multicall: bool = True
    fail: bool = False
    requests: int = 0
    calls: list[RpcCall] = field(default_factory=list)

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        self.requests += 1
        self.calls.extend(calls)
        if self.fail:
            raise Unavailable
        return [self._answer(call) for call in calls]

    def _answer(self, call: RpcCall) -> RpcResult:
        target, block = call.params
        assert block == "latest"
        if call.method == "eth_getTransactionCount":
            return RpcResult(value=hex(self.nonces.get(str(target).lower(), 0)))
        if call.method == "eth_getBalance":
            return RpcResult(value=hex(self.balances.get(str(target).lower(), 0)))
        assert call.method == "eth_call"
        return self._eth_call(target)

    def _eth_call(self, transaction: JsonValue) -> RpcResult:
        assert isinstance(transaction, dict)
        contract, gas = str(transaction["to"]).lower(), int(str(transaction["gas"]), 16)
        data = bytes.fromhex(str(transaction["data"])[2:])
        try:
            if contract == MULTICALL3.lower() and self.multicall:
                return RpcResult(value="0x" + self._aggregate(data, gas).hex())
            return RpcResult(value="0x" + self._run(contract, data).hex())
        except Failed as failed:
            return RpcResult(error=failed.error)

    def _run(self, contract: str, data: bytes) -> bytes:
        code = self.contracts.get(contract)
        return b"" if code is None else code(data)

    def _aggregate(self, data: bytes, gas: int) -> bytes:
        assert data[:4] == selector("aggregate3((address,bool,bytes)[])")
        (calls,) = decode(["(address,bool,bytes)[]"], data[4:], strict=True)
        results: list[tuple[bool, bytes]] = []
        for target, may_fail, call in calls:
            assert may_fail
            given = gas - gas // 64
            if gas < USUAL_GAS // 10:
                raise Failed(RpcError(-32000, "out of gas"))
            if given < USUAL_GAS:
                results.append((False, b""))
                gas -= given
                continue
            try:
                results.append((True, self._within(target, call)))
                gas -= USUAL_GAS
            except Failed as failed:
                results.append((False, b""))
                gas -= given if failed.burns else USUAL_GAS
        return encode(["(bool,bytes)[]"], [results])

    def _within(self, target: str, data: bytes) -> bytes:
        if target != MULTICALL3.lower():
            return self._run(target, data)
        assert data[:4] == selector("getEthBalance(address)")
        (owner,) = decode(["address"], data[4:], strict=True)
        return encode(["uint256"], [self.balances.get(owner, 0)])
