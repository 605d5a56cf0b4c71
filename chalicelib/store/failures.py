"""What AWS can answer besides the answer, turned into errors of the ports: `Unavailable`, almost always.

A request that a service finds wrong in itself (an item too large, say) is a defect of the relay,
`InternalError`: no repetition can succeed, so nobody may be told to try again.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from chalicelib.protocol.errors import Dm3Error, InternalError, Unavailable

WRONG_IN_ITSELF = frozenset(
    {
        "ValidationException",  # DynamoDB, SNS
        "BadRequestException",  # SES, the management API of WebSockets
        "InvalidParameter",  # SNS
        "ParameterValueInvalid",
        "BatchEntryIdsNotDistinct",
        "BatchRequestTooLong",
        "EmptyBatchRequest",
        "InvalidBatchEntryId",
        "TooManyEntriesInBatchRequest",
        "InvalidMessageContents",  # SQS
        "InvalidParameterValue",
        "UnsupportedOperation",
    }
)
"""The codes by which services say that no repetition of a request can succeed."""


@contextmanager
def answered() -> Iterator[None]:
    """Around one request to AWS: whatever botocore raises becomes `failure`; nothing else is touched.

    Throttling, lost connections, timeouts and refused permissions are all the same to the caller: it does not
    know whether the request took effect, and may repeat it. The cause stays attached for the operator's log.
    """
    try:
        yield
    except Exception as error:
        if is_failure_of_aws(error):
            raise failure(error) from error
        raise


def failure(error: Exception) -> Dm3Error:
    """What the relay makes of a failure of AWS."""
    return InternalError() if error_code(error) in WRONG_IN_ITSELF else Unavailable()


def is_failure_of_aws(error: Exception) -> bool:
    """Whether `error` comes from botocore or from the network below it."""
    from botocore.exceptions import BotoCoreError, ClientError

    return isinstance(error, BotoCoreError | ClientError | OSError)


def error_code(error: Exception) -> str:
    """The code AWS gave a refusal ("ConditionalCheckFailedException", "NoSuchKey"), "" for anything else."""
    from botocore.exceptions import ClientError

    return error.response.get("Error", {}).get("Code", "") if isinstance(error, ClientError) else ""
