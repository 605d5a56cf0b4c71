"""Envelopes: a sealed message and what the delivery service needs to pass it on.

Sources: dm3 specification, "Message transport" (encryption envelope, envelope metadata); reference
`messaging/Envelop.ts`. Three revisions are on the network, told apart by the hash the metadata holds:

    ENCRYPTED_MESSAGE_HASH  npm 1.7.1          `encryptedMessageHash`: SHA-256 of the sealed text, quoted
    MESSAGE_HASH            source since 2024  `messageHash`: SHA-256 of the readable message
    SPECIFICATION           published text     neither

All are accepted. The metadata is kept as it came, unknown members included: the sender has signed them.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import dataclass
from enum import StrEnum

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.crypto import SCHEME, KeyPair, SealedValue, seal_for, unseal
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import InvalidEnvelope, InvalidMessage, ParseError
from chalicelib.protocol.hashing import sha256_canonical, sha256_hex
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import optional_text, other_members, require_object, text_member
from chalicelib.protocol.message import Message, message_hash, parse_message
from chalicelib.protocol.signing import sign, verify

VERSION = "v1"
_MEMBERS = frozenset({"message", "metadata", "postmark"})


class Revision(StrEnum):
    """The revisions of the envelope; the value is the name of the hash member, if there is one."""

    ENCRYPTED_MESSAGE_HASH = "encryptedMessageHash"
    MESSAGE_HASH = "messageHash"
    SPECIFICATION = "specification"


@dataclass(frozen=True, slots=True)
class Envelope:
    """An envelope: `message` and `postmark` are the JSON texts of sealed values.

    `metadata` is as parsed. `deliveryInformation` in it is the text of a sealed value, or, in what a delivery
    service hands out, the opened object.
    """

    message: str
    metadata: JsonObject
    postmark: str | None = None

    @property
    def delivery_information(self) -> str:
        """The sealed delivery information. Raises `InvalidEnvelope` if it has been opened already."""
        return text_member(self.metadata, "deliveryInformation", InvalidEnvelope)

    @property
    def version(self) -> str:
        """`metadata.version`, as the sender wrote it."""
        return text_member(self.metadata, "version", InvalidEnvelope)

    @property
    def signature(self) -> str:
        """The sender's signature over the metadata."""
        return text_member(self.metadata, "signature", InvalidEnvelope)

    @property
    def message_hash(self) -> str | None:
        """`metadata.messageHash`, or else `metadata.encryptedMessageHash`."""
        later = optional_text(self.metadata, Revision.MESSAGE_HASH, InvalidEnvelope)
        return later or optional_text(self.metadata, Revision.ENCRYPTED_MESSAGE_HASH, InvalidEnvelope)

    @property
    def revision(self) -> Revision:
        """The revision; of an envelope that carries both hashes, the earlier."""
        for revision in (Revision.ENCRYPTED_MESSAGE_HASH, Revision.MESSAGE_HASH):
            if revision in self.metadata:
                return revision
        return Revision.SPECIFICATION

    def to_json(self) -> JsonObject:
        """`{message, metadata, postmark?}`."""
        members: dict[str, JsonValue] = {"message": self.message, "metadata": self.metadata}
        if self.postmark is not None:
            members["postmark"] = self.postmark
        return members

    def as_sent(self) -> Envelope:
        """The envelope as its sender signed it.

        This relay hands out the opened delivery information where the reference does, keeps the sealed text
        in `sealedDeliveryInformation` and names the members it added in `relayAdded`; this takes that back.
        An envelope without such traces is returned as it is.
        """
        sealed, added = self.metadata.get("sealedDeliveryInformation"), self.metadata.get("relayAdded", ())
        if isinstance(self.metadata.get("deliveryInformation"), str) or not isinstance(sealed, str):
            return self
        names = (
            {name for name in added if isinstance(name, str)} if isinstance(added, (list, tuple)) else set()
        )
        metadata = other_members(self.metadata, names | {"sealedDeliveryInformation", "relayAdded"})
        return Envelope(self.message, {**metadata, "deliveryInformation": sealed}, self.postmark)

    @classmethod
    def parse(cls, value: JsonValue) -> Envelope:
        """The envelope that `value` has the shape of; no hash is compared. Raises `InvalidEnvelope`."""
        members = require_object(value, InvalidEnvelope)
        if not members.keys() <= _MEMBERS:
            raise InvalidEnvelope("The envelope has a member it must not have.")
        message = text_member(members, "message", InvalidEnvelope)
        metadata = require_object(members.get("metadata"), InvalidEnvelope)
        for name in ("version", "signature"):
            text_member(metadata, name, InvalidEnvelope)
        for name in ("encryptionScheme", Revision.MESSAGE_HASH, Revision.ENCRYPTED_MESSAGE_HASH):
            optional_text(metadata, name, InvalidEnvelope)
        information = metadata.get("deliveryInformation")
        if not isinstance(information, str):
            DeliveryInformation.parse(information)
        return cls(message, metadata, optional_text(members, "postmark", InvalidEnvelope))


def parse_envelope(value: JsonValue) -> Envelope:
    """The envelope that `value`, an object or its JSON text, is; the sender is not verified.

    Raises `ParseError` if a text is not JSON, `InvalidEnvelope` for the wrong shape and for an
    `encryptedMessageHash` that is not that of the sealed message.
    """
    envelope = Envelope.parse(parse_json(value) if isinstance(value, str) else value)
    given = envelope.metadata.get(Revision.ENCRYPTED_MESSAGE_HASH)
    if given is not None and given != sha256_canonical(envelope.message):
        raise InvalidEnvelope("The hash in the metadata is not that of the sealed message.")
    return envelope


def sealed_hash(envelope: Envelope) -> str:
    """SHA-256 (`0x` hex) of the sealed message's text: what makes two envelopes the same message."""
    return sha256_hex(envelope.message)


def envelope_size_bytes(envelope: Envelope) -> int:
    """The size the reference compares with `sizeLimit`: UTF-8 bytes of the canonical JSON."""
    return len(canonicalize(envelope.to_json()).encode())


def open_delivery_information(envelope: Envelope, key_pair: KeyPair) -> DeliveryInformation:
    """What the envelope tells the delivery service that owns `key_pair`.

    Raises `Undecryptable` or `InvalidEncoding` if it is not sealed for it, `InvalidEnvelope` if what was
    sealed is no delivery information.
    """
    text = unseal(SealedValue.parse(envelope.delivery_information), key_pair)
    return DeliveryInformation.parse(_parse(text, InvalidEnvelope))


def verify_envelope(envelope: Envelope, public_signing_key: str) -> bool:
    """Whether the owner of `public_signing_key` has signed the metadata (`Envelope.as_sent`).

    Raises `InvalidEncoding` as `verify`.
    """
    sent = envelope.as_sent()
    return verify(public_signing_key, metadata_text(sent.metadata), sent.signature)


def metadata_text(metadata: JsonObject) -> str:
    """The text under the metadata signature: canonical JSON without `signature`."""
    return canonicalize(other_members(metadata, {"signature"}))


def build_envelope(
    message: Message,
    *,
    receiver_encryption_key: str,
    delivery_service_encryption_key: str,
    signing_private_key: str,
    delivery_information: DeliveryInformation,
    entropy: Entropy,
    revisions: Collection[Revision] = (Revision.ENCRYPTED_MESSAGE_HASH,),
    sealed_message: str | None = None,
) -> Envelope:
    """`message` sealed for its receiver and addressed to one delivery service.

    Keys are base64. `revisions` names the hash members to write. `sealed_message` is the message sealed
    before, for the same envelope to several delivery services. Raises `InvalidEncoding` for bad keys.
    """
    if sealed_message is None:
        text = canonicalize(message.to_json())
        sealed_message = seal_for(text, receiver_encryption_key, entropy).to_text()
    information = canonicalize(delivery_information.to_json())
    return sign_envelope(
        sealed_message,
        seal_for(information, delivery_service_encryption_key, entropy).to_text(),
        message=message,
        signing_private_key=signing_private_key,
        revisions=revisions,
    )


def sign_envelope(
    sealed_message: str,
    sealed_delivery_information: str,
    *,
    message: Message,
    signing_private_key: str,
    revisions: Collection[Revision] = (Revision.ENCRYPTED_MESSAGE_HASH,),
) -> Envelope:
    """The envelope around two sealed texts. Raises `InvalidEncoding` for a bad key."""
    metadata: dict[str, JsonValue] = {
        "encryptionScheme": SCHEME,
        "deliveryInformation": sealed_delivery_information,
        "version": VERSION,
    }
    if Revision.ENCRYPTED_MESSAGE_HASH in revisions:
        metadata[Revision.ENCRYPTED_MESSAGE_HASH] = sha256_canonical(sealed_message)
    if Revision.MESSAGE_HASH in revisions:
        metadata[Revision.MESSAGE_HASH] = message_hash(message)
    metadata["signature"] = sign(signing_private_key, metadata_text(metadata))
    return Envelope(sealed_message, metadata)


def open_envelope(envelope: Envelope, receiver: KeyPair) -> Message:
    """The message inside, not verified, but compared with `metadata.messageHash` where the sender set it.

    Raises `Undecryptable` or `InvalidEncoding` if it is not sealed for `receiver`, `InvalidMessage` if what
    was sealed is no message, `InvalidEnvelope` if it is not the one the metadata was signed for.
    """
    value = _parse(unseal(SealedValue.parse(envelope.message), receiver), InvalidMessage)
    given = envelope.as_sent().metadata.get(Revision.MESSAGE_HASH)
    if given is not None and given != sha256_canonical(value):
        raise InvalidEnvelope("The hash in the metadata is not that of the message.")
    return parse_message(value)


def _parse(text: str, error: type[InvalidEnvelope | InvalidMessage]) -> JsonValue:
    try:
        return parse_json(text)
    except ParseError:
        raise error("What was sealed is not JSON.") from None
