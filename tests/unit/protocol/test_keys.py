from __future__ import annotations

import pytest

from chalicelib.protocol.crypto import sender_session_keys
from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.keys import (
    DEFAULT_NONCE,
    profile_keys,
    storage_key,
    storage_key_creation_message,
)
from chalicelib.protocol.signing import sign, verify
from chalicelib.protocol.wallet import sign_text, wallet_address
from tests.unit.protocol.people import BOB_ENCRYPTION, WALLET


def test_a_wallet_makes_the_same_keys_again() -> None:
    text = storage_key_creation_message(DEFAULT_NONCE, wallet_address(WALLET))
    one, two = (profile_keys(storage_key(sign_text(WALLET, text))) for _ in range(2))
    assert one == two
    assert verify(one.signing.public_key, "x", sign(one.signing.private_key, "x"))


def test_another_nonce_makes_other_keys() -> None:
    texts = [storage_key_creation_message(nonce, wallet_address(WALLET)) for nonce in ("1", "2")]
    keys = [profile_keys(storage_key(sign_text(WALLET, text))) for text in texts]
    assert keys[0].encryption != keys[1].encryption


def test_the_nonce_may_hold_braces() -> None:
    assert storage_key_creation_message("{address}", wallet_address(WALLET)).endswith("Nonce: {address}")


def test_keys_do_not_show_what_is_secret() -> None:
    keys = profile_keys(storage_key("signature"))
    session = sender_session_keys(keys.encryption, BOB_ENCRYPTION.public_key)
    shown = repr(keys) + str(session)
    assert keys.signing.public_key in shown
    for secret in (keys.signing.private_key, keys.encryption.private_key, keys.storage_key, session.tx):
        assert secret not in shown


def test_what_is_no_storage_key_or_address() -> None:
    with pytest.raises(InvalidEncoding):
        profile_keys("AAAA")
    with pytest.raises(InvalidEncoding):
        storage_key_creation_message("1", "alice.eth")
