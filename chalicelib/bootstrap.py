"""Ties the relay's ports to their adapters. Nothing else does.

It sees everything, and importing it imports everything but botocore, which is imported with the first client.
`chalicelib.process` does so when the first request needs it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from chalicelib.aws.clients import client
from chalicelib.config import Keys, Settings, SweeperSettings
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
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
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.compose import compose
from chalicelib.relay.ports import Clock
from chalicelib.relay.remembered_names import ens_directory
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.relay.vault import Vault
from chalicelib.store.bodies import S3Bodies
from chalicelib.store.dynamodb import DynamoStore

Clients = Callable[[str], Any]
"""Makes a botocore client for the service it names."""


class SystemClock:
    """The relay's `Clock`: this machine's time."""

    def now_ms(self) -> int:
        """See `relay.ports.Clock`."""
        return time.time_ns() // 1_000_000


class SystemChance:
    """The relay's `Chance`: the operating system's source of randomness."""

    def token(self, size_bytes: int) -> bytes:
        """See `relay.ports.Chance`."""
        return secrets.token_bytes(size_bytes)


def open_store(settings: Settings, clients: Clients) -> DynamoStore:
    """The relay's storage. Touches nothing yet."""
    tables = settings.tables
    return DynamoStore(
        clients("dynamodb"),
        inbox_table=tables.inbox,
        submissions_table=tables.submissions,
        accounts_table=tables.accounts,
        counters_table=tables.counters,
        names_table=tables.names,
        connections_table=tables.connections,
        deliveries_table=tables.deliveries,
        s3_client=clients("s3"),
        bucket=settings.bodies_bucket,
    )


def open_bodies(settings: SweeperSettings, clients: Clients) -> S3Bodies:
    """The bucket of large bodies alone."""
    return S3Bodies(clients("s3"), settings.bodies_bucket)


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


def build(settings: Settings, keys: Keys, store: DynamoStore, *, count: Counting = uncounted) -> Relay:
    """A relay for `settings` that keeps everything in `store` and reads names from the chain.

    `count` is told what happens on the way to the chain.
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
            limits=Limits(
                size_limit_bytes=settings.size_limit_bytes,
                message_ttl_days=settings.message_ttl_days,
                **asdict(settings.quotas),
            ),
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
    )


def keys_of(settings: Settings, clients: Clients) -> Keys:
    """The relay's keys, read from SSM if they are not among the settings (one GetParameter).

    Raises Unavailable if SSM does not answer, InvalidSettings if what it has cannot be used.
    """
    if settings.keys is not None:
        return settings.keys
    from botocore.exceptions import BotoCoreError, ClientError

    ssm = clients("ssm")
    try:
        answer = ssm.get_parameter(Name=settings.keys_parameter, WithDecryption=True)
    except (BotoCoreError, ClientError):
        raise Unavailable("The relay's keys cannot be read just now; try again.") from None
    return Keys.parse(answer["Parameter"]["Value"])


def aws_clients(endpoint_url: str | None) -> Clients:
    """Clients by the credentials and the region of the environment, for AWS or another endpoint."""

    def make(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        return client(service, endpoint_url=endpoint_url)

    return make
