"""Names on the local chain: owners and resolvers in ENS's registry, and records at resolvers."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from chalicelib.names.abi import Dynamic
from chalicelib.names.encoding import namehash
from chalicelib.names.normalize import normalize
from chalicelib.protocol.hashing import keccak256
from infra.local.contracts.artifacts import registry_code
from infra.local.transactions import ChainError, Transactions, word

ENS_REGISTRY: Final = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"

ROOT: Final = bytes(32)
_NOBODY: Final = "0x" + "00" * 20
_SET_SUBNODE_OWNER: Final = "setSubnodeOwner(bytes32,bytes32,address)"


class NameRegistry:
    """ENS's registry at its address of the main network; the root and `.eth` belong to the first account."""

    def __init__(self, transactions: Transactions) -> None:
        self._transactions = transactions
        first = transactions.first
        transactions.rpc("anvil_setCode", ENS_REGISTRY, registry_code())
        # The registry keeps `mapping(bytes32 => Record)` in slot 0; the owner is a record's first member.
        slot = "0x" + keccak256(ROOT + bytes(32)).hex()
        transactions.rpc("anvil_setStorageAt", ENS_REGISTRY, slot, "0x" + word(first).hex())
        transactions.send(first, ENS_REGISTRY, _SET_SUBNODE_OWNER, ROOT, keccak256(b"eth"), word(first))

    def claim(self, name: str, resolver: str) -> None:
        """Makes the first account the owner of `name`, and of every parent that has none; sets `resolver`.

        Raises `InvalidName` and `ChainError`.
        """
        first = self._transactions.first
        node, labels = ROOT, normalize(name).split(".")
        for depth, label in enumerate(reversed(labels), start=1):
            parent, label_hash = node, keccak256(label.encode())
            node = keccak256(parent + label_hash)
            owner = self.owner(node)
            wanted = depth == len(labels) or owner == _NOBODY
            if wanted and owner.lower() != first.lower():
                self._send(self.owner(parent), _SET_SUBNODE_OWNER, parent, label_hash, word(first))
        self._send(first, "setResolver(bytes32,address)", node, word(resolver))

    def hand_over(self, name: str, owner: str) -> None:
        """Gives a `name` of the first account to `owner`. Raises `ChainError`."""
        if owner.lower() != self._transactions.first.lower():
            self._send(self._transactions.first, "setOwner(bytes32,address)", _node(name), word(owner))

    def write(
        self, resolver: str, name: str, *, address: str | None = None, texts: Mapping[str, str] | None = None
    ) -> None:
        """Writes records of `name` at a `resolver` that anybody or the name's owner may write to.

        The empty name means the records of the zero node. Raises `InvalidName` and `ChainError`.
        """
        node = _node(name) if name else ROOT
        owner = self.owner(node)
        if owner == _NOBODY:
            owner = self._transactions.first
        if address is not None:
            self._transactions.send(owner, resolver, "setAddr(bytes32,address)", node, word(address))
        for key, value in (texts or {}).items():
            text = Dynamic(key.encode()), Dynamic(value.encode())
            self._transactions.send(owner, resolver, "setText(bytes32,string,string)", node, *text)

    def must_be_owned(self, name: str) -> None:
        """Raises `ChainError` if `name` belongs to nobody."""
        if self.owner(_node(name)) == _NOBODY:
            raise ChainError("Nobody owns this name on the local chain.")

    def owner(self, node: bytes) -> str:
        """Whose `node` is, in lower case; the zero address if nobody's."""
        answer = self._transactions.call(ENS_REGISTRY, "owner(bytes32)", node)
        return "0x" + answer[-20:].hex()

    def _send(self, sender: str, signature: str, *arguments: bytes) -> None:
        self._transactions.send(sender, ENS_REGISTRY, signature, *arguments)


def _node(name: str) -> bytes:
    return namehash(normalize(name))
