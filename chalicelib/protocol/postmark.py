"""Postmarks: when the delivery service received a message, signed by it and sealed for the receiver.

Sources: dm3 specification, "Message transport", "Postmark"; reference `messaging/Message.ts` (`addPostmark`).
They differ in names and hashes; ours carries what both ask for, and the signature covers all of it:

    messageHash           reference: what a wallet would sign for the quoted sealed message (EIP-191)
    sha256                ours, for the specification's `messageHash`: SHA-256 of the sealed message
    incommingTimestamp    reference (its spelling), ms
    incomingTimestamp     specification, ms
    deliveryInformation   specification: a copy, so that the receiver can compare the sender
    signature             Ed25519 over the `0x` hex SHA-256 of the canonical JSON of the rest
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.crypto import KeyPair, SealedValue, seal_for, unseal
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.encoding import encode_hex
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.envelope import Envelope, sealed_hash
from chalicelib.protocol.errors import InvalidEnvelope, ParseError
from chalicelib.protocol.hashing import eip191_hash, sha256_canonical
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import (
    number_member,
    optional_text,
    other_members,
    require_object,
    text_member,
)
from chalicelib.protocol.signing import sign, verify

_TIMESTAMPS = ("incomingTimestamp", "incommingTimestamp")


@dataclass(frozen=True, slots=True)
class Postmark:
    """A postmark: `members` is all that is signed, as it came, unknown members included."""

    members: JsonObject
    signature: str

    @property
    def message_hash(self) -> str:
        """The hash of the sealed message: of the reference's kind, or SHA-256 (specification)."""
        return text_member(self.members, "messageHash", InvalidEnvelope)

    @property
    def sha256(self) -> str | None:
        """SHA-256 of the sealed message, in postmarks of this relay."""
        return optional_text(self.members, "sha256", InvalidEnvelope)

    @property
    def incoming_timestamp_ms(self) -> int:
        """When the delivery service received the message."""
        name = next((name for name in _TIMESTAMPS if name in self.members), _TIMESTAMPS[0])
        return int(number_member(self.members, name, InvalidEnvelope))

    @property
    def delivery_information(self) -> DeliveryInformation | None:
        """The copy of the delivery information; the reference gives none."""
        if "deliveryInformation" not in self.members:
            return None
        return DeliveryInformation.parse(self.members["deliveryInformation"])

    def to_json(self) -> JsonObject:
        """The signed members and `signature`."""
        return {**self.members, "signature": self.signature}

    @classmethod
    def parse(cls, value: JsonValue) -> Postmark:
        """Inverse of `to_json`, for postmarks of every delivery service. Raises `InvalidEnvelope`."""
        members = require_object(value, InvalidEnvelope)
        signature = text_member(members, "signature", InvalidEnvelope)
        postmark = cls(other_members(members, {"signature"}), signature)
        # Read once, so that reading them later cannot fail.
        _ = postmark.message_hash, postmark.sha256, postmark.delivery_information
        _ = postmark.incoming_timestamp_ms
        return postmark

    def signed_text(self) -> str:
        """The text under the signature."""
        return sha256_canonical(self.members)


def sealed_message_hash(sealed_message: str) -> str:
    """The reference's `messageHash` (`0x` hex) of a sealed message's text."""
    return encode_hex(eip191_hash(canonicalize(sealed_message)))


def make_postmark(
    envelope: Envelope,
    delivery_information: DeliveryInformation,
    *,
    incoming_timestamp_ms: int,
    signing_private_key: str,
) -> Postmark:
    """The postmark of `envelope`, received at `incoming_timestamp_ms`. Raises `InvalidEncoding`."""
    members: JsonObject = {
        "messageHash": sealed_message_hash(envelope.message),
        "sha256": sealed_hash(envelope),
        "incommingTimestamp": incoming_timestamp_ms,
        "incomingTimestamp": incoming_timestamp_ms,
        "deliveryInformation": delivery_information.to_json(),
    }
    return sign_postmark(members, signing_private_key)


def sign_postmark(members: JsonObject, signing_private_key: str) -> Postmark:
    """A postmark of `members`, whatever they are. Raises `InvalidEncoding` for a bad key."""
    return Postmark(members, sign(signing_private_key, Postmark(members, "").signed_text()))


def seal_postmark(postmark: Postmark, receiver_encryption_key: str, entropy: Entropy) -> str:
    """The sealed postmark as it stands in an envelope. Raises `InvalidEncoding` for a bad key."""
    return seal_for(canonicalize(postmark.to_json()), receiver_encryption_key, entropy).to_text()


def open_postmark(text: str, receiver: KeyPair) -> Postmark:
    """The postmark in the `postmark` member of an envelope, not verified.

    Raises `Undecryptable` or `InvalidEncoding` if it is not sealed for `receiver`, `InvalidEnvelope` if what
    was sealed is no postmark.
    """
    try:
        return Postmark.parse(parse_json(unseal(SealedValue.parse(text), receiver)))
    except ParseError:
        raise InvalidEnvelope("The postmark is not JSON.") from None


def verify_postmark(postmark: Postmark, envelope: Envelope, public_signing_key: str) -> bool:
    """Whether the delivery service with `public_signing_key` has stamped this `envelope`.

    Every hash the postmark holds must be that of the sealed message. Raises `InvalidEncoding` as `verify`.
    """
    fits = _is_hash_of(postmark.message_hash, envelope) and (
        postmark.sha256 is None or postmark.sha256 == sealed_hash(envelope)
    )
    return fits and verify(public_signing_key, postmark.signed_text(), postmark.signature)


def _is_hash_of(given: str, envelope: Envelope) -> bool:
    # As the reference makes it; as the specification has it, of the text or of its canonical JSON.
    return (
        given == sealed_message_hash(envelope.message)
        or given == sha256_canonical(envelope.message)
        or given == sealed_hash(envelope)
    )
