"""E-mail: that a message has come, and a link that ends these e-mails."""

from __future__ import annotations

from chalicelib.notify import texts
from chalicelib.notify.ports import Mailer
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.unsubscribing import Unsubscribing
from chalicelib.relay.vault import Vault


class EmailCarrier:
    """Implements `carrier.Carrier` for EMAIL. `url` is the relay's public one, for the link."""

    def __init__(self, mailer: Mailer, vault: Vault, url: str) -> None:
        self._mailer = mailer
        self._unsubscribing = Unsubscribing(vault)
        self._url = url.rstrip("/")

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:
        """Send one e-mail. Raises Refused, Unavailable."""
        link = f"{self._url}/unsubscribe/{self._unsubscribing.token(owner, channel)}"
        self._mailer.send(texts.new_mail(channel.recipient, link))
