"""Encryption: x25519 key exchange and ChaCha20-Poly1305 (IETF), padded.

Source: dm3 specification, "Message transport", default scheme `x25519-chacha20-poly1305`; what that means
byte for byte is libsodium's `crypto_kx_*`, `crypto_aead_chacha20poly1305_ietf_*` and `sodium_pad` (ISO/IEC
7816-4), as the reference calls them. Keys are base64, nonces `0x` hex of 12 bytes. Randomness comes in as
arguments.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from nacl import bindings
from nacl.exceptions import CryptoError

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.encoding import decode_base64, decode_hex, encode_base64, encode_hex, utf8
from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import InvalidEncoding, ParseError, Undecryptable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object, text_member

SCHEME = "x25519-chacha20-poly1305"
PADDING_BYTES = 2048
KEY_BYTES = 32
NONCE_BYTES = 12
SEED_BYTES = 32
_TAG_BYTES = 16
_BARRIER = b"\x80"


@dataclass(frozen=True, slots=True)
class KeyPair:
    """A key pair in base64: x25519 (32 + 32 bytes) or Ed25519 (32 + 64 bytes). Shows its public half only."""

    public_key: str
    private_key: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class SessionKeys:
    """The two 32-byte keys of one side of a key exchange, base64: `rx` to receive, `tx` to send with."""

    rx: str = field(repr=False)
    tx: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class EncryptedValue:
    """What symmetric encryption makes: ciphertext (base64) and nonce (`0x` hex)."""

    ciphertext: str
    nonce: str


@dataclass(frozen=True, slots=True)
class SealedValue:
    """A text sealed for the owner of an encryption key (`EncryptedPayload` of the reference)."""

    ciphertext: str
    nonce: str
    ephem_public_key: str

    def to_json(self) -> JsonObject:
        """`{ciphertext, nonce, ephemPublicKey}`."""
        return {
            "ciphertext": self.ciphertext,
            "nonce": self.nonce,
            "ephemPublicKey": self.ephem_public_key,
        }

    def to_text(self) -> str:
        """The canonical JSON text, the form that travels inside envelopes."""
        return canonicalize(self.to_json())

    @classmethod
    def parse(cls, text: str) -> SealedValue:
        """Inverse of `to_text`; other members are ignored. Raises `InvalidEncoding`."""
        try:
            value = parse_json(text)
        except ParseError:
            raise InvalidEncoding("A sealed value is not JSON.") from None
        return cls.from_json(value)

    @classmethod
    def from_json(cls, value: JsonValue) -> SealedValue:
        """Inverse of `to_json`; other members are ignored. Raises `InvalidEncoding`."""
        members = require_object(value, InvalidEncoding)
        return cls(
            ciphertext=text_member(members, "ciphertext", InvalidEncoding),
            nonce=text_member(members, "nonce", InvalidEncoding),
            ephem_public_key=text_member(members, "ephemPublicKey", InvalidEncoding),
        )


def encryption_key_pair(seed: bytes) -> KeyPair:
    """The x25519 pair of a 32-byte `seed` (`crypto_kx_seed_keypair`). Raises `InvalidEncoding`."""
    _require_length(seed, SEED_BYTES, "seed")
    public, private = bindings.crypto_kx_seed_keypair(seed)
    return KeyPair(encode_base64(public), encode_base64(private))


def signing_key_pair(seed: bytes) -> KeyPair:
    """The Ed25519 pair of a 32-byte `seed` (`crypto_sign_seed_keypair`). Raises `InvalidEncoding`."""
    _require_length(seed, SEED_BYTES, "seed")
    public, private = bindings.crypto_sign_seed_keypair(seed)
    return KeyPair(encode_base64(public), encode_base64(private))


def sender_session_keys(own: KeyPair, receiver_public_key: str) -> SessionKeys:
    """The sender's side of the exchange (`crypto_kx_client_session_keys`).

    Raises `InvalidEncoding` for keys of the wrong length and for points of low order.
    """
    keys = _key(own.public_key), _key(own.private_key), _key(receiver_public_key)
    try:
        rx, tx = bindings.crypto_kx_client_session_keys(*keys)
    except CryptoError:
        raise InvalidEncoding("A public key cannot be used for encryption.") from None
    return SessionKeys(encode_base64(rx), encode_base64(tx))


def receiver_session_keys(own: KeyPair, sender_public_key: str) -> SessionKeys:
    """The receiver's side of the exchange (`crypto_kx_server_session_keys`). Raises as the sender's side."""
    keys = _key(own.public_key), _key(own.private_key), _key(sender_public_key)
    try:
        rx, tx = bindings.crypto_kx_server_session_keys(*keys)
    except CryptoError:
        raise InvalidEncoding("A public key cannot be used for encryption.") from None
    return SessionKeys(encode_base64(rx), encode_base64(tx))


def encrypt(key: str, plaintext: str, *, nonce: bytes, padding: int = PADDING_BYTES) -> EncryptedValue:
    """`plaintext` under a symmetric `key` (base64, 32 bytes), padded to a multiple of `padding` bytes.

    Raises `InvalidEncoding` for a key, nonce or padding of the wrong size and for a lone high surrogate.
    """
    _require_length(nonce, NONCE_BYTES, "nonce")
    padded = pad(utf8(plaintext), padding)
    ciphertext = bindings.crypto_aead_chacha20poly1305_ietf_encrypt(padded, None, nonce, _key(key))
    return EncryptedValue(encode_base64(ciphertext), encode_hex(nonce))


def decrypt(key: str, value: EncryptedValue, *, padding: int = PADDING_BYTES) -> str:
    """Inverse of `encrypt`.

    Raises `InvalidEncoding` for a key, nonce or padding of the wrong size, and `Undecryptable` if `value` was
    altered, is under another key, or holds no padded UTF-8.
    """
    nonce = decode_hex(value.nonce)
    _require_length(nonce, NONCE_BYTES, "nonce")
    secret = _key(key)
    ciphertext = decode_base64(value.ciphertext)
    if len(ciphertext) < _TAG_BYTES:
        raise Undecryptable
    try:
        padded = bindings.crypto_aead_chacha20poly1305_ietf_decrypt(ciphertext, None, nonce, secret)
        return unpad(padded, padding).decode()
    except (CryptoError, UnicodeDecodeError):
        raise Undecryptable from None


def seal(
    plaintext: str,
    receiver_public_key: str,
    *,
    ephemeral: KeyPair,
    nonce: bytes,
    padding: int = PADDING_BYTES,
) -> SealedValue:
    """`plaintext` sealed for the owner of `receiver_public_key`.

    `ephemeral` is a fresh encryption key pair, `nonce` 12 fresh bytes. Raises `InvalidEncoding`.
    """
    session = sender_session_keys(ephemeral, receiver_public_key)
    encrypted = encrypt(session.tx, plaintext, nonce=nonce, padding=padding)
    return SealedValue(encrypted.ciphertext, encrypted.nonce, ephemeral.public_key)


def seal_for(plaintext: str, receiver_public_key: str, entropy: Entropy) -> SealedValue:
    """`seal` with a fresh key pair and nonce from `entropy`."""
    ephemeral = encryption_key_pair(entropy.token(SEED_BYTES))
    return seal(plaintext, receiver_public_key, ephemeral=ephemeral, nonce=entropy.token(NONCE_BYTES))


def unseal(sealed: SealedValue, receiver: KeyPair, *, padding: int = PADDING_BYTES) -> str:
    """Inverse of `seal`. Raises `InvalidEncoding` and `Undecryptable` as `decrypt`."""
    session = receiver_session_keys(receiver, sealed.ephem_public_key)
    return decrypt(session.rx, EncryptedValue(sealed.ciphertext, sealed.nonce), padding=padding)


def pad(data: bytes, block_bytes: int) -> bytes:
    """`data`, a barrier byte, and zeros up to a multiple of `block_bytes` (ISO/IEC 7816-4, `sodium_pad`)."""
    if block_bytes < 1:
        raise InvalidEncoding("The padding is not a positive number of bytes.")
    return data + _BARRIER + bytes(block_bytes - 1 - len(data) % block_bytes)


def unpad(padded: bytes, block_bytes: int) -> bytes:
    """Inverse of `pad`, as lenient as `sodium_unpad`: the barrier must stand in the last `block_bytes` bytes.

    Raises `Undecryptable` without a barrier, `InvalidEncoding` if `block_bytes` is not positive.
    """
    if block_bytes < 1:
        raise InvalidEncoding("The padding is not a positive number of bytes.")
    data = padded[-block_bytes:].rstrip(b"\0")
    if len(padded) < block_bytes or not data.endswith(_BARRIER):
        raise Undecryptable("The sealed value is not padded.")
    return padded[:-block_bytes] + data[:-1]


def _key(text: str) -> bytes:
    key = decode_base64(text)
    _require_length(key, KEY_BYTES, "key")
    return key


def _require_length(data: bytes, length: int, what: str) -> None:
    if len(data) != length:
        raise InvalidEncoding(f"A {what} has the wrong length.")
