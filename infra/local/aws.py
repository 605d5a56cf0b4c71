"""The AWS services that the relay uses, on the laptop: moto in this process, or any endpoint.

moto is started for the whole process: while it runs, every botocore client of the process talks to it. It
does not make operations atomic by itself, so its clients are called one at a time. All clients are watched,
so that pumps know when there is something to fetch, and e-mails are kept.
"""

from __future__ import annotations

import logging
import os
import secrets
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import astuple, dataclass
from functools import cache, partial
from threading import RLock
from typing import TYPE_CHECKING, Any

from chalicelib.aws.clients import client
from chalicelib.config import Tables
from chalicelib.store.tables import TableNames, create_tables
from infra.local.clients import OneAtATime, StreamsWithKeys, Watched
from infra.local.mails import SENDER, Mails
from infra.local.messaging import Messaging, QueueTimes, create_messaging, remove_messaging
from infra.local.moto_tables import queries_by_partition
from infra.local.nudges import Nudges

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client

REGION = "us-east-1"
CREDENTIALS = ("local", "local")
CONNECTIONS = 50

_log = logging.getLogger("dm3.local")


@dataclass(frozen=True, slots=True)
class LocalAws:
    """Tables, bucket, inbox stream, topic and queues that are ready, and the way to get clients for them.

    `endpoint_url` is None for moto. `clients` makes a client for the service it names. `messaging` is None at
    an endpoint without SNS or SQS, `mail_sender` at one without SES.
    """

    endpoint_url: str | None
    clients: Callable[[str], Any]
    tables: Tables
    bucket: str
    streams: Any
    stream_arn: str | None
    messaging: Messaging | None
    mail_sender: str | None
    nudges: Nudges
    mails: Mails


@contextmanager
def local_aws(
    endpoint_url: str | None = None,
    *,
    times: QueueTimes = QueueTimes(),  # noqa: B008 - frozen
) -> Iterator[LocalAws]:
    """The services at `endpoint_url`, or in moto, with tables and a bucket of a name nobody else uses.

    An endpoint that has DynamoDB only, or no streams, will do: then bodies stay, large messages are
    refused, or receivers are not told. What was made is deleted at the end. Raises ConnectionError if the
    endpoint does not answer.
    """
    if endpoint_url is None:
        with _moto() as clients:
            yield _prepared(clients, None, times)
        return
    from botocore.exceptions import BotoCoreError

    try:
        aws = _prepared(partial(_client, endpoint_url=endpoint_url), endpoint_url, times)
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
        with mock_aws(), queries_by_partition():
            yield lambda service: OneAtATime(_moto_client(service), lock)
    finally:
        os.environ.pop("AWS_ACCOUNT_ID_ENDPOINT_MODE")
        if previous is not None:
            os.environ["AWS_ACCOUNT_ID_ENDPOINT_MODE"] = previous


def _moto_client(service: str) -> Any:  # noqa: ANN401 - made at run time
    return StreamsWithKeys(_client(service)) if service == "dynamodbstreams" else _client(service)


def _client(service: str, endpoint_url: str | None = None) -> Any:  # noqa: ANN401 - made at run time
    """A client; for another endpoint than moto, credentials of the environment count if there are any."""
    own = endpoint_url is not None and "AWS_ACCESS_KEY_ID" in os.environ
    return client(
        service,
        region=REGION,
        endpoint_url=endpoint_url,
        credentials=None if own else CREDENTIALS,
        connections=CONNECTIONS,
    )


def _prepared(unwatched: Callable[[str], Any], endpoint_url: str | None, times: QueueTimes) -> LocalAws:
    nudges, mails = Nudges(), Mails()

    def watch(service: str, operation: str, asked: Mapping[str, Any]) -> None:
        nudges.written(service, operation, asked)
        mails.watch(service, operation, asked)

    @cache
    def clients(service: str) -> Any:  # noqa: ANN401 - botocore makes its clients at run time
        return Watched(unwatched(service), service, watch)

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
        messaging=_create_messaging(clients, prefix, times),
        mail_sender=_verify_sender(clients),
        nudges=nudges,
        mails=mails,
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


def _create_messaging(clients: Callable[[str], Any], prefix: str, times: QueueTimes) -> Messaging | None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        return create_messaging(clients, prefix, times)
    except (BotoCoreError, ClientError):
        _log.warning("AWS endpoint without SNS or SQS: receivers are not told of new messages")
        return None


def _verify_sender(clients: Callable[[str], Any]) -> str | None:
    from botocore.exceptions import BotoCoreError, ClientError

    try:
        clients("sesv2").create_email_identity(EmailIdentity=SENDER)
    except (BotoCoreError, ClientError) as error:
        if isinstance(error, ClientError) and error.response["Error"]["Code"] == "AlreadyExistsException":
            return SENDER
        _log.warning("AWS endpoint without SES: e-mail is not offered")
        return None
    return SENDER


def _remove(aws: LocalAws) -> None:
    """Delete what was made. The endpoint may be gone by now: then there is nothing to delete."""
    from botocore.exceptions import BotoCoreError, ClientError

    if aws.messaging is not None:
        remove_messaging(aws.clients, aws.messaging)
    dynamodb, s3 = aws.clients("dynamodb"), aws.clients("s3")
    with suppress(BotoCoreError, ClientError):
        for table in astuple(aws.tables):
            dynamodb.delete_table(TableName=table)
        for page in s3.get_paginator("list_objects_v2").paginate(Bucket=aws.bucket):
            for body in page.get("Contents", ()):
                s3.delete_object(Bucket=aws.bucket, Key=body["Key"])
        s3.delete_bucket(Bucket=aws.bucket)
