"""The one event there is: a message has been received. It tells neither sender nor content.

The account is the keyed hash under which its mail stands (`AccountBook.inbox`), new for each incarnation of
an account, so the event names nobody: not to the topic, not to the queues, not to whoever subscribes to them.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from chalicelib.relay.ports import InboxKey

MESSAGE_RECEIVED: Final = "message.received"
CHANNELS_ATTRIBUTE: Final = "channels"
"""The message attribute by which the subscriptions of the queues filter: a String.Array of channels."""

SMALL_BYTES: Final = 32 * 1024
MEDIUM_BYTES: Final = 128 * 1024


class Channel(StrEnum):
    """A way of telling a receiver; each has a queue, whose subscription asks for its name."""

    SOCKET = "socket"
    WEBHOOK = "webhook"
    EMAIL = "email"
    PUSH = "push"
    SMS = "sms"


WAKING: Final = (Channel.EMAIL, Channel.PUSH, Channel.SMS)
"""The channels that wake a person; they are spared when an open socket has shown the message."""


class SizeClass(StrEnum):
    """How large a stored message is: up to 32 KiB, up to 128 KiB, or more."""

    SMALL = "small"
    MEDIUM = "medium"
    LARGE = "large"

    @classmethod
    def of(cls, size_bytes: int) -> SizeClass:
        """The class of a stored blob of `size_bytes`."""
        if size_bytes <= SMALL_BYTES:
            return cls.SMALL
        return cls.MEDIUM if size_bytes <= MEDIUM_BYTES else cls.LARGE


@dataclass(frozen=True, slots=True)
class MessageReceived:
    """A message was stored under `key` in the inbox `owner` (32 bytes).

    `channels` are those that the receiver wants to be told by; they travel as an attribute beside the text.
    """

    owner: bytes
    key: InboxKey
    size: SizeClass
    channels: frozenset[Channel] = frozenset()

    @property
    def message_id(self) -> str:
        """The message id in hex, as in the sender's receipt and in the paged API."""
        return self.key.message_id.hex()

    def to_text(self) -> str:
        """`{"type", "account", "message", "receivedAt" (ms), "size"}` as JSON; without the channels."""
        return json.dumps(
            {
                "type": MESSAGE_RECEIVED,
                "account": self.owner.hex(),
                "message": self.message_id,
                "receivedAt": self.key.stored_at_ms,
                "size": str(self.size),
            },
            separators=(",", ":"),
        )

    @classmethod
    def parse(cls, text: str, channels: Iterable[str] = ()) -> MessageReceived:
        """Inverse of `to_text`. Raises ValueError for anything that this relay has not written."""
        members = json.loads(text)
        try:
            owner, message = bytes.fromhex(members["account"]), bytes.fromhex(members["message"])
            received_at_ms = members["receivedAt"]
            size = SizeClass(members["size"])
            kind = members["type"]
        except (TypeError, KeyError):
            raise ValueError("not an event of this relay") from None
        if (
            kind != MESSAGE_RECEIVED
            or len(owner) != 32
            or len(message) != 16
            or type(received_at_ms) is not int
        ):
            raise ValueError("not an event of this relay")
        return cls(owner, InboxKey(received_at_ms, message), size, frozenset(map(Channel, channels)))

    @classmethod
    def of_record(cls, record: Mapping[str, Any]) -> MessageReceived:
        """The event in a record of a channel's queue, which gets it from the topic with raw delivery.

        Raises ValueError, as `parse`.
        """
        attribute = record.get("messageAttributes", {}).get(CHANNELS_ATTRIBUTE, {})
        return cls.parse(record["body"], json.loads(attribute.get("stringValue", "[]")))
