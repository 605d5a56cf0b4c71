"""Profile extensions: what a receiver can read, asked from the delivery service before sending.

Source: dm3 specification, "API delivery service", `dm3_getProfileExtension`. The reference answers
`{notSupportedMessageTypes: ["NEW"]}` for everybody, which would forbid all messages; the specification says
that NEW is always supported, and that is how such an answer is read.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object, texts_member
from chalicelib.protocol.message import MessageType
from chalicelib.protocol.rules import PublicRules

# What the reference knows, and so what its negative list leaves out of.
_REFERENCE_TYPES = (
    MessageType.NEW,
    MessageType.DELETE_REQUEST,
    MessageType.EDIT,
    MessageType.REPLY,
    MessageType.REACTION,
    MessageType.READ_OPENED,
    MessageType.READ_RECEIVED,
    MessageType.RESEND_REQUEST,
)
_DEFAULT_TYPES = (*_REFERENCE_TYPES, MessageType.READ_RECEIPT)


@dataclass(frozen=True, slots=True)
class ProfileExtension:
    """The types of messages a receiver supports, and encryption schemes it prefers to the default one.

    `rules` say from whom mail is accepted, as far as a sender may know.
    """

    supported_message_types: tuple[str, ...] = (MessageType.NEW,)
    encryption_scheme: tuple[str, ...] | None = None
    rules: PublicRules = field(default_factory=PublicRules)

    @classmethod
    def default(cls) -> ProfileExtension:
        """Of a receiver who has said nothing: every type of the base specification and the reference."""
        return cls(_DEFAULT_TYPES)

    def supports(self, message_type: str) -> bool:
        """Whether a message of `message_type` may be sent; NEW always may."""
        return message_type == MessageType.NEW or message_type in self.supported_message_types

    def to_json(self) -> JsonObject:
        """`{encryptionScheme?, supportedMessageTypes, rules?}`."""
        members: dict[str, JsonValue] = {"supportedMessageTypes": list(self.supported_message_types)}
        if self.encryption_scheme is not None:
            members["encryptionScheme"] = list(self.encryption_scheme)
        if rules := self.rules.to_json():
            members["rules"] = rules
        return members

    @classmethod
    def parse(cls, value: JsonValue) -> ProfileExtension:
        """Inverse of `to_json`; the reference's form is taken too, other members are ignored.

        So is each of the `rules` that is not of our form: it may be another service's. Raises `InvalidInput`.
        """
        members = require_object(value, InvalidInput)
        return cls(_supported_types(members), _schemes(members), _rules(members))


def _rules(members: JsonObject) -> PublicRules:
    try:
        return PublicRules.parse(members.get("rules", {}), strict=False)
    except InvalidInput:
        return PublicRules()


def _supported_types(members: JsonObject) -> tuple[str, ...]:
    if "supportedMessageTypes" in members:
        return texts_member(members, "supportedMessageTypes", InvalidInput)
    if "notSupportedMessageTypes" not in members:
        return (MessageType.NEW,)
    unsupported = texts_member(members, "notSupportedMessageTypes", InvalidInput)
    if not set(unsupported) <= set(_REFERENCE_TYPES):
        raise InvalidInput("There is no such type of message.")
    return tuple(type_ for type_ in _REFERENCE_TYPES if type_ not in unsupported or type_ == MessageType.NEW)


def _schemes(members: JsonObject) -> tuple[str, ...] | None:
    for name in ("encryptionScheme", "encryptionAlgorithm"):  # specification, reference
        if name in members:
            return texts_member(members, name, InvalidInput)
    return None
