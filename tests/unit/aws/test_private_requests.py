from __future__ import annotations

import logging

import pytest
from botocore.exceptions import ClientError, EndpointConnectionError

from chalicelib.aws.private_requests import error_text, http_status, private_request
from chalicelib.notify.ports import Gone
from chalicelib.protocol.errors import Dm3Error, InternalError, Unavailable

SECRET = "bob@example.org"


def _refusal(code: str) -> ClientError:
    response = {
        "Error": {"Code": code, "Message": f"No, {SECRET}"},
        "ResponseMetadata": {"HTTPStatusCode": 410},
    }
    return ClientError(response, "SendEmail")  # type: ignore[arg-type]


FAILURES: dict[str, tuple[Exception, type[Dm3Error], str]] = {
    "refused": (_refusal("TooManyRequestsException"), Unavailable, "TooManyRequestsException"),
    "wrong in itself": (_refusal("BadRequestException"), InternalError, "BadRequestException"),
    "unreachable": (
        EndpointConnectionError(endpoint_url=f"https://aws/{SECRET}"),
        Unavailable,
        "EndpointConnectionError",
    ),
    "network": (ConnectionResetError(SECRET), Unavailable, "ConnectionResetError"),
}


@pytest.mark.parametrize("name", FAILURES)
def test_a_failure_is_told_without_what_it_names(name: str, caplog: pytest.LogCaptureFixture) -> None:
    raised, expected, code = FAILURES[name]
    with pytest.raises(expected) as caught, private_request("sesv2", lambda _: None):
        raise raised
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert SECRET not in caught.value.message
    (record,) = caplog.records
    assert (record.name, record.levelno) == ("dm3.aws", logging.WARNING)
    assert record.__dict__["fields"] == {"service": "sesv2", "code": code}
    assert SECRET not in record.getMessage()
    assert record.exc_info is None


def test_what_is_known_is_told_and_not_logged(caplog: pytest.LogCaptureFixture) -> None:
    with pytest.raises(Gone) as caught, private_request("sesv2", lambda _: Gone()):
        raise _refusal("GoneException")
    assert caught.value.__cause__ is None
    assert caught.value.__suppress_context__
    assert caplog.records == []


def test_a_mistake_of_ours_stays_one() -> None:
    with pytest.raises(ZeroDivisionError), private_request("sesv2", lambda _: Gone()):
        raise ZeroDivisionError


def test_only_refusals_have_a_text_and_a_status() -> None:
    assert (error_text(_refusal("X")), http_status(_refusal("X"))) == (f"no, {SECRET}", 410)
    assert (error_text(KeyError("X")), http_status(KeyError("X"))) == ("", 0)
    assert (error_text(ClientError({}, "X")), http_status(ClientError({}, "X"))) == ("", 0)
