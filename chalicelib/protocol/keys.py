"""The keys of a profile, derived from a signature of the wallet.

Source: reference `crypto/KeyCreation.ts` and `profile/createProfileKeys.ts` (dm3 specification, "Encryption
and signing key derivation"). The wallet signs a fixed text; the SHA-256 of that signature is the storage key,
and the seed of the encryption and the signing key pair. Losing the keys is therefore no loss: the wallet
makes the same again.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from hashlib import sha256

from chalicelib.protocol.crypto import KeyPair, encryption_key_pair, signing_key_pair
from chalicelib.protocol.encoding import decode_base64, encode_base64, utf8
from chalicelib.protocol.hashing import sha256_hex
from chalicelib.protocol.wallet import checksum_address

DEFAULT_NONCE = sha256_hex("dm3_default_nonce")

_STORAGE_KEY_TEXT = """\
dm3.chat wants you to sign in with your Ethereum account:
{address}

Connect the DM3 MESSENGER with your wallet. Keys for secure communication are derived from this signature.

(There is no paid transaction initiated. The signature is used off-chain only.)

URI: https://dm3.chat
Version: 1
Nonce: {nonce}"""


@dataclass(frozen=True, slots=True)
class ProfileKeys:
    """All keys of a profile; `storage_key` is base64, `nonce` stands in the creation message."""

    encryption: KeyPair
    signing: KeyPair
    storage_key: str = field(repr=False)
    nonce: str


def storage_key_creation_message(nonce: str, address: str) -> str:
    """The text a wallet signs to make its storage key. Raises `InvalidEncoding` for a bad `address`."""
    return _STORAGE_KEY_TEXT.format(address=checksum_address(address), nonce=nonce)


def storage_key(signature: str) -> str:
    """The storage key (base64, 32 bytes) of the wallet's `signature` text over the creation message.

    Raises `InvalidEncoding` for a lone high surrogate.
    """
    return encode_base64(sha256(utf8(signature)).digest())


def profile_keys(storage_key: str, nonce: str = DEFAULT_NONCE) -> ProfileKeys:
    """The keys of a profile. Raises `InvalidEncoding` if `storage_key` is not base64 of 32 bytes."""
    seed = decode_base64(storage_key)
    return ProfileKeys(encryption_key_pair(seed), signing_key_pair(seed), storage_key, nonce)
