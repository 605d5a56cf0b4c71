"""What somebody wants to say, before it has a sender, a receiver and a signature.

One function for each message type of the specification ("Message Metadata", types) and of the reference. A
message that refers to another names it by its message hash: the SHA-256 of the canonical message, which
`Sent.message_hash` and `Received.message_hash` carry.
"""

from __future__ import annotations

import mimetypes
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from chalicelib.protocol.encoding import encode_base64
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.message import Attachment, MessageType


@dataclass(frozen=True, slots=True)
class Draft:
    """A message to be. `type` is a `MessageType`, or one of an extension.

    `extra` are members of the metadata that an application adds. `delivery_instruction` is for the delivery
    service, `reply_delivery_instruction` goes back with a reply; both are for bridges to other protocols.
    """

    type: str
    text: str | None = field(default=None, repr=False)
    attachments: tuple[Attachment, ...] = field(default=(), repr=False)
    reference: str | None = None
    delivery_instruction: str | None = None
    reply_delivery_instruction: str | None = None
    extra: Mapping[str, JsonValue] = field(default_factory=dict, repr=False)


def new(text: str, attachments: Sequence[Attachment] = ()) -> Draft:
    """NEW: the beginning of a conversation, or the next thing said in it."""
    return Draft(MessageType.NEW, text, tuple(attachments))


def reply(to: str, text: str, attachments: Sequence[Attachment] = ()) -> Draft:
    """REPLY to the message with hash `to`."""
    return Draft(MessageType.REPLY, text, tuple(attachments), to)


def edit(of: str, text: str, attachments: Sequence[Attachment] = ()) -> Draft:
    """EDIT: `text` takes the place of one's own message with hash `of`."""
    return Draft(MessageType.EDIT, text, tuple(attachments), of)


def delete_request(of: str) -> Draft:
    """DELETE_REQUEST: the receiver is asked to delete one's own message with hash `of`."""
    return Draft(MessageType.DELETE_REQUEST, reference=of)


def reaction(to: str, emoji: str) -> Draft:
    """REACTION to the message with hash `to`."""
    return Draft(MessageType.REACTION, emoji, reference=to)


def read_receipt(of: str) -> Draft:
    """READ_RECEIPT: the message with hash `of` was displayed (the specification's type)."""
    return Draft(MessageType.READ_RECEIPT, reference=of)


def read_opened(of: str) -> Draft:
    """READ_OPENED: the message with hash `of` was opened (the reference's type; it has an empty text)."""
    return Draft(MessageType.READ_OPENED, "", reference=of)


def read_received(of: str) -> Draft:
    """READ_RECEIVED: the message with hash `of` came in (the reference's type; it has an empty text)."""
    return Draft(MessageType.READ_RECEIVED, "", reference=of)


def resend_request(of: str) -> Draft:
    """RESEND_REQUEST: the sender is asked for the message with hash `of` once more."""
    return Draft(MessageType.RESEND_REQUEST, reference=of)


def attach(path: Path) -> Attachment:
    """A file as an attachment: its name, and its content as a `data:` URI (RFC 2397).

    Raises InvalidInput if the file cannot be read.
    """
    try:
        content = path.read_bytes()
    except OSError as error:
        raise InvalidInput(f"An attachment cannot be read: {error.strerror}.") from None
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    return Attachment(name=path.name, data=f"data:{media_type};base64,{encode_base64(content)}")
