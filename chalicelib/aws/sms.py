"""Short messages to telephones: SNS."""

from __future__ import annotations

from typing import TYPE_CHECKING

from chalicelib.aws.private_requests import error_text, private_request
from chalicelib.notify.ports import Refused
from chalicelib.store.failures import error_code

if TYPE_CHECKING:
    from mypy_boto3_sns import SNSClient

_OF_A_PARAMETER = frozenset({"InvalidParameter", "InvalidParameterValue", "ParameterValueInvalid"})
_OPTED_OUT = "OptedOut"


class SnsTexter:
    """`Texter` on SNS. Messages are transactional: codes and wake-ups are worth their price on time."""

    def __init__(self, client: SNSClient) -> None:
        self._client = client

    def send(self, number: str, text: str) -> None:
        """See `Texter.send` (one Publish). A number that has opted out is Refused, as an invalid one is."""
        with private_request("sns", _meaning):
            self._client.publish(
                PhoneNumber=number,
                Message=text,
                MessageAttributes={
                    "AWS.SNS.SMS.SMSType": {"DataType": "String", "StringValue": "Transactional"}
                },
            )


def _meaning(error: Exception) -> Refused | None:
    code, text = error_code(error), error_text(error).replace(" ", "")
    if code.startswith(_OPTED_OUT) or (code in _OF_A_PARAMETER and "phonenumber" in text):
        return Refused()
    return None
