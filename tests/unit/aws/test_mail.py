from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from chalicelib.aws.mail import SesMailer
from chalicelib.notify.ports import Mail, Refused
from chalicelib.protocol.errors import InternalError, Unavailable
from tests.support.aws_faults import CRASHES, AwsFaults, Crash, Fault
from tests.support.carriers import answering, carrier, refusing

SENDER = "dm3 relay <relay@example.org>"
MAIL = Mail("bob@example.org", "Neue Post für Sie", "plain ✉", "<p>html ✉</p>")


def _expected(headers: list[dict[str, str]] | None) -> dict[str, Any]:
    simple: dict[str, Any] = {
        "Subject": {"Data": "Neue Post für Sie", "Charset": "UTF-8"},
        "Body": {
            "Text": {"Data": "plain ✉", "Charset": "UTF-8"},
            "Html": {"Data": "<p>html ✉</p>", "Charset": "UTF-8"},
        },
    }
    if headers is not None:
        simple["Headers"] = headers
    return {
        "FromEmailAddress": SENDER,
        "Destination": {"ToAddresses": ["bob@example.org"]},
        "Content": {"Simple": simple},
    }


def test_a_mail_goes_out_in_both_forms() -> None:
    ses = carrier("sesv2")
    with answering(ses, "send_email", {"MessageId": "m"}, _expected(None)):
        SesMailer(ses, SENDER).send(MAIL)


def test_a_mail_can_be_unsubscribed_with_one_click() -> None:
    ses = carrier("sesv2")
    headers = [
        {"Name": "List-Unsubscribe", "Value": "<https://relay.example/unsubscribe/t>"},
        {"Name": "List-Unsubscribe-Post", "Value": "List-Unsubscribe=One-Click"},
    ]
    with answering(ses, "send_email", {"MessageId": "m"}, _expected(headers)):
        SesMailer(ses, SENDER).send(replace(MAIL, unsubscribe_url="https://relay.example/unsubscribe/t"))


ANSWERS = [
    ("BadRequestException", "Missing final '@domain'", Refused),
    ("BadRequestException", "Local address contains control or whitespace", Refused),
    ("BadRequestException", "Domain contains illegal character", Refused),
    ("BadRequestException", "User name is missing: ''", Refused),
    ("MessageRejected", "Address blacklisted.", Refused),
    ("MessageRejected", "The address is on the suppression list", Refused),
    ("MessageRejected", "Email address is not verified. The following identities failed: a@b.c", Unavailable),
    ("MessageRejected", "Email contains prohibited content", Unavailable),
    ("BadRequestException", "Invalid From address", InternalError),
    ("BadRequestException", "The header value is too long", InternalError),
    ("MailFromDomainNotVerifiedException", "The MAIL FROM domain is not verified", Unavailable),
    ("AccountSuspendedException", "suspended: bad addresses", Unavailable),
    ("SendingPausedException", "paused", Unavailable),
    ("LimitExceededException", "limit", Unavailable),
    ("TooManyRequestsException", "Maximum sending rate exceeded", Unavailable),
    ("NotFoundException", "no such thing", Unavailable),
    ("AccessDeniedException", "no", Unavailable),
]


@pytest.mark.parametrize(("code", "text", "raised"), ANSWERS)
def test_what_ses_says_of_the_recipient_is_told_apart_from_the_rest(
    code: str, text: str, raised: type[Exception]
) -> None:
    ses = carrier("sesv2")
    with refusing(ses, "send_email", code, text), pytest.raises(raised) as caught:
        SesMailer(ses, SENDER).send(MAIL)
    assert caught.value.__cause__ is None, "its text may name somebody"


@pytest.mark.parametrize("fault", Fault)
def test_a_fault_of_the_network_is_told(moto: None, fault: Fault) -> None:
    ses = carrier("sesv2")
    ses.create_email_identity(EmailIdentity="relay@example.org")
    faults = AwsFaults()
    faults.attach(ses)
    mailer = SesMailer(ses, SENDER)
    faults.strike(1, fault)
    with pytest.raises(Crash if fault in CRASHES else Unavailable):
        mailer.send(MAIL)
    assert faults.seen == ["SendEmail"]
    faults.strike(None)
    mailer.send(MAIL)
