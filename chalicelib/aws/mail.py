"""E-mail: SES, version 2 of its API."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from chalicelib.aws.private_requests import error_text, private_request
from chalicelib.notify.ports import Mail, Refused
from chalicelib.store.failures import error_code

if TYPE_CHECKING:
    from mypy_boto3_sesv2 import SESV2Client

_OF_THE_OPERATOR = ("not verified", "from", "sender")
"""Said of the relay's own address, and in SES's sandbox of whom the operator has yet to verify."""
_OF_THE_ADDRESS = ("address", "domain", "user name")
_OF_SUPPRESSION = ("blacklisted", "suppress")


class SesMailer:
    """`Mailer` on SES; `sender` is the From address, verified with SES, with or without a display name."""

    def __init__(self, client: SESV2Client, sender: str) -> None:
        self._client = client
        self._sender = sender

    def send(self, mail: Mail) -> None:
        """See `Mailer.send` (one SendEmail).

        Refused is what SES says about the recipient. What it says about the operator's account or sender
        (paused, not verified, over its quota) is Unavailable: nobody's channel may be dropped for that.
        """
        with private_request("sesv2", _meaning):
            self._client.send_email(
                FromEmailAddress=self._sender,
                Destination={"ToAddresses": [mail.to]},
                Content={"Simple": _message(mail)},
            )


def _message(mail: Mail) -> Any:  # noqa: ANN401 - a structure of botocore's
    message: dict[str, Any] = {
        "Subject": _text(mail.subject),
        "Body": {"Text": _text(mail.plain), "Html": _text(mail.html)},
    }
    if mail.unsubscribe_url is not None:
        message["Headers"] = [
            {"Name": "List-Unsubscribe", "Value": f"<{mail.unsubscribe_url}>"},
            {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
        ]
    return message


def _text(text: str) -> dict[str, str]:
    return {"Data": text, "Charset": "UTF-8"}


def _meaning(error: Exception) -> Refused | None:
    code, text = error_code(error), error_text(error)
    if any(word in text for word in _OF_THE_OPERATOR):
        return None
    if code == "BadRequestException" and any(word in text for word in _OF_THE_ADDRESS):
        return Refused()
    if code == "MessageRejected" and any(word in text for word in _OF_SUPPRESSION):
        return Refused()
    return None
