"""The people of the demo: a wallet of the local chain each, a name, a client."""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.cli.publish import publish_profile
from chalicelib.client import Dm3Client, Identity, Wallet
from infra.local.serve import LocalRelay


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody on the local chain."""

    wallet: Wallet
    identity: Identity
    client: Dm3Client

    @property
    def name(self) -> str:
        """The ENS name."""
        return self.identity.name


def create(relay: LocalRelay, name: str, account: int) -> Person:
    """Give `name` to an account of the chain, and derive the keys from a signature of its wallet."""
    wallet = Wallet.parse(relay.accounts[account][1])
    relay.chain.register(name, account)
    identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
    client = Dm3Client.connect(identity, relay.rpc_url, universal_resolver=relay.universal_resolver)
    return Person(wallet, identity, client)


def publish(relay: LocalRelay, person: Person) -> str:
    """Publish the profile by a transaction that the person's wallet signs; the transaction's hash."""
    return publish_profile(relay.rpc_url, person.identity, person.wallet)
