"""The AWS services that the relay uses, on the laptop: moto in this process, or any endpoint.

moto is started for the whole process: while it runs, every botocore client of the process talks to it. It
does not make operations atomic by itself, so its clients are called one at a time.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from chalicelib.aws.clients import client
from chalicelib.config import Tables
from chalicelib.store.tables import TableNames, create_tables

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"
CREDENTIALS = ("local", "local")

_log = logging.getLogger("dm3.local")


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Tables, bucket and inbox stream that are ready, and the way to get clients for them.

    `endpoint_url` is None for moto. `clients` makes a client for "dynamodb" or "s3".
    """

    endpoint_url: str | None
    clients: Callable[[str], Any]
    tables: Tables
    bucket: str
    streams: Any
    stream_arn: str | None


@contextmanager
def local_aws(endpoint_url: str | None = None) -> Iterator[LocalAws]:
    """The services at `endpoint_url`, or in moto, with tables and a bucket of a name nobody else uses.

    An endpoint that has DynamoDB only, or no streams, will do: then nothing deletes bodies, or large messages
    are refused. What was made is deleted at the end. Raises ConnectionError if the endpoint does not answer.
    """
    if endpoint_url is None:
        with _moto() as clients:
            yield _prepared(clients, None)
        return
    from botocore.exceptions import BotoCoreError

    try:
        aws = _prepared(partial(_client, endpoint_url=endpoint_url), endpoint_url)
    except BotoCoreError:
        raise ConnectionError("the AWS endpoint does not answer") from None
    try:
        yield aws
    finally:
        _remove(aws)


@contextmanager
def _moto() -> Iterator[Callable[[str], Any]]:
    """A factory of clients that talk to moto, one call at a time."""
    from moto import mock_aws

    lock = RLock()
    # Without this moto looks for streams at a host name made of the account's number.
    previous = os.environ.get("AWS_ACCOUNT_ID_ENDPOINT_MODE")
    os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = "disabled"
    try:
        with mock_aws():
            yield lambda service: OneAtATime(_client(service), lock)
    finally:
        os.environ.pop("AWS_ACCOUNT_ID_ENDPOINT_MODE")
        if previous is not None:
            os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = previous


def _client(service: str, endpoint_url: str | None = None) -> Any:  # noqa: ANN401 - made at run time
    """A client; for another endpoint than moto, credentials of the environment count if there are any."""
    own = endpoint_url is not None and "AWS_ACCESS_KEY_ID" in os.environ
    return client(
        service,
        region=REGION,
        endpoint_url=endpoint_url,
        credentials=None if own else CREDENTIALS,
    )


class OneAtATime:
    """A client whose operations wait for one another."""

    def __init__(self, inner: object, lock: AbstractContextManager[object]) -> None:
        self._inner = inner
        self._lock = lock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def locked(*args: object, **kwargs: object) -> object:
            with self._lock:
                return attribute(*args, **kwargs)

        return locked


def _prepared(clients: Callable[[str], Any], endpoint_url: str | None) -> LocalAws:
    prefix = f"dm3-local-{secrets.token_hex(4)}-"
    dynamodb = clients("dynamodb")
    names = _create_tables(dynamodb, prefix)
    bucket = f"{prefix}bodies"
    _create_bucket(clients("s3"), bucket)
    return LocalAws(
        endpoint_url=endpoint_url,
        clients=clients,
        tables=Tables(*astuple(names)),
        bucket=bucket,
        streams=clients("dynamodbstreams"),
        stream_arn=dynamodb.describe_table(TableName=names.inbox)["Table"].get("LatestStreamArn"),
    )


def _create_tables(dynamodb: DynamoDBClient, prefix: str) -> TableNames:
    from botocore.exceptions import ClientError

    try:
        return create_tables(dynamodb, prefix)
    except ClientError:
        _log.warning("AWS endpoint without streams, expiry or recovery")
        with suppress(ClientError):
            dynamodb.delete_table(TableName=TableNames.with_prefix(prefix).inbox)
        return create_tables(dynamodb, f"{prefix}bare-", bare=True)


def _create_bucket(s3: S3Client, bucket: str) -> None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        s3.create_bucket(Bucket=bucket)
    except (BotoCoreError, ClientError):
        _log.warning("AWS endpoint without S3: large messages are refused")


def _remove(aws: LocalAws) -> None:
    """Delete tables and bucket. The endpoint may be gone by now: then there is nothing to delete."""
    from botocore.exceptions import BotoCoreError, ClientError

    dynamodb, s3 = aws.clients("dynamodb"), aws.clients("s3")
    with suppress(BotoCoreError, ClientError):
        for table in astuple(aws.tables):
            dynamodb.delete_table(TableName=table)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=aws.bucket):
            for body in page.get("Contents", ()):
                s3.delete_object(Bucket=aws.bucket, Key=body["Key"])
        s3.delete_bucket(Bucket=aws.bucket)
