"""Ties the relay's ports to their adapters. Nothing else does.

It sees everything, and importing it imports everything but botocore, which is imported with the first client.
`chalicelib.process` does so when the first request needs it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import asdict
from typing import Any

from chalicelib.config import Keys, Settings, SweeperSettings
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.cache import CachePolicy
from chalicelib.names.ccip_gateway import CcipGateway
from chalicelib.names.chain_holdings import ChainHoldings
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.links import IPFS_GATEWAYS, LinkReader
from chalicelib.names.ports import ChainTransport, RpcCall, RpcResult
from chalicelib.names.remembered_holdings import RememberedHoldings
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.compose import compose
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.store.bodies import S3Bodies
from chalicelib.store.dynamodb import DynamoStore, client

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


class InOrder:
    """A `ChainTransport` over several nodes: the first that answers, in the operator's order."""

    def __init__(self, transports: Sequence[ChainTransport]) -> None:
        self._transports = transports

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        """See `names.ports.ChainTransport`."""
        *others, last = self._transports
        for transport in others:
            try:
                return transport.request(calls)
            except Unavailable:
                continue
        return last.request(calls)


def open_store(settings: Settings, clients: Clients) -> DynamoStore:
    """The relay's storage. Touches nothing yet."""
    tables = settings.tables
    return DynamoStore(
        clients("dynamodb"),
        inbox_table=tables.inbox,
        submissions_table=tables.submissions,
        accounts_table=tables.accounts,
        counters_table=tables.counters,
        s3_client=clients("s3"),
        bucket=settings.bodies_bucket,
    )


def open_bodies(settings: SweeperSettings, clients: Clients) -> S3Bodies:
    """The bucket of large bodies alone."""
    return S3Bodies(clients("s3"), settings.bodies_bucket)


def build(settings: Settings, keys: Keys, store: DynamoStore) -> Relay:
    """A relay for `settings` that keeps everything in `store` and reads names from the chain."""
    clock = SystemClock()
    fetcher = GuardedFetcher(allow_local=settings.allow_local_urls)
    node = InOrder([HttpTransport(url) for url in settings.rpc_urls])
    directory = EnsDirectory(
        node,
        LinkReader(fetcher, ipfs_gateways=settings.ipfs_gateways or IPFS_GATEWAYS),
        clock_ms=clock.now_ms,
        policy=CachePolicy(
            positive_ms=settings.names_lifetime_s * 1000, negative_ms=settings.unknown_lifetime_s * 1000
        ),
        gateway=CcipGateway(fetcher),
        universal_resolver=settings.universal_resolver or UNIVERSAL_RESOLVER,
    )
    newest, *older = keys.storage
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
        chance=SystemChance(),
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
        return client(service, endpoint_url=endpoint_url)  # type: ignore[call-overload]

    return make
