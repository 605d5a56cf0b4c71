"""What the relay says of its own accord, in the dialect of each socket."""

from __future__ import annotations

from typing import Protocol

from chalicelib.notify.sockets import packets, plain_frames
from chalicelib.notify.sockets.open_socket import Dialect
from chalicelib.notify.sockets.terms import MESSAGE_BYTES
from chalicelib.protocol.errors import SignInRequired
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.positions import Position, Positions
from chalicelib.relay.values import StoredMessage


class Voice(Protocol):
    """Texts of one dialect, each of them one frame."""

    @property
    def ping(self) -> str:
        """Asks for an answer."""
        ...

    def message(self, stored: StoredMessage) -> str:
        """The whole message, however large."""
        ...

    def announcement(self, key: InboxKey, fetch: str) -> str | None:
        """That there is a message too large to be sent; None if the dialect has no words for it."""
        ...

    def farewell(self) -> tuple[str, ...]:
        """The session has ended: signed out everywhere, or the account is deleted."""
        ...


class _SocketIo:
    ping = packets.PING

    def message(self, stored: StoredMessage) -> str:
        return packets.event("message", stored.envelope)

    def announcement(self, _key: InboxKey, _fetch: str) -> str | None:
        # The reference's client finds the message at its next fetch.
        return None

    def farewell(self) -> tuple[str, ...]:
        return packets.event("unauthorized"), packets.DISCONNECT


class _Plain:
    ping = plain_frames.PING

    def message(self, stored: StoredMessage) -> str:
        return plain_frames.message(stored, None)

    def announcement(self, key: InboxKey, fetch: str) -> str | None:
        return plain_frames.announcement(key, None, fetch)

    def farewell(self) -> tuple[str, ...]:
        return (plain_frames.error(SignInRequired()),)


VOICES: dict[Dialect, Voice] = {Dialect.SOCKET_IO: _SocketIo(), Dialect.PLAIN: _Plain()}


def fits(text: str) -> bool:
    """Whether the gateway carries `text` in one message."""
    return len(text) <= MESSAGE_BYTES and len(text.encode()) <= MESSAGE_BYTES


def before(key: InboxKey) -> InboxKey:
    """The last key that comes before `key`: reading after it begins with `key`."""
    number = int.from_bytes(key.to_bytes(), "big") - 1
    return InboxKey.from_bytes(max(number, 0).to_bytes(24, "big"))


def fetch_cursor(positions: Positions, owner: bytes, key: InboxKey) -> str:
    """The cursor with which the paged API begins with the message under `key`."""
    return positions.cursor_of(owner, Position(after=before(key)))
