from __future__ import annotations

import pytest
from botocore.exceptions import ClientError, ConnectionClosedError, NoCredentialsError, ParamValidationError

from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.store.failures import WRONG_IN_ITSELF, answered, error_code

THROTTLED = ClientError({"Error": {"Code": "ThrottlingException", "Message": "slow"}}, "GetItem")
OF_AWS: dict[str, Exception] = {
    "throttled": THROTTLED,
    "closed": ConnectionClosedError(endpoint_url="http://aws"),
    "no credentials": NoCredentialsError(),
    "refused by botocore": ParamValidationError(report="no"),
    "network": ConnectionResetError(),
}


@pytest.mark.parametrize("name", OF_AWS)
def test_what_aws_does_is_unavailable_with_its_cause(name: str) -> None:
    with pytest.raises(Unavailable) as caught, answered():
        raise OF_AWS[name]
    assert caught.value.__cause__ is OF_AWS[name]
    assert caught.value.message == Unavailable.summary


@pytest.mark.parametrize("code", sorted(WRONG_IN_ITSELF))
def test_a_request_that_can_never_succeed_is_not_to_be_tried_again(code: str) -> None:
    too_large = ClientError({"Error": {"Code": code, "Message": "Item size"}}, "PutItem")
    with pytest.raises(InternalError) as caught, answered():
        raise too_large
    assert caught.value.__cause__ is too_large
    assert not caught.value.retry


def test_a_mistake_of_ours_stays_one() -> None:
    with pytest.raises(KeyError), answered():
        raise KeyError("ours")


def test_only_aws_has_error_codes() -> None:
    assert error_code(THROTTLED) == "ThrottlingException"
    assert error_code(ClientError({}, "GetItem")) == ""
    assert error_code(KeyError()) == ""
