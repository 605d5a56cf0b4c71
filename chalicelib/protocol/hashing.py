"""The hashes of dm3: SHA-256 of texts and values, Keccak-256 where Ethereum asks for it.

Sources: dm3 specification, "Message transport" (`sha256( safe-stable-stringify( … ) )`); EIP-191, version
0x45. Hashes of dm3 are written `0x` and lower-case hex.
"""

from __future__ import annotations

from hashlib import sha256

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.encoding import utf8
from chalicelib.protocol.json_types import JsonValue


def sha256_hex(text: str) -> str:
    """`0x` and the SHA-256 of `text` in UTF-8. Raises `InvalidEncoding` for a lone high surrogate."""
    return "0x" + sha256(utf8(text)).hexdigest()


def sha256_canonical(value: JsonValue) -> str:
    """`0x` and the SHA-256 of the canonical JSON of `value`. Raises `InvalidEncoding` as `canonicalize`."""
    return sha256_hex(canonicalize(value))


def keccak256(data: bytes) -> bytes:
    """Keccak-256 (32 bytes) as Ethereum uses it: not SHA3-256, whose padding differs."""
    # Here, since it starts a parser of C that takes a tenth of a second, and many requests need no Keccak.
    from Crypto.Hash import keccak

    return keccak.new(digest_bits=256, data=data).digest()


def eip191_hash(text: str) -> bytes:
    """What a wallet signs for `text`: the Keccak-256 of the personal message (EIP-191, version 0x45).

    Raises `InvalidEncoding` for a lone high surrogate.
    """
    data = utf8(text)
    return keccak256(b"\x19Ethereum Signed Message:\n%d" % len(data) + data)
