"""Clients of AWS's carriers for tests, and refusals by AWS made to measure."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, cast

from botocore.stub import Stubber

from chalicelib.aws.clients import Patience, client
from tests.support.stores import CREDENTIALS, REGION

if TYPE_CHECKING:
    from botocore.client import BaseClient

IMPATIENT = Patience(connect_timeout_s=0.5, read_timeout_s=0.5, attempts=1)
GENEROUS = Patience(read_timeout_s=30.0, attempts=1)


def carrier(service: str, url: str | None = None, *, patience: Patience = GENEROUS) -> Any:  # noqa: ANN401
    """A client of `service` at `url`, or at moto where that runs."""
    return client(service, region=REGION, endpoint_url=url, credentials=CREDENTIALS, patience=patience)


@contextmanager
def refusing(
    of: BaseClient, operation: str, code: str, text: str = "no", *, status: int = 400
) -> Iterator[None]:
    """Let the next request of the client be `operation` ("send_email"), and be refused by AWS so."""
    with Stubber(of) as stubber:
        stubber.add_client_error(operation, code, text, http_status_code=status)
        yield
        stubber.assert_no_pending_responses()


@contextmanager
def answering(
    of: BaseClient, operation: str, answer: dict[str, Any], expected: dict[str, Any] | None = None
) -> Iterator[None]:
    """Let the next request of the client be `operation`, with the `expected` parameters, answered so."""
    with Stubber(of) as stubber:
        stubber.add_response(operation, answer, cast("Any", expected))
        yield
        stubber.assert_no_pending_responses()
