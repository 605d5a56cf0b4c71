"""What wakes a person: the port that e-mail, web push and SMS implement."""

from __future__ import annotations

from typing import Protocol

from chalicelib.notify.preferences import WakeUpChannel


class Withheld(Exception):
    """The recipient is not told, since a bound was reached. Do not try again: the mail waits in the inbox."""


class Carrier(Protocol):
    """Tells one recipient that mail has come, and nothing else: neither from whom, nor what it says."""

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:
        """Tell the recipient of `channel`, which belongs to the account `owner` (`Account.inbox`).

        Raises `ports.Gone` if the recipient has withdrawn (a web push subscription), `ports.Refused` if the
        carrier will never take it, `Withheld` if it is not to be used more now, Unavailable if it may be
        tried again; then it may have been told.
        """
        ...
