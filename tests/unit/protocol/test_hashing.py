from __future__ import annotations

import hashlib

import pytest

from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.hashing import eip191_hash, keccak256, sha256_canonical, sha256_hex


def test_sha256() -> None:
    assert sha256_hex("é") == "0x" + hashlib.sha256("é".encode()).hexdigest()
    assert sha256_canonical({"b": 1.0, "a": None}) == sha256_hex('{"a":null,"b":1}')
    with pytest.raises(InvalidEncoding):
        sha256_hex("\ud800")


def test_keccak256_is_not_sha3() -> None:
    # The well-known hash of nothing (Yellow Paper).
    assert keccak256(b"").hex() == "c5d2460186f7233c927e7db2dcc703c0e500b653ca82273b7bfad8045d85a470"
    assert keccak256(b"") != hashlib.sha3_256(b"").digest()


def test_eip191_counts_bytes() -> None:
    assert eip191_hash("é") == keccak256(b"\x19Ethereum Signed Message:\n2" + "é".encode())
