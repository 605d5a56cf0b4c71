"""Low-level clients of AWS, made without boto3."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import TYPE_CHECKING, Any, Literal, TypedDict, Unpack, overload

if TYPE_CHECKING:
    from botocore.loaders import Loader
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_dynamodbstreams import DynamoDBStreamsClient
    from mypy_boto3_s3 import S3Client
    from mypy_boto3_sesv2 import SESV2Client
    from mypy_boto3_sns import SNSClient
    from mypy_boto3_sqs import SQSClient


@dataclass(frozen=True, slots=True)
class Patience:
    """How long a request to AWS may take. At worst `attempts` times both timeouts, and the pauses between.

    API Gateway gives up after 29 seconds, and one submit makes several requests.
    """

    connect_timeout_s: float = 1.0
    read_timeout_s: float = 3.0
    attempts: int = 3


class Options(TypedDict, total=False):
    """How to make a client. Region and credentials (key id, secret) come from the environment by default.

    `endpoint_url` leads to another implementation than Amazon's, or to a WebSocket API's own endpoint.
    `connections` is how many are kept open.
    """

    region: str | None
    endpoint_url: str | None
    patience: Patience
    credentials: tuple[str, str] | None
    connections: int


@overload
def client(service: Literal["dynamodb"], **options: Unpack[Options]) -> DynamoDBClient: ...
@overload
def client(service: Literal["dynamodbstreams"], **options: Unpack[Options]) -> DynamoDBStreamsClient: ...
@overload
def client(service: Literal["s3"], **options: Unpack[Options]) -> S3Client: ...
@overload
def client(service: Literal["sns"], **options: Unpack[Options]) -> SNSClient: ...
@overload
def client(service: Literal["sqs"], **options: Unpack[Options]) -> SQSClient: ...
@overload
def client(service: Literal["sesv2"], **options: Unpack[Options]) -> SESV2Client: ...
@overload
def client(
    service: Literal["apigatewaymanagementapi"], **options: Unpack[Options]
) -> ApiGatewayManagementApiClient: ...
@overload
def client(service: str, **options: Unpack[Options]) -> Any: ...  # noqa: ANN401 - botocore makes them
def client(service: str, **options: Unpack[Options]) -> Any:
    """A low-level client of `service`, thread-safe.

    botocore is imported by the first call: it takes some 300 ms, which a function that only refuses
    nonsense need not spend.
    """
    import botocore.session
    from botocore.config import Config

    patience = options.get("patience", Patience())
    endpoint_url = options.get("endpoint_url")
    key_id, secret = options.get("credentials") or (None, None)
    config = Config(
        connect_timeout=patience.connect_timeout_s,
        read_timeout=patience.read_timeout_s,
        retries={"mode": "standard", "total_max_attempts": patience.attempts},
        max_pool_connections=options.get("connections", 10),
        # Buckets as parts of the host name exist only under Amazon's own domain.
        s3={"addressing_style": "auto" if endpoint_url is None else "path"},
    )
    session = botocore.session.get_session()
    session.register_component("data_loader", _loader())
    return session.create_client(
        service,
        region_name=options.get("region"),
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
