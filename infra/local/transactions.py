"""Calls and transactions to the node of the local chain, by its own funded accounts or in anybody's name."""

from __future__ import annotations

import time
from typing import Final

from chalicelib.names.abi import Argument, address_word, encode_arguments, encode_call
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.ports import RpcCall
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.wallet import checksum_address
from infra.local.node import LocalNode

RPC_TIMEOUT_S: Final = 30.0

_RECEIPT_PAUSE_S: Final = 0.002
_ENOUGH_WEI: Final = hex(10**21)


class ChainError(RuntimeError):
    """The node refused a call or a transaction of the set-up."""


class Transactions:
    """Sends to `node`; `first` is its first account, which pays for what is nobody's in particular.

    Every method raises `ChainError` if the node refuses, and `Unavailable` if it does not answer.
    """

    def __init__(self, node: LocalNode) -> None:
        self._transport = HttpTransport(node.rpc_url, timeout_s=RPC_TIMEOUT_S)
        self._ours = {account.address.lower() for account in node.accounts}
        self.first = node.accounts[0].address

    def rpc(self, method: str, *params: JsonValue) -> JsonValue:
        """What the node answers to a JSON-RPC call."""
        (result,) = self._transport.request([RpcCall(method, params)])
        if result.error is not None:
            raise ChainError(f"The local chain refused {method}: {result.error.message}")
        return result.value

    def call(self, contract: str, signature: str, *arguments: Argument) -> bytes:
        """What `contract` answers now, without a transaction."""
        data = "0x" + encode_call(signature, *arguments).hex()
        answer = self.rpc("eth_call", {"to": contract, "data": data}, "latest")
        return bytes.fromhex(str(answer).removeprefix("0x"))

    def send(
        self, sender: str, contract: str, signature: str, *arguments: Argument, value_wei: int = 0
    ) -> None:
        """A mined transaction of `sender`, whoever that is."""
        if sender.lower() not in self._ours:
            self.rpc("anvil_impersonateAccount", sender)
            self.rpc("anvil_setBalance", sender, _ENOUGH_WEI)
        data = "0x" + encode_call(signature, *arguments).hex()
        self._transact({"from": sender, "to": contract, "data": data, "value": hex(value_wei)})

    def deploy(self, code: str, *arguments: Argument) -> str:
        """The checksummed address of the contract that `code` (`0x…`) creates with `arguments`."""
        receipt = self._transact({"from": self.first, "data": code + encode_arguments(*arguments).hex()})
        return checksum_address(str(receipt["contractAddress"]))

    def close(self) -> None:
        """Closes the connections to the node."""
        self._transport.close()

    def _transact(self, transaction: JsonObject) -> JsonObject:
        """The receipt: the node mines a transaction at once, but shortly after it has accepted it."""
        digest = self.rpc("eth_sendTransaction", transaction)
        deadline_s = time.monotonic() + RPC_TIMEOUT_S
        while time.monotonic() < deadline_s:
            receipt = self.rpc("eth_getTransactionReceipt", digest)
            if isinstance(receipt, dict):
                if receipt.get("status") != "0x1":
                    raise ChainError("A transaction failed on the local chain.")
                return receipt
            time.sleep(_RECEIPT_PAUSE_S)
        raise ChainError("The local chain does not mine transactions.")


def word(address: str) -> bytes:
    """An address (`0x…`) as an argument."""
    return address_word(bytes.fromhex(address.removeprefix("0x")))


def number(value: int) -> bytes:
    """A number as an argument."""
    return value.to_bytes(32, "big")
