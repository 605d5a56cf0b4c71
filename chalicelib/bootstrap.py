"""Ties the relay's ports to their adapters. Nothing else does.

`import chalicelib.bootstrap` is cheap: what speaks to AWS and to the chain is imported when the first request
needs the relay, so a function that only refuses nonsense never pays for it.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Any

from chalicelib.api import logs
from chalicelib.config import InvalidSettings, Keys, Settings, SweeperSettings
from chalicelib.names.ports import ChainTransport, RpcCall, RpcResult
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.compose import compose
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySecrets, RelaySettings
from chalicelib.store.bodies import S3Bodies, bodies_of_removed
from chalicelib.store.dynamodb import DynamoStore, client

Clients = Callable[[str], Any]
"""Makes a botocore client for the service it names."""

_PROBE = bytes(32)


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


class Wiring:
    """The relay of one process, built when it is first asked for. Safe to use from many threads.

    `settings` reads the settings; `clients` makes clients of AWS (default: by the settings' endpoint).
    """

    def __init__(self, settings: Callable[[], Settings], *, clients: Clients | None = None) -> None:
        self._settings = settings
        self._clients = clients
        self._lock = Lock()
        self._built: tuple[Relay, DynamoStore] | None = None

    def relay(self) -> Relay:
        """The relay. Raises Unavailable if its keys cannot be read now, InternalError for wrong settings."""
        return self._ready()[0]

    def probe(self) -> None:
        """One read of the smallest kind. Raises Unavailable if the store does not answer, and as `relay`."""
        self._ready()[1].counters.read([_PROBE], now_s=int(time.time()))

    def _ready(self) -> tuple[Relay, DynamoStore]:
        with self._lock:
            if self._built is None:
                try:
                    self._built = self._build()
                except InvalidSettings as error:
                    logs.misconfigured(error)
                    raise InternalError from None
            return self._built

    def _build(self) -> tuple[Relay, DynamoStore]:
        settings = self._settings()
        clients = self._clients or aws_clients(settings.aws_url)
        tables = settings.tables
        store = DynamoStore(
            clients("dynamodb"),
            inbox_table=tables.inbox,
            submissions_table=tables.submissions,
            accounts_table=tables.accounts,
            counters_table=tables.counters,
            s3_client=clients("s3"),
            bucket=settings.bodies_bucket,
        )
        return build(settings, keys_of(settings, clients), store), store


class Sweeper:
    """Deletes the bodies of deleted messages: the function behind the inbox table's stream."""

    def __init__(self, settings: SweeperSettings, *, clients: Clients | None = None) -> None:
        clients = clients or aws_clients(settings.aws_url)
        self._bodies = S3Bodies(clients("s3"), settings.bodies_bucket)

    def sweep(self, event: Mapping[str, Any]) -> None:
        """Delete the bodies that an event of the stream names. Raises Unavailable: the stream repeats it."""
        self._bodies.delete(bodies_of_removed(event["Records"]))


def build(settings: Settings, keys: Keys, store: DynamoStore) -> Relay:
    """A relay for `settings` that keeps everything in `store` and reads names from the chain."""
    from chalicelib.names.cache import CachePolicy
    from chalicelib.names.ens_directory import EnsDirectory
    from chalicelib.names.http_transport import HttpTransport

    clock = SystemClock()
    directory = EnsDirectory(
        InOrder([HttpTransport(url) for url in settings.rpc_urls]),
        clock_ms=clock.now_ms,
        policy=CachePolicy(
            positive_ms=settings.names_lifetime_s * 1000, negative_ms=settings.unknown_lifetime_s * 1000
        ),
        universal_resolver=settings.universal_resolver,
    )
    newest, *older = keys.storage
    return compose(
        settings=RelaySettings(
            relay_name=settings.relay_name,
            limits=Limits(
                size_limit_bytes=settings.size_limit_bytes, message_ttl_days=settings.message_ttl_days
            ),
            lenient=settings.lenient,
        ),
        keys=RelayKeys(encryption_key_pair(keys.encryption), signing_key_pair(keys.signing)),
        secrets=RelaySecrets(keys.index, newest, keys.session, tuple(older)),
        stores=store,
        directory=directory,
        clock=clock,
        chance=SystemChance(),
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
