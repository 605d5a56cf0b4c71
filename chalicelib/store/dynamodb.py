"""The relay's storage on AWS: the clients, and the stores put together."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, overload

from chalicelib.store.bodies import Bodies, S3Bodies
from chalicelib.store.dynamodb_accounts import DynamoAccounts, DynamoRules
from chalicelib.store.dynamodb_counters import DynamoCounters
from chalicelib.store.dynamodb_inbox import INLINE_LIMIT_BYTES, DynamoInbox
from chalicelib.store.dynamodb_names import DynamoNames
from chalicelib.store.dynamodb_submissions import DynamoSubmissions

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request to AWS may take. At worst `attempts` times both timeouts, and the pauses between.

    API Gateway gives up after 29 seconds, and one submit makes several requests.
    """

    connect_timeout_s: float = 1.0
    read_timeout_s: float = 3.0
    attempts: int = 3


@overload
def client(
    service: Literal["dynamodb"],
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    patience: Patience = ...,
    credentials: tuple[str, str] | None = None,
    connections: int = 10,
) -> DynamoDBClient: ...
@overload
def client(
    service: Literal["s3"],
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    patience: Patience = ...,
    credentials: tuple[str, str] | None = None,
    connections: int = 10,
) -> S3Client: ...
def client(
    service: Literal["dynamodb", "s3"],
    *,
    region: str | None = None,
    endpoint_url: str | None = None,
    patience: Patience = Patience(),
    credentials: tuple[str, str] | None = None,
    connections: int = 10,
) -> Any:
    """A low-level client, thread-safe; region and credentials come from the environment unless given.

    botocore is imported by the first call: it takes some 300 ms, which a function that only refuses
    nonsense need not spend. `endpoint_url` leads to another implementation than Amazon's.
    """
    import botocore.session
    from botocore.config import Config

    key_id, secret = credentials or (None, None)
    config = Config(
        connect_timeout=patience.connect_timeout_s,
        read_timeout=patience.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=connections,
        # Buckets as parts of the host name exist only under Amazon's own domain.
        s3={"addressing_style": "auto" if endpoint_url is None else "path"},
    )
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return session.create_client(
        service,
        region_name=region,
        endpoint_url=endpoint_url,
        aws_access_key_id=key_id,
        aws_secret_access_key=secret,
        config=config,
    )


@cache
def _loader() -> Loader:
    """The reader of botocore's descriptions of AWS, shared: parsing them is most of what a client costs."""
    from botocore.loaders import create_loader

    return create_loader()


class DynamoStore:
    """Inbox, submissions, accounts with their rules, counters and names in five tables, large messages in S3.

    Without `s3_client` and `bucket` a message over `inline_limit_bytes` cannot be stored; `bodies` takes
    another place for them. All attributes are thread-safe.
    """

    def __init__(
        self,
        client: DynamoDBClient,
        *,
        inbox_table: str,
        submissions_table: str,
        accounts_table: str,
        counters_table: str,
        names_table: str,
        s3_client: S3Client | None = None,
        bucket: str | None = None,
        bodies: Bodies | None = None,
        inline_limit_bytes: int = INLINE_LIMIT_BYTES,
    ) -> None:
        if bodies is None and s3_client is not None and bucket is not None:
            bodies = S3Bodies(s3_client, bucket)
        self.inbox = DynamoInbox(client, inbox_table, bodies=bodies, inline_limit_bytes=inline_limit_bytes)
        self.submissions = DynamoSubmissions(client, submissions_table)
        self.accounts = DynamoAccounts(client, accounts_table)
        self.rules = DynamoRules(client, accounts_table)
        self.counters = DynamoCounters(client, counters_table)
        self.names = DynamoNames(client, names_table)
