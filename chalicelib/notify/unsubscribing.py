"""Links that turn a channel off without signing in: a sealed name of owner, channel and recipient.

Whoever has the e-mail has the link, and whoever has not can neither make one nor learn from it whose it is.
A link of an address that was replaced since turns nothing off. Links do not expire: an old e-mail is exactly
where somebody looks for one.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass
from typing import Final

from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.protocol.errors import NotFound, Undecryptable
from chalicelib.relay.vault import Vault

_CONTEXT: Final = b"unsubscribe"
_OWNER_BYTES, _MARK_BYTES = 32, 16
_TOKEN: Final = re.compile(r"[A-Za-z0-9_-]{1,256}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Link:
    """What a link names. `recipient_mark` is a keyed hash (16 bytes)."""

    owner: bytes
    channel: Channel
    recipient_mark: bytes


class Unsubscribing:
    """Makes links and reads them."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def token(self, owner: bytes, channel: WakeUpChannel) -> str:
        """The last part of a link: base64url, another one each time. `owner` is the account's inbox."""
        plain = owner + self._mark(owner, channel) + channel.channel.value.encode()
        return urlsafe_b64encode(self._vault.seal(plain, _CONTEXT)).decode().rstrip("=")

    def read(self, token: str) -> Link:
        """What the link with `token` names. Raises NotFound for what this relay has not made."""
        if not _TOKEN.fullmatch(token):
            raise NotFound
        try:
            plain = self._vault.open(urlsafe_b64decode(token + "=" * (-len(token) % 4)), _CONTEXT)
        except (ValueError, Undecryptable):
            raise NotFound from None
        mark_end = _OWNER_BYTES + _MARK_BYTES
        channel = Channel(plain[mark_end:].decode())
        return Link(plain[:_OWNER_BYTES], channel, plain[_OWNER_BYTES:mark_end])

    def names(self, link: Link, channel: WakeUpChannel) -> bool:
        """Whether the link is about this channel as it stands."""
        return channel.channel is link.channel and self._mark(link.owner, channel) == link.recipient_mark

    def _mark(self, owner: bytes, channel: WakeUpChannel) -> bytes:
        return self._vault.index("unsubscribe", owner, str(channel.channel), channel.recipient)[:_MARK_BYTES]
