"""SMS: that a message has come. It costs the operator money, so it is offered only where they say so."""

from __future__ import annotations

from chalicelib.notify.ports import Texter
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.texts import NEW_MAIL_SMS


class SmsCarrier:
    """Implements `carrier.Carrier` for SMS."""

    def __init__(self, texter: Texter) -> None:
        self._texter = texter

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:  # noqa: ARG002 - as the protocol says
        """Send one text message. Raises Refused, Unavailable."""
        self._texter.send(channel.recipient, NEW_MAIL_SMS)
