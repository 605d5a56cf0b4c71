"""What the relay has stored, read past the relay: every item of every table, and every object.

A searcher who has all of it is looking for names, addresses, keys and text, as they are and in the forms in
which programs store bytes (hex, base64, compressed).
"""

from __future__ import annotations

import zlib
from base64 import b64encode, urlsafe_b64encode
from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from infra.local.aws import LocalAws


@dataclass(frozen=True, slots=True)
class StoredItem:
    """One item: the table it is in, and its attributes as raw bytes by name."""

    table: str
    attributes: dict[str, bytes]


def everything(aws: LocalAws) -> list[StoredItem]:
    """Every item of the relay's tables, and every object of its bucket, as they are at rest."""
    dynamodb = aws.clients("dynamodb")
    tables = {
        "inbox": aws.tables.inbox,
        "submissions": aws.tables.submissions,
        "accounts": aws.tables.accounts,
        "counters": aws.tables.counters,
        "names": aws.tables.names,
    }
    items = [
        StoredItem(name, {key: _raw(value) for key, value in item.items()})
        for name, table in tables.items()
        for item in _scan(dynamodb, table)
    ]
    return [*items, *_objects(aws.clients("s3"), aws.bucket)]


def found(items: Sequence[StoredItem], wanted: str) -> bool:
    """Whether `wanted` stands anywhere, in either case and in any of the usual forms."""
    forms = {form.lower() for form in _forms(wanted.encode())}
    return any(form in content for item in items for content in _contents(item) for form in forms)


def _contents(item: StoredItem) -> Iterator[bytes]:
    for name, value in item.attributes.items():
        yield name.lower().encode()
        yield value.lower()
        try:
            yield zlib.decompress(value).lower()
        except zlib.error:
            continue


def _forms(wanted: bytes) -> Iterator[bytes]:
    yield wanted
    yield wanted.removeprefix(b"0x")
    yield wanted.hex().encode()
    with suppress(ValueError):
        yield bytes.fromhex(wanted.decode().removeprefix("0x"))
    # The characters at the seams depend on what stands beside them, so they are left out.
    for shift in range(3):
        for encoded in (b64encode(bytes(shift) + wanted), urlsafe_b64encode(bytes(shift) + wanted)):
            middle = encoded.rstrip(b"=")[4 if shift else 0 : -2]
            if len(middle) > 5:
                yield middle


def _scan(dynamodb: Any, table: str) -> Iterator[dict[str, dict[str, Any]]]:  # noqa: ANN401 - botocore
    for page in dynamodb.get_paginator("scan").paginate(TableName=table):
        yield from page["Items"]


def _objects(s3: Any, bucket: str) -> Iterator[StoredItem]:  # noqa: ANN401 - botocore
    for page in s3.get_paginator("list_objects_v2").paginate(Bucket=bucket):
        for entry in page.get("Contents", ()):
            body = s3.get_object(Bucket=bucket, Key=entry["Key"])["Body"].read()
            yield StoredItem("bucket", {"key": entry["Key"].encode(), "body": body})


def _raw(value: dict[str, Any]) -> bytes:
    """The bytes of one DynamoDB attribute value, whatever its type."""
    ((_, content),) = value.items()
    return content if isinstance(content, bytes) else str(content).encode()
