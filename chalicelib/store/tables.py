"""The tables of the relay, defined once: keys, expiry, stream and recovery.

`create_tables` makes them for tests and the laptop; the CloudFormation template is held against
`TableDefinition.properties` by a test. No table has a local secondary index (a 10 GB ceiling for each inbox),
none is scanned, and all are billed by request.
"""

from __future__ import annotations

from contextlib import suppress
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from chalicelib.protocol.json_types import JsonObject, JsonValue

if TYPE_CHECKING:
    from mypy_boto3_dynamodb import DynamoDBClient

PARTITION = "pk"
SORT = "sk"
EXPIRES = "expires_at"
"""Seconds since the epoch: the TTL attribute of every table whose items expire."""


@dataclass(frozen=True, slots=True)
class TableDefinition:
    """One table. Keys are binary: keyed hashes, and positions that order as bytes.

    `stream` is the view type of the table's stream, or None. NEW_AND_OLD_IMAGES tells the outbox how large a
    message is that was inserted, and the sweeper which body belonged to what was removed. Without `recovery`
    there is no point-in-time recovery: for a table whose contents may be lost without harm.
    """

    name: str
    sorted: bool
    expires: bool
    stream: str | None
    recovery: bool = True

    def properties(self) -> JsonObject:
        """The properties of an AWS::DynamoDB::Table, without its name."""
        keys = [(PARTITION, "HASH")] + ([(SORT, "RANGE")] if self.sorted else [])
        properties: dict[str, JsonValue] = {
            "BillingMode": "PAY_PER_REQUEST",
            "AttributeDefinitions": [{"AttributeName": name, "AttributeType": "B"} for name, _ in keys],
            "KeySchema": [{"AttributeName": name, "KeyType": kind} for name, kind in keys],
            "PointInTimeRecoverySpecification": {"PointInTimeRecoveryEnabled": self.recovery},
        }
        if self.expires:
            properties["TimeToLiveSpecification"] = {"AttributeName": EXPIRES, "Enabled": True}
        if self.stream is not None:
            properties["StreamSpecification"] = {"StreamViewType": self.stream}
        return properties


INBOX = TableDefinition("inbox", sorted=True, expires=True, stream="NEW_AND_OLD_IMAGES")
SUBMISSIONS = TableDefinition("submissions", sorted=True, expires=True, stream=None)
ACCOUNTS = TableDefinition("accounts", sorted=True, expires=False, stream=None)
COUNTERS = TableDefinition("counters", sorted=False, expires=True, stream=None)
NAMES = TableDefinition("names", sorted=False, expires=True, stream=None, recovery=False)
CONNECTIONS = TableDefinition("connections", sorted=True, expires=True, stream=None, recovery=False)
DELIVERIES = TableDefinition("deliveries", sorted=True, expires=True, stream=None)
TABLES = (INBOX, SUBMISSIONS, ACCOUNTS, COUNTERS, NAMES, CONNECTIONS, DELIVERIES)


@dataclass(frozen=True, slots=True)
class TableNames:
    """What the tables are called in one deployment."""

    inbox: str
    submissions: str
    accounts: str
    counters: str
    names: str
    connections: str
    deliveries: str

    @classmethod
    def with_prefix(cls, prefix: str) -> TableNames:
        """The names that `create_tables` gives: `prefix` and the definition's name."""
        return cls(*(prefix + table.name for table in TABLES))


def create_tables(client: DynamoDBClient, prefix: str, *, bare: bool = False) -> TableNames:
    """Create the tables and wait until they can be used. For tests and the laptop only.

    `bare` leaves out streams, expiry and recovery, for an emulator that does not know them.
    Raises botocore's own errors.
    """
    for table in TABLES:
        _create(client, prefix + table.name, table.properties(), bare=bare)
    return TableNames.with_prefix(prefix)


def _create(client: DynamoDBClient, name: str, properties: JsonObject, *, bare: bool) -> None:
    # CloudFormation takes all of it at once; the API takes expiry and recovery in calls of their own.
    parameters: dict[str, Any] = dict(properties)
    recovery = parameters.pop("PointInTimeRecoverySpecification")
    expiry = parameters.pop("TimeToLiveSpecification", None)
    stream = parameters.pop("StreamSpecification", None)
    if stream is not None and not bare:
        parameters["StreamSpecification"] = {"StreamEnabled": True, **stream}
    # A request that is repeated because its answer was late meets the table that it has made.
    with suppress(client.exceptions.ResourceInUseException):
        client.create_table(TableName=name, **parameters)
    client.get_waiter("table_exists").wait(TableName=name, WaiterConfig={"Delay": 1, "MaxAttempts": 60})
    if bare:
        return
    if recovery["PointInTimeRecoveryEnabled"]:
        client.update_continuous_backups(TableName=name, PointInTimeRecoverySpecification=recovery)
    if expiry is not None:
        client.update_time_to_live(TableName=name, TimeToLiveSpecification=expiry)
