"""A chain with ENS on it, on a laptop: what `dm3 local` and the tests resolve names against.

The registry, the universal resolver and Multicall3 stand at their addresses of the main network, so that
libraries find them unconfigured; the public resolver is deployed by a plain transaction. The root and `.eth`
belong to the node's first account, so any script can register names with plain transactions.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from chalicelib.names.abi import Dynamic, DynamicArray
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from infra.local.contracts.artifacts import creation_code, deployed_code, public_resolver_creation_code
from infra.local.faults import Fault
from infra.local.node import CHAIN_ID, LocalNode
from infra.local.registry import ENS_REGISTRY, NameRegistry
from infra.local.tokens import Tokens
from infra.local.transactions import ChainError, Transactions, number, word

__all__ = ["ENS_REGISTRY", "MULTICALL3", "Chain", "ChainError", "start_chain"]

MULTICALL3: Final = "0xcA11bde05977b3631167028862bE2a173976CA11"


class Chain:
    """A running local chain. Use as a context manager, or `stop` it. Made by `start_chain`.

    Every method that registers raises `InvalidName`, and `ChainError` if the node refuses. `tokens` makes
    tokens and a deposit contract.
    """

    def __init__(self, node: LocalNode, *, multicall: bool = True) -> None:
        self._node = node
        self._transactions = Transactions(node)
        self.accounts = [(account.address, account.private_key) for account in node.accounts]
        self.chain_id = CHAIN_ID
        self.registry = ENS_REGISTRY
        self.universal_resolver = UNIVERSAL_RESOLVER
        self._names = NameRegistry(self._transactions)
        self._put(UNIVERSAL_RESOLVER, "universal_resolver")
        if multicall:
            self._put(MULTICALL3, "multicall3")
        self.resolver = self._transactions.deploy(public_resolver_creation_code(), word(ENS_REGISTRY))
        self.tokens = Tokens(self._transactions)
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
        nobody owns go to the first account.
        """
        owner_address = self.accounts[owner][0] if isinstance(owner, int) else owner
        self._names.claim(name, self.resolver)
        self.write(self.resolver, name, address=owner_address if address is None else address, texts=texts)
        # Filled in by the first account and handed over last: the owner's key may be somebody else's.
        self._names.hand_over(name, owner_address)

    def set_text(self, name: str, key: str, value: str) -> None:
        """Sets the text record `key` of a registered `name`, as its owner."""
        self._names.must_be_owned(name)
        self.write(self.resolver, name, texts={key: value})

    def register_at(self, name: str, resolver: str) -> None:
        """Gives `name` to the first account, with any `resolver`."""
        self._names.claim(name, resolver)

    def register_wildcard(
        self, name: str, *, address: str | None = None, texts: Mapping[str, str] | None = None
    ) -> str:
        """`name` and every name below it, all with these records. The address of its resolver.

        With `write`, single names get records of their own.
        """
        resolver = self._transactions.deploy(creation_code("wildcard_resolver"))
        self.register_at(name, resolver)
        self.write(resolver, "", address=address, texts=texts)
        return resolver

    def register_offchain(self, name: str, gateways: Sequence[str], signer: str, *, lookups: int = 1) -> str:
        """`name` and every name below it, with records at `gateways`. The address of its resolver.

        `gateways` are URLs of ERC-3668 for servers that answer as `infra.local.ccip_gateway` does and sign as
        the address `signer`; it takes `lookups` of them, one after the other, to find a record.
        """
        urls = DynamicArray(tuple(url.encode() for url in gateways))
        resolver = self._transactions.deploy(
            creation_code("offchain_resolver"), urls, word(signer), number(lookups)
        )
        self.register_at(name, resolver)
        return resolver

    def register_faulty(self, name: str, fault: Fault, *, address: str | None = None, text: str = "") -> str:
        """`name` with a resolver that has this `fault`. The address of its resolver.

        `address` (by default the first account's) and `text` are what it says where it says something.
        """
        target = self.accounts[0][0] if address is None else address
        resolver = self._transactions.deploy(
            creation_code("faulty_resolver"), number(fault), word(target), Dynamic(text.encode())
        )
        self.register_at(name, resolver)
        return resolver

    def write(
        self, resolver: str, name: str, *, address: str | None = None, texts: Mapping[str, str] | None = None
    ) -> None:
        """Writes records of `name` at `resolver`, as the owner of the name."""
        self._names.write(resolver, name, address=address, texts=texts)

    def set_batch_gateways(self, urls: Sequence[str]) -> None:
        """Servers (ENSIP-21) for clients that cannot ask the gateways of several lookups by themselves."""
        gateways = DynamicArray(tuple(url.encode() for url in urls))
        self._transactions.send(
            self._transactions.first, self.universal_resolver, "setGateways(string[])", gateways
        )

    def stop(self) -> None:
        """Ends the node; doing so twice is no error."""
        self._transactions.close()
        self._node.stop()

    def __enter__(self) -> Chain:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _put(self, address: str, contract: str) -> None:
        self._transactions.rpc("anvil_setCode", address, deployed_code(contract))


def start_chain(port: int = 0, accounts: int = 10, *, multicall: bool = True) -> Chain:
    """A fresh chain with ENS on it, on loopback at `port` (0: any free one), with `accounts` rich accounts.

    Without `multicall` there is no Multicall3, as on some chains. Raises `MissingNode` before `make setup`,
    and `ChainError` if ENS cannot be put on the chain.
    """
    node = LocalNode(port=port, accounts=accounts)
    try:
        return Chain(node, multicall=multicall)
    except BaseException:
        node.stop()
        raise
