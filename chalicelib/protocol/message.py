"""Messages: what only sender and receiver can read.

Sources: dm3 specification, "Message transport" (message, metadata, attachments) and "Profile links" (the LINK
types); reference `messaging/Message.ts`. Members that are unknown here are kept, since the signature covers
them; so are types of extensions, which a receiver must handle without understanding them.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.encoding import encode_hex, utf8
from chalicelib.protocol.errors import InvalidMessage
from chalicelib.protocol.hashing import keccak256, sha256_canonical
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import (
    number_member,
    optional_text,
    other_members,
    require_object,
    text_member,
)
from chalicelib.protocol.signing import sign, verify

_MEMBERS = frozenset({"message", "metadata", "attachments", "signature"})
_METADATA_MEMBERS = frozenset(
    {"to", "from", "timestamp", "type", "referenceMessageHash", "replyDeliveryInstruction"}
)
_ATTACHMENT_MEMBERS = frozenset({"name", "data"})


class MessageType(StrEnum):
    """Every type the specification, its extension "Profile links" or the reference knows."""

    NEW = "NEW"
    DELETE_REQUEST = "DELETE_REQUEST"
    EDIT = "EDIT"
    REPLY = "REPLY"
    REACTION = "REACTION"
    READ_RECEIPT = "READ_RECEIPT"  # specification
    READ_OPENED = "READ_OPENED"  # reference
    READ_RECEIVED = "READ_RECEIVED"  # reference
    RESEND_REQUEST = "RESEND_REQUEST"
    LINK = "LINK"
    LINK_RECOVER = "LINK_RECOVER"
    LINK_ACCEPT = "LINK_ACCEPT"


# Specification: "Must be set for message types …".
_REFERRING = frozenset(
    {
        MessageType.DELETE_REQUEST,
        MessageType.EDIT,
        MessageType.REPLY,
        MessageType.REACTION,
        MessageType.RESEND_REQUEST,
    }
)


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file or a link: `data` is a URI (data:, https:, ipfs:), `name` what to call it."""

    data: str
    name: str | None = None
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{name?, data}` and the unknown members."""
        named = {} if self.name is None else {"name": self.name}
        return {**self.extra, **named, "data": self.data}

    @classmethod
    def parse(cls, value: JsonValue) -> Attachment:
        """Inverse of `to_json`. Raises `InvalidMessage`."""
        members = require_object(value, InvalidMessage)
        return cls(
            data=text_member(members, "data", InvalidMessage),
            name=optional_text(members, "name", InvalidMessage),
            extra=other_members(members, _ATTACHMENT_MEMBERS),
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A signed message; `build_message` makes one, `parse_message` reads one.

    `timestamp_ms` is the sender's clock. `attachments` of None and of () are different: the signature covers
    an empty array. `type` is a `MessageType` unless an extension defines it. `metadata_extra` and `extra`
    hold members unknown here.
    """

    type: str
    to: str
    from_: str
    timestamp_ms: int | float
    message: str | None = None
    attachments: tuple[Attachment, ...] | None = None
    reference_message_hash: str | None = None
    reply_delivery_instruction: str | None = None
    signature: str = ""
    metadata_extra: JsonObject = field(default_factory=dict)
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{message?, metadata, attachments?, signature}` and the unknown members."""
        return {**self._unsigned(), "signature": self.signature}

    def signed_text(self) -> str:
        """The text under the signature: canonical JSON without `signature`."""
        return canonicalize(self._unsigned())

    def _unsigned(self) -> JsonObject:
        members: dict[str, JsonValue] = {**self.extra, "metadata": self._metadata()}
        if self.message is not None:
            members["message"] = self.message
        if self.attachments is not None:
            members["attachments"] = [attachment.to_json() for attachment in self.attachments]
        return members

    def _metadata(self) -> JsonObject:
        members: dict[str, JsonValue] = {
            **self.metadata_extra,
            "type": self.type,
            "to": self.to,
            "from": self.from_,
            "timestamp": self.timestamp_ms,
        }
        if self.reference_message_hash is not None:
            members["referenceMessageHash"] = self.reference_message_hash
        if self.reply_delivery_instruction is not None:
            members["replyDeliveryInstruction"] = self.reply_delivery_instruction
        return members


def build_message(
    *,
    to: str,
    from_: str,
    timestamp_ms: int,
    signing_private_key: str,
    message: str | None = None,
    type: str = MessageType.NEW,  # noqa: A002 - the protocol's own word
    attachments: Sequence[Attachment] | None = None,
    reference_message_hash: str | None = None,
    reply_delivery_instruction: str | None = None,
    metadata: JsonObject | None = None,
) -> Message:
    """A message signed with `signing_private_key` (base64, 64 bytes).

    `metadata` holds further members, such as `link` of the LINK types. Raises `InvalidMessage` if the type
    refers to a message and `reference_message_hash` is missing, `InvalidEncoding` for a bad key.
    """
    if type in _REFERRING and reference_message_hash is None:
        raise InvalidMessage("A message of this type must refer to another message.")
    unsigned = Message(
        type=type,
        to=to,
        from_=from_,
        timestamp_ms=timestamp_ms,
        message=message,
        attachments=None if attachments is None else tuple(attachments),
        reference_message_hash=reference_message_hash,
        reply_delivery_instruction=reply_delivery_instruction,
        metadata_extra=other_members(metadata or {}, _METADATA_MEMBERS),
    )
    return replace(unsigned, signature=sign(signing_private_key, unsigned.signed_text()))


def parse_message(value: JsonValue) -> Message:
    """The message that `value` is, not verified. Raises `InvalidMessage`."""
    members = require_object(value, InvalidMessage)
    metadata = require_object(members.get("metadata"), InvalidMessage)
    return Message(
        type=text_member(metadata, "type", InvalidMessage),
        to=text_member(metadata, "to", InvalidMessage),
        from_=text_member(metadata, "from", InvalidMessage),
        timestamp_ms=number_member(metadata, "timestamp", InvalidMessage),
        message=optional_text(members, "message", InvalidMessage),
        attachments=_attachments(members),
        reference_message_hash=optional_text(metadata, "referenceMessageHash", InvalidMessage),
        reply_delivery_instruction=optional_text(metadata, "replyDeliveryInstruction", InvalidMessage),
        signature=text_member(members, "signature", InvalidMessage),
        metadata_extra=other_members(metadata, _METADATA_MEMBERS),
        extra=other_members(members, _MEMBERS),
    )


def verify_message(message: Message, public_signing_key: str) -> bool:
    """Whether the owner of `public_signing_key` has signed `message`.

    That the key belongs to `message.from_` is for the caller to know. Raises `InvalidEncoding` as `verify`.
    """
    return verify(public_signing_key, message.signed_text(), message.signature)


def message_hash(message: Message) -> str:
    """SHA-256 (`0x` hex) of the whole message, as `referenceMessageHash` and `metadata.messageHash` hold."""
    return sha256_canonical(message.to_json())


def message_id(message: Message) -> str:
    """The reference's id of a message: Keccak-256 (`0x` hex) of its canonical text."""
    return encode_hex(keccak256(utf8(canonicalize(message.to_json()))))


def _attachments(members: JsonObject) -> tuple[Attachment, ...] | None:
    if "attachments" not in members:
        return None
    value = members["attachments"]
    if not isinstance(value, (list, tuple)):
        raise InvalidMessage("The member attachments is not an array.")
    return tuple(Attachment.parse(item) for item in value)
