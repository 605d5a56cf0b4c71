"""Requests that name somebody: an e-mail address, a telephone, an open socket.

The texts of their errors repeat that name (in a sentence, or in the URL that did not answer), so the errors
are not kept as causes, as `store.failures` keeps them. The operator's log gets the service and the code.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from contextlib import contextmanager

from chalicelib.store.failures import error_code, failure, is_failure_of_aws

_log = logging.getLogger("dm3.aws")


@contextmanager
def private_request(service: str, meaning: Callable[[Exception], Exception | None]) -> Iterator[None]:
    """Around one request to `service`: what botocore raises becomes what `meaning` makes of it.

    Where that is None it becomes `store.failures.failure`: Unavailable, or InternalError for a defect.
    """
    try:
        yield
    except Exception as error:
        if not is_failure_of_aws(error):
            raise
        known = meaning(error)
        if known is not None:
            raise known from None
        code = error_code(error) or type(error).__name__
        _log.warning("carrier failed", extra={"fields": {"service": service, "code": code}})
        raise failure(error) from None


def error_text(error: Exception) -> str:
    """What AWS says of a refusal, in lower case, to be compared and never kept; "" for anything else."""
    from botocore.exceptions import ClientError

    return (
        error.response.get("Error", {}).get("Message", "").lower() if isinstance(error, ClientError) else ""
    )


def http_status(error: Exception) -> int:
    """The HTTP status of a refusal, 0 for anything else."""
    from botocore.exceptions import ClientError

    if not isinstance(error, ClientError):
        return 0
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
