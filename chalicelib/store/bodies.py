"""Large messages in S3: what does not fit a DynamoDB item (DESIGN, decision 11).

The body is written first, under a random name of its own for each attempt, and the inbox item that points to
it second: whatever is interrupted between the two leaves a body nobody points to, never a pointer to nothing.
Bodies are removed by whoever reads the inbox table's stream (`bodies_of_removed`), after the item is gone;
what a crash left behind goes by the bucket's lifecycle.
"""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.protocol.errors import Unavailable
from chalicelib.store.failures import answered, error_code, is_failure_of_aws

if TYPE_CHECKING:
    from mypy_boto3_s3 import S3Client

BODY = "body"
"""The attribute of an inbox item that names its body."""
DELETE_AT_ONCE = 1000  # the most that S3's DeleteObjects takes
NAME_BYTES = 24


class BodyMissing(Exception):
    """There is no such body, and waiting does not bring it back."""


class Bodies(Protocol):
    """Where large bodies are kept."""

    def put(self, blob: bytes) -> str:
        """Keep `blob` and return the new name it is kept under. Raises Unavailable."""
        ...

    def get(self, name: str) -> bytes:
        """The body. Raises BodyMissing if there is none, Unavailable if that cannot be said."""
        ...

    def delete(self, names: Sequence[str]) -> None:
        """Delete the bodies; missing ones are no error. Raises Unavailable."""
        ...


def random_name() -> str:
    """A name that says nothing about what it names and that nobody can guess."""
    return secrets.token_urlsafe(NAME_BYTES)


class S3Bodies:
    """`Bodies` in one bucket.

    The role that reads needs s3:ListBucket besides s3:GetObject: without it S3 answers "forbidden" for what
    is merely missing, and an inbox could not step over a lost body.
    """

    def __init__(self, client: S3Client, bucket: str, *, new_name: Callable[[], str] = random_name) -> None:
        self._client = client
        self._bucket = bucket
        self._new_name = new_name

    def put(self, blob: bytes) -> str:
        """See `Bodies.put` (one PutObject)."""
        name = self._new_name()
        with answered():
            self._client.put_object(
                Bucket=self._bucket, Key=name, Body=blob, ContentType="application/octet-stream"
            )
        return name

    def get(self, name: str) -> bytes:
        """See `Bodies.get` (one GetObject)."""
        try:
            return self._client.get_object(Bucket=self._bucket, Key=name)["Body"].read()
        except Exception as error:
            if error_code(error) == "NoSuchKey":
                raise BodyMissing from error
            if is_failure_of_aws(error):
                raise Unavailable from error
            raise

    def delete(self, names: Sequence[str]) -> None:
        """See `Bodies.delete` (one DeleteObjects for each thousand)."""
        for start in range(0, len(names), DELETE_AT_ONCE):
            chunk = names[start : start + DELETE_AT_ONCE]
            with answered():
                answer = self._client.delete_objects(
                    Bucket=self._bucket, Delete={"Objects": [{"Key": name} for name in chunk], "Quiet": True}
                )
            if answer.get("Errors"):
                raise Unavailable


def bodies_of_removed(records: Iterable[Mapping[str, Any]]) -> tuple[str, ...]:
    """The names of the bodies that belonged to removed inbox items, acknowledged or expired.

    `records` are those of a DynamoDB stream event whose view type has old images.
    """
    removed = (record["dynamodb"]["OldImage"] for record in records if record["eventName"] == "REMOVE")
    return tuple(image[BODY]["S"] for image in removed if BODY in image)
