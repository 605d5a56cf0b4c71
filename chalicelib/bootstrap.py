"""Ties the relay's ports to their adapters; `chalicelib.carriers` does so for telling receivers.

It sees everything, and importing it imports everything but botocore, which is imported with the first client.
`chalicelib.process` does so when the first request needs it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import asdict

from chalicelib.config import Keys, Settings
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.foundation import SystemChance, SystemClock
from chalicelib.names.cache import CachePolicy
from chalicelib.names.ccip_gateway import CcipGateway
from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.counting import Counting, uncounted
from chalicelib.names.heads import HeadPolicy
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.links import IPFS_GATEWAYS, LinkReader
from chalicelib.names.providers import ProviderPolicy, Providers
from chalicelib.names.remembered_holdings import RememberedHoldings
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.properties import NotificationChannel
from chalicelib.relay.compose import compose
from chalicelib.relay.ports import Clock
from chalicelib.relay.remembered_names import ens_directory
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.relay.vault import Vault
from chalicelib.store.dynamodb import DynamoStore


def open_providers(settings: Settings, clock: Clock, count: Counting) -> Providers:
    """The nodes of the chain. Asks none of them yet."""
    chain = settings.chain
    return Providers(
        [HttpTransport(url) for url in settings.rpc_urls],
        clock_ms=clock.now_ms,
        policy=ProviderPolicy(
            timeout_s=chain.rpc_timeout_ms / 1_000,
            total_s=chain.rpc_total_ms / 1_000,
            head=HeadPolicy(max_lag_s=chain.max_lag_s, chain_id=chain.chain_id),
        ),
        count=count,
    )


def cache_policy(settings: Settings) -> CachePolicy:
    """How long answers about names live."""
    return CachePolicy(
        positive_ms=settings.names_lifetime_s * 1_000,
        negative_ms=settings.unknown_lifetime_s * 1_000,
        stale_ms=settings.chain.stale_names_s * 1_000,
    )


def limits_of(settings: Settings) -> Limits:
    """What the relay's callers are limited to."""
    return Limits(
        size_limit_bytes=settings.size_limit_bytes,
        message_ttl_days=settings.message_ttl_days,
        **asdict(settings.quotas),
    )


def build(
    settings: Settings,
    keys: Keys,
    store: DynamoStore,
    *,
    count: Counting = uncounted,
    offered: Callable[[], tuple[NotificationChannel, ...]] = tuple,
) -> Relay:
    """A relay for `settings` that keeps everything in `store` and reads names from the chain.

    `count` is told what happens on the way to the chain; `offered` are the ways in which receivers can be
    told of mail.
    """
    clock, chance = SystemClock(), SystemChance()
    newest, *older = keys.storage
    fetcher = GuardedFetcher(allow_local=settings.allow_local_urls)
    node = open_providers(settings, clock, count)
    directory = ens_directory(
        node,
        store.names,
        Vault(keys.index, newest, chance, older_keys=older),
        clock,
        links=LinkReader(fetcher, ipfs_gateways=settings.ipfs_gateways or IPFS_GATEWAYS),
        gateway=CcipGateway(fetcher),
        policy=cache_policy(settings),
        universal_resolver=settings.universal_resolver or UNIVERSAL_RESOLVER,
        aliases=settings.chain.aliases,
        count=count,
    )
    return compose(
        settings=RelaySettings(
            relay_name=settings.relay_name,
            limits=limits_of(settings),
            lenient=settings.lenient,
            operator_token_sha256=settings.operator_token_sha256,
        ),
        keys=RelayKeys(encryption_key_pair(keys.encryption), signing_key_pair(keys.signing)),
        secrets=RelaySecrets(keys.index, newest, keys.session, tuple(older)),
        stores=store,
        directory=directory,
        clock=clock,
        chance=chance,
        holdings=RememberedHoldings(ChainHoldings(node), clock.now_ms),
        offered=offered,
    )
