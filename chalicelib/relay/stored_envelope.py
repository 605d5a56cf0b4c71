"""The stored form of a message: small, and byte for byte what the sender signed.

Most of an envelope is base64. Every long run of it is kept as the bytes it stands for, a quarter shorter; a
run that would not come back exactly the same (not canonical base64) stays text. The rest is compressed.

    version (1 byte) | length of the head (4 bytes, big-endian) | head | the runs' bytes, one after another

The head is zlib over JSON `[texts, lengths]`: the texts between the runs, and the runs' lengths in bytes.
"""

from __future__ import annotations

import json
import re
import zlib
from base64 import b64decode, b64encode
from dataclasses import dataclass

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope
from chalicelib.protocol.errors import Undecryptable
from chalicelib.protocol.json_types import JsonObject

_VERSION = 1
_HEAD_AT = 5
# Shorter runs cost more in the head than they save.
_RUN = re.compile(r"([A-Za-z0-9+/]{32,}={0,2})")


@dataclass(frozen=True, slots=True)
class StoredEnvelope:
    """An accepted envelope with what the relay adds: sealed postmark, opened delivery information.

    `sender` is the normalised name of who wrote, a claim unless `verified`. `message_hash` is the hash the
    reference's client acknowledges with, `relay_added` whether the sender gave no `metadata.messageHash`.
    `metadata` is as the sender signed it. `encryption_key` is the public key of the receiver's profile that
    stood then: what it is sealed for the relay cannot see. None for what was stored before that was kept.
    """

    sender: str
    message: str
    metadata: JsonObject
    postmark: str
    delivery_information: JsonObject
    message_hash: str
    relay_added: bool
    verified: bool
    encryption_key: str | None = None

    @classmethod
    def of(
        cls,
        envelope: Envelope,
        *,
        sender: str,
        postmark: str,
        delivery_information: DeliveryInformation,
        message_hash: str,
        verified: bool,
        encryption_key: str,
    ) -> StoredEnvelope:
        """`envelope` as it is stored."""
        return cls(
            sender=sender,
            message=envelope.message,
            metadata=envelope.metadata,
            postmark=postmark,
            delivery_information=delivery_information.to_json(),
            message_hash=message_hash,
            relay_added="messageHash" not in envelope.metadata,
            verified=verified,
            encryption_key=encryption_key,
        )

    def wire_form(self) -> JsonObject:
        """The envelope as its receiver gets it (WIRE, "Stored envelope as given to the receiver")."""
        metadata = dict(self.metadata)
        metadata["sealedDeliveryInformation"] = metadata["deliveryInformation"]
        metadata["deliveryInformation"] = self.delivery_information
        if self.relay_added:
            metadata["messageHash"] = self.message_hash
            metadata["relayAdded"] = ["messageHash"]
        return {"message": self.message, "metadata": metadata, "postmark": self.postmark}

    def to_bytes(self) -> bytes:
        """The compact form."""
        members = {
            "sender": self.sender,
            "message": self.message,
            # The canonical text is what is signed, whatever the sender's spelling of numbers.
            "metadata": canonicalize(self.metadata),
            "postmark": self.postmark,
            "deliveryInformation": canonicalize(self.delivery_information),
            "messageHash": self.message_hash,
            "relayAdded": self.relay_added,
            "verified": self.verified,
            "encryptionKey": self.encryption_key,
        }
        return pack(json.dumps(members, separators=(",", ":")))

    @classmethod
    def from_bytes(cls, data: bytes) -> StoredEnvelope:
        """Inverse of `to_bytes`, up to the spelling of numbers. Raises Undecryptable for other versions."""
        members = json.loads(unpack(data))
        return cls(
            sender=members["sender"],
            message=members["message"],
            metadata=_object(members["metadata"]),
            postmark=members["postmark"],
            delivery_information=_object(members["deliveryInformation"]),
            message_hash=members["messageHash"],
            relay_added=members["relayAdded"],
            verified=members["verified"],
            encryption_key=members.get("encryptionKey"),
        )


def pack(text: str) -> bytes:
    """`text` (ASCII) in the compact form; `unpack` gives it back exactly."""
    texts, runs = list[str](), list[bytes]()
    between: list[str] = []
    for position, part in enumerate(_RUN.split(text)):
        run = _canonical_bytes(part) if position % 2 else None
        if run is None:
            between.append(part)
        else:
            runs.append(run)
            texts.append("".join(between))
            between.clear()
    texts.append("".join(between))
    head = zlib.compress(json.dumps([texts, [len(run) for run in runs]]).encode())
    return b"".join([bytes([_VERSION]), len(head).to_bytes(4, "big"), head, *runs])


def unpack(data: bytes) -> str:
    """Inverse of `pack`. Raises Undecryptable for anything `pack` of this version has not made."""
    body_at = _HEAD_AT + int.from_bytes(data[1:_HEAD_AT], "big")
    if data[:1] != bytes([_VERSION]):
        raise Undecryptable
    texts, lengths = json.loads(zlib.decompress(data[_HEAD_AT:body_at]))
    parts: list[str] = [texts[0]]
    for text, length in zip(texts[1:], lengths, strict=True):
        parts += (b64encode(data[body_at : body_at + length]).decode(), text)
        body_at += length
    return "".join(parts)


def _canonical_bytes(run: str) -> bytes | None:
    """The bytes that `run` is the one canonical base64 of, or None."""
    if len(run) % 4:
        return None
    data = b64decode(run)
    return data if b64encode(data).decode() == run else None


def _object(text: str) -> JsonObject:
    value = parse_json(text)
    assert isinstance(value, dict)  # noqa: S101 - written by `to_bytes`
    return value
