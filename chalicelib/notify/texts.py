"""Every text that a person is sent. None says who wrote, what, or to which name.

A mail can be read on the way and on the lock screen of a telephone, and the receiver's own dm3 name would
tell the mail provider who they are.
"""

from __future__ import annotations

import json
from html import escape
from typing import Final

from chalicelib.notify.ports import Mail

_NEW_MAIL: Final = "A new dm3 message has come in for you."
_OPEN: Final = "Open your dm3 app to read it."

PUSH_PAYLOAD: Final = json.dumps(
    {"title": "New message", "body": f"{_NEW_MAIL} {_OPEN}"}, separators=(",", ":")
).encode()
"""What the reference's service worker reads, but for its `image`, which a third party would see fetched."""

NEW_MAIL_SMS: Final = f"{_NEW_MAIL} {_OPEN}"


def new_mail(to: str, unsubscribe_url: str) -> Mail:
    """A message has come in."""
    return Mail(
        to,
        "You have a new message",
        f"{_NEW_MAIL}\n{_OPEN}\n\nNo more of these e-mails: {unsubscribe_url}\n",
        _html(
            f"<p>{_NEW_MAIL}<br>{_OPEN}</p>",
            f'<p><a href="{escape(unsubscribe_url)}">No more of these e-mails</a></p>',
        ),
        unsubscribe_url,
    )


def code_mail(to: str, code: str, minutes: int) -> Mail:
    """The code that proves that the address is read."""
    asked = "Somebody wants to be told at this address when dm3 messages come in."
    ignore = "If that was not you, do nothing: without the code, nothing will be sent."
    counts = f"It counts once, for {minutes} minutes."
    return Mail(
        to,
        "Your code",
        f"{asked}\n\nThe code is {code}. {counts}\n\n{ignore}\n",
        _html(f"<p>{asked}</p>", f"<p>The code is <strong>{code}</strong>. {counts}</p>", f"<p>{ignore}</p>"),
    )


def code_sms(code: str, minutes: int) -> str:
    """The code that proves that the number's messages are read."""
    return f"{code} is your dm3 code, for {minutes} minutes. If you did not ask for it, do nothing."


def paused_endpoint(to: str, endpoint_id: str) -> Mail:
    """A webhook endpoint has failed for days and gets nothing more until its owner verifies it again."""
    failed = f"Your webhook {endpoint_id} has failed for days and is paused."
    kept = "What comes in is kept in its log."
    resume = f"When it works again: dm3 webhooks verify {endpoint_id}, and replay what was missed."
    return Mail(
        to,
        "A webhook of yours is paused",
        f"{failed} {kept}\n\n{resume}\n",
        _html(f"<p>{escape(failed)} {kept}</p>", f"<p>{escape(resume)}</p>"),
    )


def _html(*paragraphs: str) -> str:
    """A page that loads nothing: whoever opens it tells nobody."""
    return f'<!doctype html><html lang="en"><body>{"".join(paragraphs)}</body></html>'
