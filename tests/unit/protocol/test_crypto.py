from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.crypto import (
    KEY_BYTES,
    PADDING_BYTES,
    EncryptedValue,
    KeyPair,
    SealedValue,
    decrypt,
    encrypt,
    encryption_key_pair,
    pad,
    receiver_session_keys,
    seal,
    seal_for,
    sender_session_keys,
    signing_key_pair,
    unpad,
    unseal,
)
from chalicelib.protocol.encoding import decode_base64, encode_base64
from chalicelib.protocol.errors import InvalidEncoding, Undecryptable
from chalicelib.protocol.json_types import JsonValue
from tests.unit.protocol.people import BOB_ENCRYPTION, STRANGER_ENCRYPTION
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses, bent, values
from tests.vectors.entropy import CountingEntropy

KEY = encode_base64(bytes(range(32)))
NONCE = bytes(range(12))
LOW_ORDER = encode_base64(bytes(32))
SEALED = seal_for("hello", BOB_ENCRYPTION.public_key, CountingEntropy())


@settings(deadline=None, max_examples=50)
@given(st.text(max_size=100), st.integers(1, 64), st.binary(min_size=32, max_size=32))
def test_what_is_sealed_can_be_opened_by_its_receiver_only(text: str, padding: int, seed: bytes) -> None:
    ephemeral = encryption_key_pair(seed)
    sealed = seal(text, BOB_ENCRYPTION.public_key, ephemeral=ephemeral, nonce=NONCE, padding=padding)
    assert unseal(SealedValue.parse(sealed.to_text()), BOB_ENCRYPTION, padding=padding) == text
    with pytest.raises(Undecryptable):
        unseal(sealed, STRANGER_ENCRYPTION, padding=padding)


def test_the_length_is_hidden_in_blocks() -> None:
    entropy = CountingEntropy()
    lengths = {
        len(decode_base64(seal_for("x" * length, BOB_ENCRYPTION.public_key, entropy).ciphertext))
        for length in (0, 1, PADDING_BYTES - 1)
    }
    assert lengths == {PADDING_BYTES + 16}


def test_two_seals_of_the_same_text_differ() -> None:
    entropy = CountingEntropy()
    one, two = (seal_for("x", BOB_ENCRYPTION.public_key, entropy) for _ in range(2))
    assert one.ephem_public_key != two.ephem_public_key
    assert one.ciphertext != two.ciphertext


@settings(deadline=None, max_examples=100)
@given(st.binary(max_size=100), st.integers(1, 40))
def test_padding(data: bytes, block_bytes: int) -> None:
    padded = pad(data, block_bytes)
    assert len(padded) % block_bytes == 0
    assert len(data) < len(padded) <= len(data) + block_bytes
    assert unpad(padded, block_bytes) == data


@pytest.mark.parametrize("size", [0, -1])
def test_blocks_have_a_size(size: int) -> None:
    with pytest.raises(InvalidEncoding):
        pad(b"", size)
    with pytest.raises(InvalidEncoding):
        unpad(b"\x80", size)


@pytest.mark.parametrize("padded", [b"", b"\0\0\0\0", b"abcd", b"\x80\0\0\0\0\0\0\0", b"\x80\0"])
def test_padding_without_a_barrier_in_the_last_block(padded: bytes) -> None:
    with pytest.raises(Undecryptable):
        unpad(padded, 4)


def test_keys_have_a_length() -> None:
    for seed in (b"", bytes(31), bytes(33)):
        for make in (encryption_key_pair, signing_key_pair):
            with pytest.raises(InvalidEncoding):
                make(seed)
    with pytest.raises(InvalidEncoding):
        encrypt(encode_base64(bytes(31)), "x", nonce=NONCE)
    with pytest.raises(InvalidEncoding):
        encrypt(KEY, "x", nonce=bytes(11))


@pytest.mark.parametrize("exchange", [sender_session_keys, receiver_session_keys])
@pytest.mark.parametrize("public_key", ["", "AAAA", LOW_ORDER])
def test_public_keys_that_give_no_secret_are_refused(exchange: type, public_key: str) -> None:
    with pytest.raises(InvalidEncoding):
        exchange(BOB_ENCRYPTION, public_key)


def test_both_sides_have_the_same_session_keys() -> None:
    sender = sender_session_keys(STRANGER_ENCRYPTION, BOB_ENCRYPTION.public_key)
    receiver = receiver_session_keys(BOB_ENCRYPTION, STRANGER_ENCRYPTION.public_key)
    assert (sender.tx, sender.rx) == (receiver.rx, receiver.tx)
    assert len(decode_base64(sender.tx)) == KEY_BYTES


@pytest.mark.parametrize("place", [0, 100, -1])
def test_an_altered_ciphertext_is_refused(place: int) -> None:
    data = bytearray(decode_base64(SEALED.ciphertext))
    data[place] ^= 1
    altered = SealedValue(encode_base64(bytes(data)), SEALED.nonce, SEALED.ephem_public_key)
    with pytest.raises(Undecryptable):
        unseal(altered, BOB_ENCRYPTION)


@pytest.mark.parametrize("ciphertext", ["", "AAAA"])
def test_a_ciphertext_without_a_tag_is_refused(ciphertext: str) -> None:
    with pytest.raises(Undecryptable):
        decrypt(KEY, EncryptedValue(ciphertext, SEALED.nonce))


@settings(deadline=None, max_examples=100)
@given(TEXTS | values(["ciphertext", "nonce", "ephemPublicKey"]).map(str))
def test_any_text_is_a_sealed_value_or_refused(text: str) -> None:
    accepts_or_refuses(lambda: SealedValue.parse(text))


@settings(deadline=None, max_examples=100)
@given(bent(SEALED.to_json()))
def test_any_sealed_value_is_opened_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: unseal(SealedValue.from_json(value), BOB_ENCRYPTION))


@settings(deadline=None, max_examples=50)
@given(TEXTS, TEXTS)
def test_any_keys_are_used_or_refused(public_key: str, private_key: str) -> None:
    accepts_or_refuses(lambda: seal_for("x", public_key, CountingEntropy()))
    accepts_or_refuses(lambda: unseal(SEALED, KeyPair(public_key, private_key)))
