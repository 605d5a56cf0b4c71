"""The relay's storage on AWS, put together."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.store.bodies import Bodies, S3Bodies
from chalicelib.store.dynamodb_accounts import DynamoAccounts, DynamoRules
from chalicelib.store.dynamodb_connections import DynamoConnections
from chalicelib.store.dynamodb_counters import DynamoCounters
from chalicelib.store.dynamodb_deliveries import DynamoDeliveries
from chalicelib.store.dynamodb_inbox import INLINE_LIMIT_BYTES, DynamoInbox
from chalicelib.store.dynamodb_names import DynamoNames
from chalicelib.store.dynamodb_preferences import DynamoPreferences
from chalicelib.store.dynamodb_schedule import DynamoSchedule
from chalicelib.store.dynamodb_submissions import DynamoSubmissions

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient
    from mypy_boto3_s3 import S3Client


class DynamoStore:
    """All rows of the relay in seven tables, large messages in S3.

    It has everything that `relay.ports.Stores` and `notify.ports.NotifyStores` ask for.

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
        connections_table: str,
        deliveries_table: str,
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
        self.preferences = DynamoPreferences(client, accounts_table)
        self.connections = DynamoConnections(client, connections_table)
        self.deliveries = DynamoDeliveries(client, deliveries_table)
        self.schedule = DynamoSchedule(client, deliveries_table)
