"""A chain with ENS on it, on a laptop: what `dm3 local` and the tests resolve names against.

The registry and the universal resolver stand at their addresses of the main network, so that libraries find
them unconfigured; the public resolver is deployed by a plain transaction. The root and `.eth` belong to the
node's first account, so any script can register names with plain transactions.
"""

from __future__ import annotations

import time
from collections.abc import Mapping
from typing import Final

from chalicelib.names.abi import Dynamic, address_word, encode_arguments, encode_call
from chalicelib.names.encoding import namehash
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.normalize import normalize
from chalicelib.names.ports import RpcCall
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.hashing import keccak256
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.wallet import checksum_address
from infra.local.contracts.artifacts import (
    public_resolver_creation_code,
    registry_code,
    universal_resolver_code,
)
from infra.local.node import CHAIN_ID, LocalNode

ENS_REGISTRY: Final = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
RPC_TIMEOUT_S: Final = 30.0

_ROOT: Final = bytes(32)
_NOBODY: Final = "0x" + "00" * 20
_SET_SUBNODE_OWNER: Final = "setSubnodeOwner(bytes32,bytes32,address)"
_RECEIPT_PAUSE_S: Final = 0.002
_ENOUGH_WEI: Final = hex(10**21)


class ChainError(RuntimeError):
    """The node refused a transaction of the set-up."""


class Chain:
    """A running local chain. Use as a context manager, or `stop` it. Made by `start_chain`."""

    def __init__(self, node: LocalNode) -> None:
        self._node = node
        self._transport = HttpTransport(node.rpc_url, timeout_s=RPC_TIMEOUT_S)
        self.accounts = [(account.address, account.private_key) for account in node.accounts]
        self.chain_id = CHAIN_ID
        self.registry = ENS_REGISTRY
        self.universal_resolver = UNIVERSAL_RESOLVER
        self.resolver = self._build()
        # Where libraries that register names look for the resolver to set.
        self.register("resolver.eth", address=self.resolver)

    @property
    def rpc_url(self) -> str:
        """Where the node answers JSON-RPC over HTTP and WebSocket (`http://127.0.0.1:…`)."""
        return self._node.rpc_url

    @property
    def pid(self) -> int:
        """The process to signal to end the node."""
        return self._node.pid

    def register(
        self,
        name: str,
        owner: int | str = 0,
        *,
        address: str | None = None,
        texts: Mapping[str, str] | None = None,
    ) -> None:
        """Gives `name` to `owner`: the index of an account, or any address.

        The name points at `address` (by default its owner's) and has the text records `texts`. Parents that
        nobody owns go to the first account. Raises `InvalidName`, and `ChainError` if the node refuses.
        """
        name = normalize(name)
        first, node = self.accounts[0][0], namehash(name)
        owner_address = self.accounts[owner][0] if isinstance(owner, int) else owner
        self._claim(name, first)
        self._send(first, self.registry, "setResolver(bytes32,address)", node, _word(self.resolver))
        pointed_at = _word(owner_address if address is None else address)
        self._send(first, self.resolver, "setAddr(bytes32,address)", node, pointed_at)
        for key, value in (texts or {}).items():
            self._set_text(first, node, key, value)
        # Filled in by the first account and handed over last: the owner's key may be somebody else's.
        if owner_address.lower() != first.lower():
            self._send(first, self.registry, "setOwner(bytes32,address)", node, _word(owner_address))

    def set_text(self, name: str, key: str, value: str) -> None:
        """Sets the text record `key` of a registered `name`, as its owner. Raises as `register`."""
        node = namehash(normalize(name))
        owner = self._owner(node)
        if owner == _NOBODY:
            raise ChainError("Nobody owns this name on the local chain.")
        self._set_text(owner, node, key, value)

    def stop(self) -> None:
        """Ends the node; doing so twice is no error."""
        self._transport.close()
        self._node.stop()

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _build(self) -> str:
        """Puts ENS on the chain; the address of the public resolver."""
        first = self.accounts[0][0]
        self._rpc("anvil_setCode", self.registry, registry_code())
        self._rpc("anvil_setCode", self.universal_resolver, universal_resolver_code())
        # The registry keeps `mapping(bytes32 => Record)` in slot 0; the owner is a record's first member.
        slot = "0x" + keccak256(_ROOT + bytes(32)).hex()
        self._rpc("anvil_setStorageAt", self.registry, slot, "0x" + _word(first).hex())
        argument = encode_arguments(_word(self.registry)).hex()
        receipt = self._transact({"from": first, "data": public_resolver_creation_code() + argument})
        resolver = checksum_address(str(receipt["contractAddress"]))
        self._send(first, self.registry, _SET_SUBNODE_OWNER, _ROOT, keccak256(b"eth"), _word(first))
        return resolver

    def _claim(self, name: str, first: str) -> None:
        """Makes the first account the owner of `name`, and of every parent that has none."""
        node, labels = _ROOT, name.split(".")
        for depth, label in enumerate(reversed(labels), start=1):
            parent, label_hash = node, keccak256(label.encode())
            node = keccak256(parent + label_hash)
            owner = self._owner(node)
            wanted = depth == len(labels) or owner == _NOBODY
            if wanted and owner.lower() != first.lower():
                parent_owner = self._owner(parent)
                self._send(parent_owner, self.registry, _SET_SUBNODE_OWNER, parent, label_hash, _word(first))

    def _owner(self, node: bytes) -> str:
        data = "0x" + encode_call("owner(bytes32)", node).hex()
        word = self._rpc("eth_call", {"to": self.registry, "data": data}, "latest")
        return "0x" + str(word)[-40:]

    def _set_text(self, sender: str, node: bytes, key: str, value: str) -> None:
        text = Dynamic(key.encode()), Dynamic(value.encode())
        self._send(sender, self.resolver, "setText(bytes32,string,string)", node, *text)

    def _send(self, sender: str, contract: str, signature: str, *arguments: bytes | Dynamic) -> None:
        if sender.lower() not in {address.lower() for address, _ in self.accounts}:
            self._rpc("anvil_impersonateAccount", sender)
            self._rpc("anvil_setBalance", sender, _ENOUGH_WEI)
        data = "0x" + encode_call(signature, *arguments).hex()
        self._transact({"from": sender, "to": contract, "data": data})

    def _transact(self, transaction: JsonObject) -> JsonObject:
        """The receipt: the node mines a transaction at once, but shortly after it has accepted it."""
        digest = self._rpc("eth_sendTransaction", transaction)
        deadline_s = time.monotonic() + RPC_TIMEOUT_S
        while time.monotonic() < deadline_s:
            receipt = self._rpc("eth_getTransactionReceipt", digest)
            if isinstance(receipt, dict):
                if receipt.get("status") != "0x1":
                    raise ChainError("A transaction failed on the local chain.")
                return receipt
            time.sleep(_RECEIPT_PAUSE_S)
        raise ChainError("The local chain does not mine transactions.")

    def _rpc(self, method: str, *params: JsonValue) -> JsonValue:
        (result,) = self._transport.request([RpcCall(method, params)])
        if result.error is not None:
            raise ChainError(f"The local chain refused {method}: {result.error.message}")
        return result.value


def start_chain(port: int = 0, accounts: int = 10) -> Chain:
    """A fresh chain with ENS on it, on loopback at `port` (0: any free one), with `accounts` rich accounts.

    Raises `MissingNode` before `make setup`, and `ChainError` if ENS cannot be put on the chain.
    """
    node = LocalNode(port=port, accounts=accounts)
    try:
        return Chain(node)
    except BaseException:
        node.stop()
        raise


def _word(address: str) -> bytes:
    return address_word(bytes.fromhex(address.removeprefix("0x")))
