from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.encoding import decode_hex, encode_hex
from chalicelib.protocol.errors import InvalidEncoding, InvalidSignature
from chalicelib.protocol.wallet import (
    checksum_address,
    is_address,
    recover_address,
    sign_text,
    wallet_address,
)
from tests.unit.protocol.people import WALLET
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses

ADDRESS = "0x477DC1786cD3dea5E797b20f411251A2B7c6e69d"
# As the vectors have it: an address in the form of ICAP.
ICAP = "XE7338O073KYGTWWZN0F2WZ0R8PX5ZPPZS"


@settings(deadline=None, max_examples=15)
@given(st.binary(min_size=32, max_size=32).filter(any), st.text(max_size=20))
def test_eth_account_agrees(private_key: bytes, text: str) -> None:
    theirs = Account.from_key(private_key)
    assert wallet_address(private_key) == theirs.address
    signature = sign_text(private_key, text)
    assert decode_hex(signature) == bytes(theirs.sign_message(encode_defunct(text=text)).signature)
    assert recover_address(text, signature) == theirs.address


def test_every_form_of_an_address() -> None:
    for form in (ADDRESS, ADDRESS.lower(), ADDRESS[2:], "0x" + ADDRESS[2:].upper()):
        assert checksum_address(form) == ADDRESS
    assert checksum_address(ICAP) == "0x00c5496aEe77C1bA1f0854206A26DdA82a81D6D8"


@pytest.mark.parametrize(
    "text",
    [
        *["", "0x", ADDRESS[:-1], ADDRESS + "0", ADDRESS.replace("D", "d"), "0x" + "g" * 40, "alice.eth"],
        *[ICAP.replace("XE73", "XE74"), "XE98" + "Z" * 31],
    ],
)
def test_what_is_no_address(text: str) -> None:
    assert not is_address(text)
    with pytest.raises(InvalidEncoding):
        checksum_address(text)


def test_every_form_of_a_signature() -> None:
    full = decode_hex(sign_text(WALLET, "text"))
    address = wallet_address(WALLET)
    parity = full[64] - 27
    compact = full[:32] + bytes([full[32] | parity << 7]) + full[33:64]
    for form in (full, full[:64] + bytes([parity]), full[:64] + bytes([37 + parity]), compact):
        assert recover_address("text", encode_hex(form)) == address
    assert recover_address("other", encode_hex(full)) != address


@pytest.mark.parametrize(
    "signature",
    [
        "",
        "0x",
        "0x1234",
        "0x" + "00" * 65,
        "0x" + "ff" * 64 + "1b",
        "0x" + "11" * 64 + "02",
        "0x" + "11" * 66,
    ],
)
def test_what_is_no_signature(signature: str) -> None:
    with pytest.raises(InvalidSignature):
        recover_address("text", signature)


@pytest.mark.parametrize("key", [b"", bytes(32), b"\xff" * 32, bytes(33)])
def test_what_is_no_private_key(key: bytes) -> None:
    with pytest.raises(InvalidEncoding):
        sign_text(key, "text")
    with pytest.raises(InvalidEncoding):
        wallet_address(key)


@settings(deadline=None, max_examples=100)
@given(TEXTS, TEXTS | st.binary(min_size=64, max_size=65).map(encode_hex))
def test_any_signature_is_recovered_or_refused(text: str, signature: str) -> None:
    accepts_or_refuses(lambda: recover_address(text, signature))
    accepts_or_refuses(lambda: checksum_address(text))


@settings(deadline=None, max_examples=100)
@given(st.from_regex(r"\A(XE[0-9]{2}[0-9A-Za-z]{30,31}|(0x)?[0-9a-fA-F]{40})\Z"))
def test_anything_like_an_address_is_read_or_refused(text: str) -> None:
    accepts_or_refuses(lambda: checksum_address(text))
