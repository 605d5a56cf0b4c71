"""Keyed hashes and sealing: what reaches a store reveals no contacts (DESIGN, decision 10).

Whoever holds a table, its backup or its stream, but not the relay's two secrets, reads neither names nor
addresses nor mail, and cannot test a guess. The index key makes the keys of tables: rotating it takes a
migration. The storage key seals values: each sealed value names its key, so older keys stay readable.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from hashlib import sha256

from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_decrypt as _decrypt,
)
from nacl.bindings import (
    crypto_aead_xchacha20poly1305_ietf_encrypt as _encrypt,
)
from nacl.exceptions import CryptoError

from chalicelib.protocol.errors import Undecryptable
from chalicelib.relay.ports import Chance

KEY_BYTES = 32
_VERSION = b"\x01"
_KEY_ID_BYTES = 4
_NONCE_BYTES = 24
_HEAD_BYTES = len(_VERSION) + _KEY_ID_BYTES


def text_bytes(text: str) -> bytes:
    """UTF-8 of any text that JSON can carry, lone surrogates included."""
    return text.encode("utf-8", "surrogatepass")


class Vault:
    """Keyed hashes (`index`) and authenticated encryption (`seal`, `open`).

    `index_key`, `storage_key` and every one of `older_keys` have 32 bytes. Raises ValueError otherwise.
    """

    def __init__(
        self, index_key: bytes, storage_key: bytes, chance: Chance, *, older_keys: Sequence[bytes] = ()
    ) -> None:
        keys = (storage_key, *older_keys)
        if any(len(key) != KEY_BYTES for key in (index_key, *keys)):
            raise ValueError("a key of the vault has 32 bytes")
        self._index_key = index_key
        self._chance = chance
        self._storage_key = storage_key
        # The id is made from the key, so that operators have nothing to number. The newest key wins a
        # collision of ids, one in four thousand million.
        self._keys = {_key_id(key): key for key in reversed(keys)}

    def index(self, kind: str, *parts: str | bytes) -> bytes:
        """32 bytes: HMAC-SHA-256 over `kind` and `parts`, each with its length before it.

        Different kinds never meet, nor do ("ab", "c") and ("a", "bc").
        """
        mac = hmac.new(self._index_key, digestmod=sha256)
        for part in (kind, *parts):
            data = text_bytes(part) if isinstance(part, str) else part
            mac.update(len(data).to_bytes(8, "big"))
            mac.update(data)
        return mac.digest()

    def seal(self, plain: bytes, context: bytes) -> bytes:
        """Seal `plain` (XChaCha20-Poly1305, random nonce); it opens with the same `context` only."""
        nonce = self._chance.token(_NONCE_BYTES)
        head = _VERSION + _key_id(self._storage_key)
        return head + nonce + bytes(_encrypt(plain, head + context, nonce, self._storage_key))

    def open(self, sealed: bytes, context: bytes) -> bytes:
        """Inverse of `seal`, for the present key and the older ones. Raises Undecryptable."""
        head, rest = sealed[:_HEAD_BYTES], sealed[_HEAD_BYTES:]
        key = self._keys.get(head[1:])
        if key is None or head[:1] != _VERSION:
            raise Undecryptable
        try:
            return bytes(_decrypt(rest[_NONCE_BYTES:], head + context, rest[:_NONCE_BYTES], key))
        except (CryptoError, ValueError):
            raise Undecryptable from None


def _key_id(key: bytes) -> bytes:
    return sha256(b"dm3 storage key id" + key).digest()[:_KEY_ID_BYTES]
