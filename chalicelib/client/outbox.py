"""Messages that could not be sent yet, kept until they can be.

A kept message is signed and holds what was written, so on disk it is encrypted: XSalsa20-Poly1305 under a key
that follows from the storage key of its owner. Envelopes that were tried are kept with it, byte for byte:
submitting the very same envelope again is recognised by the delivery service and stores nothing twice.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Protocol, Self

from nacl.exceptions import CryptoError
from nacl.secret import SecretBox

from chalicelib.client.identity import Identity
from chalicelib.client.private_files import read_private, write_private
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.encoding import decode_base64
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import Dm3Error, InvalidMessage, Undecryptable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.message import Message, parse_message

MAX_ENTRY_BYTES = 32 * 1024 * 1024
_SUFFIX = ".message"


@dataclass(frozen=True, slots=True)
class Sealed:
    """An envelope as it was submitted, and the keys it was sealed for: with other keys it is of no use."""

    receiver_key: str
    service_key: str
    envelope: JsonObject = field(repr=False)

    def fits(self, receiver_key: str, service_key: str) -> bool:
        """Whether it is still sealed for the right two."""
        return (self.receiver_key, self.service_key) == (receiver_key, service_key)


@dataclass(frozen=True, slots=True)
class Entry:
    """One unsent message. `sealed` are its envelopes by the name of the delivery service they are for.

    `anyway`: it is to be submitted even if the receiver's rules seem to refuse it.
    """

    id: str
    to: str
    created_at_ms: int
    message: Message = field(repr=False)
    delivery_instruction: str | None = None
    sealed: Mapping[str, Sealed] = field(default_factory=dict, repr=False)
    attempts: int = 0
    reason: str = ""
    anyway: bool = False

    def with_sealed(self, service: str, sealed: Sealed) -> Self:
        """The entry with one more envelope."""
        return replace(self, sealed={**self.sealed, service: sealed})

    def after(self, reason: str) -> Self:
        """The entry after one more attempt, which failed for `reason`."""
        return replace(self, attempts=self.attempts + 1, reason=reason)

    def to_json(self) -> JsonObject:
        """Everything, in the clear."""
        return {
            "id": self.id,
            "to": self.to,
            "createdAt": self.created_at_ms,
            "message": self.message.to_json(),
            "deliveryInstruction": self.delivery_instruction,
            "sealed": {
                service: {
                    "receiverKey": sealed.receiver_key,
                    "serviceKey": sealed.service_key,
                    "envelope": sealed.envelope,
                }
                for service, sealed in self.sealed.items()
            },
            "attempts": self.attempts,
            "reason": self.reason,
            "anyway": self.anyway,
        }

    @classmethod
    def parse(cls, value: JsonValue) -> Self:
        """Inverse of `to_json`. Raises InvalidMessage."""
        match value:
            case {
                "id": str(identifier),
                "to": str(to),
                "createdAt": int(created_at_ms),
                "message": message,
                "deliveryInstruction": str() | None as instruction,
                "sealed": dict(sealed),
                "attempts": int(attempts),
                "reason": str(reason),
                **others,
            }:
                return cls(
                    id=identifier,
                    to=to,
                    created_at_ms=created_at_ms,
                    message=parse_message(message),
                    delivery_instruction=instruction,
                    sealed={service: _sealed(parts) for service, parts in sealed.items()},
                    attempts=attempts,
                    reason=reason,
                    # Entries of before this choice existed do not have it.
                    anyway=others.get("anyway") is True,
                )
        raise InvalidMessage("The kept message is not complete.")


class Outbox(Protocol):
    """Where unsent messages are kept."""

    def put(self, entry: Entry) -> None:
        """Keep `entry`, in place of an earlier one with the same id."""
        ...

    def remove(self, entry_id: str) -> None:
        """Forget an entry; it is no error if there is none."""
        ...

    def entries(self) -> tuple[Entry, ...]:
        """Every kept entry, the oldest first."""
        ...


class MemoryOutbox:
    """Implements `Outbox` in this process only."""

    def __init__(self) -> None:
        self._entries: dict[str, Entry] = {}

    def put(self, entry: Entry) -> None:
        """As `Outbox.put`."""
        self._entries[entry.id] = entry

    def remove(self, entry_id: str) -> None:
        """As `Outbox.remove`."""
        self._entries.pop(entry_id, None)

    def entries(self) -> tuple[Entry, ...]:
        """As `Outbox.entries`."""
        return tuple(sorted(self._entries.values(), key=_age))


class FileOutbox:
    """Implements `Outbox` in a folder: one encrypted file (mode 0600) for each message.

    Files that another identity has written there, or that are damaged, are left alone; `unreadable` counts
    them as of the last `entries`.
    """

    def __init__(self, folder: Path, identity: Identity, entropy: Entropy) -> None:
        self._folder = folder
        self._entropy = entropy
        self._box = SecretBox(_outbox_key(identity))
        self.unreadable = 0

    def put(self, entry: Entry) -> None:
        """As `Outbox.put`. Raises InvalidInput if the file cannot be written."""
        nonce = self._entropy.token(SecretBox.NONCE_SIZE)
        sealed = self._box.encrypt(canonicalize(entry.to_json()).encode(), nonce)
        write_private(self._path(entry.id), bytes(sealed))

    def remove(self, entry_id: str) -> None:
        """As `Outbox.remove`."""
        self._path(entry_id).unlink(missing_ok=True)

    def entries(self) -> tuple[Entry, ...]:
        """As `Outbox.entries`."""
        found: list[Entry] = []
        self.unreadable = 0
        for path in self._folder.glob(f"*{_SUFFIX}"):
            try:
                found.append(self._read(path))
            except Dm3Error:
                self.unreadable += 1
        return tuple(sorted(found, key=_age))

    def _read(self, path: Path) -> Entry:
        content = read_private(path, max_bytes=MAX_ENTRY_BYTES)
        try:
            return Entry.parse(parse_json(self._box.decrypt(content)))
        except (CryptoError, ValueError):
            raise Undecryptable from None

    def _path(self, entry_id: str) -> Path:
        return self._folder / f"{hashlib.sha256(entry_id.encode()).hexdigest()[:32]}{_SUFFIX}"


def _age(entry: Entry) -> tuple[int, str]:
    return entry.created_at_ms, entry.id


def _sealed(value: JsonValue) -> Sealed:
    match value:
        case {"receiverKey": str(receiver_key), "serviceKey": str(service_key), "envelope": dict(envelope)}:
            return Sealed(receiver_key, service_key, envelope)
    raise InvalidMessage("The kept message is not complete.")


def _outbox_key(identity: Identity) -> bytes:
    secret = decode_base64(identity.keys.storage_key)
    return hashlib.blake2b(
        b"outbox", key=secret[:64], person=b"dm3 sdk", digest_size=SecretBox.KEY_SIZE
    ).digest()
