from __future__ import annotations

import pytest

from chalicelib.aws.sms import SnsTexter
from chalicelib.notify.ports import Refused
from chalicelib.protocol.errors import InternalError, Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import answering, carrier, refusing

NUMBER = "+491701234567"


def test_a_message_is_transactional() -> None:
    sns = carrier("sns")
    expected = {
        "PhoneNumber": NUMBER,
        "Message": "You have mail.",
        "MessageAttributes": {"AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}},
    }
    with answering(sns, "publish", {"MessageId": "m"}, expected):
        SnsTexter(sns).send(NUMBER, "You have mail.")


ANSWERS = [
    ("InvalidParameter", f"Invalid parameter: PhoneNumber Reason: {NUMBER} is not valid", Refused),
    ("ParameterValueInvalid", "Invalid parameter: Phone number is opted out", Refused),
    ("InvalidParameterValue", "PhoneNumber", Refused),
    ("OptedOut", "opted out", Refused),
    ("OptedOutException", "opted out", Refused),
    ("InvalidParameter", "Invalid parameter: Message too long", InternalError),
    ("ValidationException", "no", InternalError),
    ("AuthorizationError", "PhoneNumber", Unavailable),
    ("Throttled", "slow", Unavailable),
    ("InternalError", "no", Unavailable),
]


@pytest.mark.parametrize(("code", "text", "raised"), ANSWERS)
def test_what_sns_says_of_the_number_is_told_apart_from_the_rest(
    code: str, text: str, raised: type[Exception]
) -> None:
    sns = carrier("sns")
    with refusing(sns, "publish", code, text), pytest.raises(raised) as caught:
        SnsTexter(sns).send(NUMBER, "You have mail.")
    assert caught.value.__cause__ is None, "its text names the number"


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_of_the_network_is_told(moto: None, fault: Fault) -> None:
    sns = carrier("sns")
    faults = AwsFaults()
    faults.attach(sns)
    texter = SnsTexter(sns)
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        texter.send(NUMBER, "You have mail.")
    assert faults.seen == ["Publish"]
    faults.strike(None)
    texter.send(NUMBER, "You have mail.")


def test_a_number_that_is_none_is_refused(moto: None) -> None:
    with pytest.raises(Refused):
        SnsTexter(carrier("sns")).send("not a number", "You have mail.")
