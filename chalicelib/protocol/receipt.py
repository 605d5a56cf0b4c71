"""Receipts: the relay's signed word to the sender that it has accepted a message.

Ours; the specification has no such thing. With it a sender can prove later that, and until when, the relay
took the message into its keeping.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import number_member, require_object, text_member
from chalicelib.protocol.signing import sign, verify


@dataclass(frozen=True, slots=True)
class Receipt:
    """What was accepted and until when it is kept. Times are ms of the relay's clock.

    `message_id` is the relay's own; `message_hash` is the metadata's hash, or that of the sealed message.
    """

    message_id: str
    message_hash: str
    incoming_timestamp_ms: int
    expires_at_ms: int
    signature: str

    def to_json(self) -> JsonObject:
        """`{messageId, messageHash, incomingTimestamp, expiresAt, signature}`."""
        return {**self._unsigned(), "signature": self.signature}

    def signed_text(self) -> str:
        """The text under the signature: `0x` hex SHA-256 of the canonical JSON without `signature`."""
        return sha256_canonical(self._unsigned())

    @classmethod
    def parse(cls, value: JsonValue) -> Receipt:
        """Inverse of `to_json`; other members, such as `duplicate`, are ignored. Raises `InvalidInput`."""
        members = require_object(value, InvalidInput)
        return cls(
            message_id=text_member(members, "messageId", InvalidInput),
            message_hash=text_member(members, "messageHash", InvalidInput),
            incoming_timestamp_ms=int(number_member(members, "incomingTimestamp", InvalidInput)),
            expires_at_ms=int(number_member(members, "expiresAt", InvalidInput)),
            signature=text_member(members, "signature", InvalidInput),
        )

    def _unsigned(self) -> JsonObject:
        return {
            "messageId": self.message_id,
            "messageHash": self.message_hash,
            "incomingTimestamp": self.incoming_timestamp_ms,
            "expiresAt": self.expires_at_ms,
        }


def make_receipt(
    *,
    message_id: str,
    message_hash: str,
    incoming_timestamp_ms: int,
    expires_at_ms: int,
    signing_private_key: str,
) -> Receipt:
    """A receipt signed with the relay's `signing_private_key`. Raises `InvalidEncoding` for a bad key."""
    unsigned = Receipt(message_id, message_hash, incoming_timestamp_ms, expires_at_ms, "")
    return replace(unsigned, signature=sign(signing_private_key, unsigned.signed_text()))


def verify_receipt(receipt: Receipt, public_signing_key: str) -> bool:
    """Whether the relay with `public_signing_key` has given `receipt`. Raises as `verify`."""
    return verify(public_signing_key, receipt.signed_text(), receipt.signature)
