"""Keys at rest: a file that opens with a passphrase only.

    {"format": "dm3-keys-1", "operations": …, "memory": … (bytes), "salt": base64, "box": base64}

`box` is XSalsa20-Poly1305 (libsodium "secretbox", nonce first) over the JSON of the identity, under a key
that Argon2id makes of the passphrase. Work and memory stand in the file, so that they can be raised; what a
file may ask for is bounded, since files come from elsewhere too.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Self, TypeGuard

from nacl.exceptions import CryptoError
from nacl.pwhash import argon2id
from nacl.secret import SecretBox

from chalicelib.client.identity import Identity
from chalicelib.client.private_files import read_private, write_private
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.encoding import decode_base64, encode_base64
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import Dm3Error, InvalidInput, ParseError, Undecryptable
from chalicelib.protocol.json_types import JsonObject, JsonValue

FORMAT: Final = "dm3-keys-1"
MAX_FILE_BYTES: Final = 65_536


@dataclass(frozen=True, slots=True)
class Cost:
    """What one guess of the passphrase costs: passes over `memory_bytes` of memory."""

    operations: int = argon2id.OPSLIMIT_MODERATE
    memory_bytes: int = argon2id.MEMLIMIT_MODERATE

    def is_bearable(self) -> bool:
        """Whether opening a file of this cost is possible, and takes seconds at most."""
        return (
            argon2id.OPSLIMIT_MIN <= self.operations <= 6
            and argon2id.MEMLIMIT_MIN <= self.memory_bytes <= argon2id.MEMLIMIT_MODERATE
        )


@dataclass(frozen=True, slots=True)
class StoredKeys:
    """What a key file holds. `wallet_key` is the wallet's private key, if the owner wants it kept there."""

    identity: Identity
    wallet_key: str | None = field(default=None, repr=False)

    def to_json(self) -> JsonObject:
        """Everything, secrets included."""
        value: JsonObject = {"identity": self.identity.to_json()}
        return value if self.wallet_key is None else {**value, "walletKey": self.wallet_key}

    @classmethod
    def parse(cls, value: JsonValue) -> Self:
        """Inverse of `to_json`. Raises InvalidProfile, InvalidName or InvalidEncoding."""
        members = value if isinstance(value, Mapping) else {}
        wallet_key = members.get("walletKey")
        identity = Identity.parse(members.get("identity"))
        return cls(identity, wallet_key if isinstance(wallet_key, str) else None)


def seal_keys(keys: StoredKeys, passphrase: str, entropy: Entropy, cost: Cost | None = None) -> bytes:
    """The content of a key file. Raises InvalidInput for an empty passphrase."""
    if not passphrase:
        raise InvalidInput("The passphrase is empty.")
    cost = cost or Cost()
    salt, nonce = entropy.token(argon2id.SALTBYTES), entropy.token(SecretBox.NONCE_SIZE)
    box = _box(passphrase, salt, cost).encrypt(canonicalize(keys.to_json()).encode(), nonce)
    members: JsonObject = {
        "format": FORMAT,
        "operations": cost.operations,
        "memory": cost.memory_bytes,
        "salt": encode_base64(salt),
        "box": encode_base64(bytes(box)),
    }
    return canonicalize(members).encode() + b"\n"


def open_keys(content: bytes, passphrase: str) -> StoredKeys:
    """The keys in the content of a key file.

    Raises InvalidInput if it is no key file, Undecryptable if the passphrase is wrong.
    """
    cost, salt, box = _parts(content)
    try:
        value = parse_json(_box(passphrase, salt, cost).decrypt(box))
    except (CryptoError, ParseError):
        raise Undecryptable("The passphrase is wrong, or the key file is damaged.") from None
    return StoredKeys.parse(value)


def save_keys(
    path: Path,
    keys: StoredKeys,
    passphrase: str,
    entropy: Entropy,
    *,
    cost: Cost | None = None,
    replace: bool = False,
) -> None:
    """Write a key file (mode 0600). Raises InvalidInput if it exists and may not be replaced."""
    write_private(path, seal_keys(keys, passphrase, entropy, cost), replace=replace)


def load_keys(path: Path, passphrase: str) -> StoredKeys:
    """Read a key file. Raises as `open_keys`, and InvalidInput if there is no such file."""
    return open_keys(read_private(path, max_bytes=MAX_FILE_BYTES), passphrase)


def _parts(content: bytes) -> tuple[Cost, bytes, bytes]:
    try:
        members = parse_json(content)
        if not isinstance(members, dict) or members.get("format") != FORMAT:
            raise InvalidInput
        operations, memory, salt, box = (members[key] for key in ("operations", "memory", "salt", "box"))
        if not (
            _is_whole(operations) and _is_whole(memory) and isinstance(salt, str) and isinstance(box, str)
        ):
            raise InvalidInput
        cost = Cost(operations, memory)
        salt_bytes, box_bytes = decode_base64(salt), decode_base64(box)
    except (Dm3Error, KeyError):
        raise InvalidInput("This is not a dm3 key file.") from None
    if len(salt_bytes) != argon2id.SALTBYTES or not cost.is_bearable():
        raise InvalidInput("The key file has settings that cannot be used.")
    return cost, salt_bytes, box_bytes


def _is_whole(value: object) -> TypeGuard[int]:
    return isinstance(value, int) and not isinstance(value, bool)


def _box(passphrase: str, salt: bytes, cost: Cost) -> SecretBox:
    key = argon2id.kdf(
        SecretBox.KEY_SIZE,
        passphrase.encode("utf-8", "surrogatepass"),
        salt,
        opslimit=cost.operations,
        memlimit=cost.memory_bytes,
    )
    return SecretBox(key)
