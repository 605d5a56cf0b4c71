"""What every function of the relay stands on: time, randomness, keys, tables, and clients of AWS.

Importing it imports neither botocore, which comes with the first client, nor anything about the chain.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from typing import Any

from chalicelib.aws.clients import client
from chalicelib.config import Keys, Settings, SweeperSettings, WorkerSettings
from chalicelib.protocol.errors import Unavailable
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


def open_store(settings: Settings | WorkerSettings, clients: Clients) -> DynamoStore:
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


def keys_of(settings: Settings | WorkerSettings, clients: Clients) -> Keys:
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


def aws_clients(endpoint_url: str | None, sockets_url: str | None = None) -> Clients:
    """Clients by the credentials and the region of the environment, for AWS or another endpoint.

    `sockets_url` is the endpoint of the WebSocket API's management, which each such API has of its own.
    """

    def make(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        of_sockets = service == "apigatewaymanagementapi"
        return client(service, endpoint_url=sockets_url if of_sockets else endpoint_url)

    return make
