"""Opaque ids and cursors: positions in one account's inbox that nobody else can make or use.

An id is a position with a keyed hash over account and position: it names the item's whole key, so that
acknowledging costs one delete. A cursor is sealed, with the account as context, and says what `inbox` needs
to continue. Both are base64url without padding, and read in their one canonical spelling only.
"""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64decode, urlsafe_b64encode
from dataclasses import dataclass

from chalicelib.protocol.errors import InvalidParams, Undecryptable
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.vault import Vault

_KEY_BYTES = 24
_MAC_BYTES = 16
_MAX_CHARS = 512
_AT_END, _HAS_AFTER, _HAS_NEWEST = 1, 2, 4


@dataclass(frozen=True, slots=True)
class Position:
    """Where a reader is: continue after `after`; `newest` is the latest key it has ever been given.

    `at_end`: there was nothing left when the cursor was made.
    """

    after: InboxKey | None = None
    newest: InboxKey | None = None
    at_end: bool = False


class Positions:
    """Writes and reads ids and cursors. Reading raises InvalidParams for whatever was not written here."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def id_of(self, account: bytes, key: InboxKey) -> str:
        """The id that acknowledges the item under `key`."""
        position = key.to_bytes()
        return _to_text(position + self._mac(account, position))

    def read_id(self, account: bytes, text: str) -> InboxKey:
        """Inverse of `id_of`."""
        data = _to_bytes(text)
        position, mac = data[:_KEY_BYTES], data[_KEY_BYTES:]
        if not hmac.compare_digest(mac, self._mac(account, position)):
            raise InvalidParams("An id is not one of this inbox.")
        return InboxKey.from_bytes(position)

    def cursor_of(self, account: bytes, position: Position) -> str:
        """The cursor that continues at `position`."""
        flags = position.at_end * _AT_END
        body = b""
        if position.after is not None:
            flags |= _HAS_AFTER
            body += position.after.to_bytes()
        if position.newest is not None:
            flags |= _HAS_NEWEST
            body += position.newest.to_bytes()
        return _to_text(self._vault.seal(bytes([flags]) + body, b"cursor" + account))

    def read_cursor(self, account: bytes, text: str | None) -> Position:
        """Inverse of `cursor_of`; None is the start of the inbox."""
        if text is None:
            return Position()
        try:
            plain = self._vault.open(_to_bytes(text), b"cursor" + account)
        except Undecryptable:
            raise InvalidParams("The cursor is not one of this inbox.") from None
        flags, body = plain[0], plain[1:]
        after = newest = None
        if flags & _HAS_AFTER:
            after, body = InboxKey.from_bytes(body[:_KEY_BYTES]), body[_KEY_BYTES:]
        if flags & _HAS_NEWEST:
            newest = InboxKey.from_bytes(body)
        return Position(after, newest, bool(flags & _AT_END))

    def _mac(self, account: bytes, position: bytes) -> bytes:
        return self._vault.index("id", account, position)[:_MAC_BYTES]


def _to_text(data: bytes) -> str:
    return urlsafe_b64encode(data).rstrip(b"=").decode()


def _to_bytes(text: str) -> bytes:
    if len(text) > _MAX_CHARS or not text.isascii():
        raise InvalidParams("A cursor or id is malformed.")
    try:
        data = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise InvalidParams("A cursor or id is malformed.") from None
    if _to_text(data) != text:
        raise InvalidParams("A cursor or id is malformed.")
    return data
