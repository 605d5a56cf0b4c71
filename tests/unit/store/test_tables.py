from __future__ import annotations

from chalicelib.store.tables import TABLES, TableNames
from tests.support.stores import Aws


def test_the_tables_are_created_as_they_are_defined(aws: Aws) -> None:
    assert TableNames.with_prefix("relay-") == aws.names
    for table in TABLES:
        name = f"relay-{table.name}"
        properties = table.properties()
        created = aws.dynamodb.describe_table(TableName=name)["Table"]
        assert created["KeySchema"] == properties["KeySchema"]
        assert created["AttributeDefinitions"] == properties["AttributeDefinitions"]
        assert created["BillingModeSummary"]["BillingMode"] == properties["BillingMode"]
        assert not created.get("LocalSecondaryIndexes")
        assert created.get("StreamSpecification", {}).get("StreamViewType") == table.stream
        assert ("StreamSpecification" in properties) == (table.stream is not None)


def test_what_expires_says_when(aws: Aws) -> None:
    for table in TABLES:
        ttl = aws.dynamodb.describe_time_to_live(TableName=f"relay-{table.name}")["TimeToLiveDescription"]
        assert ttl["TimeToLiveStatus"] == ("ENABLED" if table.expires else "DISABLED")
        assert ttl.get("AttributeName") == ("expires_at" if table.expires else None)


def test_everything_but_a_cache_can_be_recovered(aws: Aws) -> None:
    assert [table.name for table in TABLES if not table.recovery] == ["names", "connections"]
    for table in TABLES:
        backups = aws.dynamodb.describe_continuous_backups(TableName=f"relay-{table.name}")
        recovery = backups["ContinuousBackupsDescription"]["PointInTimeRecoveryDescription"]
        assert recovery["PointInTimeRecoveryStatus"] == ("ENABLED" if table.recovery else "DISABLED")
