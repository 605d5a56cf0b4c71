"""What AWS can answer besides the answer, turned into the one error of the ports: `Unavailable`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.protocol.errors import Unavailable


@contextmanager
def answered() -> Iterator[None]:
    """Around one request to AWS: whatever botocore raises becomes `Unavailable`; nothing else is touched.

    Throttling, lost connections, timeouts, refused permissions and requests that AWS finds wrong are all the
    same to the caller: it does not know whether the request took effect, and may repeat it. The cause stays
    attached for the operator's log.
    """
    try:
        yield
    except Exception as error:
        if is_failure_of_aws(error):
            raise Unavailable from error
        raise


def is_failure_of_aws(error: Exception) -> bool:
    """Whether `error` comes from botocore or from the network below it."""
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError | OSError)


def error_code(error: Exception) -> str:
    """The code AWS gave a refusal ("ConditionalCheckFailedException", "NoSuchKey"), "" for anything else."""
    from botocore.exceptions import ClientError

    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
