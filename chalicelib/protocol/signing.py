"""Signatures by profile keys: Ed25519 over the UTF-8 of a text.

The dm3 specification speaks of ECDSA over SHA-256; everybody on the network signs the text itself with
Ed25519 (libsodium `crypto_sign_detached`), and so do we. Keys and signatures are base64.
"""

from __future__ import annotations

from nacl import bindings
from nacl.exceptions import BadSignatureError

from chalicelib.protocol.encoding import decode_base64, encode_base64, utf8
from chalicelib.protocol.errors import InvalidEncoding

PRIVATE_KEY_BYTES = 64
PUBLIC_KEY_BYTES = 32
SIGNATURE_BYTES = 64


def sign(private_key: str, text: str) -> str:
    """The signature of `text`. The public half inside `private_key` (64 bytes) is used as it stands.

    Raises `InvalidEncoding` for a key of the wrong length or a lone high surrogate.
    """
    key = decode_base64(private_key)
    if len(key) != PRIVATE_KEY_BYTES:
        raise InvalidEncoding("The private signing key has the wrong length.")
    return encode_base64(bindings.crypto_sign(utf8(text), key)[:SIGNATURE_BYTES])


def verify(public_key: str, text: str, signature: str) -> bool:
    """Whether `signature` is that of `text` by the owner of `public_key`.

    Raises `InvalidEncoding` for a key or signature of the wrong length and for a lone high surrogate.
    """
    key, signed = decode_base64(public_key), decode_base64(signature)
    if len(key) != PUBLIC_KEY_BYTES:
        raise InvalidEncoding("The public signing key has the wrong length.")
    if len(signed) != SIGNATURE_BYTES:
        raise InvalidEncoding("The signature has the wrong length.")
    try:
        bindings.crypto_sign_open(signed + utf8(text), key)
    except BadSignatureError:
        return False
    return True
