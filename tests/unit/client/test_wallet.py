from __future__ import annotations

import pytest
from eth_account import Account
from eth_account.messages import encode_defunct

from chalicelib.client.wallet import Wallet
from chalicelib.protocol.errors import InvalidEncoding
from tests.unit.client.world import SeededChance

KEY = "0x4c0883a69102937d6231471b5dbb6204fe5129617082792ae468d01a3f362318"


@pytest.mark.parametrize("text", [KEY, KEY[2:], KEY.upper().replace("0X", "0x"), f"  {KEY}\n"])
def test_a_key_in_any_spelling(text: str) -> None:
    wallet = Wallet.parse(text)
    assert wallet.private_key == KEY
    assert wallet.address == Account.from_key(KEY).address


@pytest.mark.parametrize("text", ["", "0x", KEY[:-1], KEY + "0", "g" * 64, "00" * 32, "ff" * 32])
def test_what_is_no_key(text: str) -> None:
    with pytest.raises(InvalidEncoding):
        Wallet.parse(text)


def test_it_signs_as_other_wallets_do() -> None:
    signature = Wallet.parse(KEY).sign("hello ✓")
    assert (
        Account.recover_message(encode_defunct(text="hello ✓"), signature=signature)
        == Wallet.parse(KEY).address
    )


def test_a_new_one_is_of_the_given_randomness_and_its_key_is_not_shown() -> None:
    wallet = Wallet.create(SeededChance())
    assert wallet == Wallet.create(SeededChance())
    assert wallet != Wallet.create(SeededChance("other"))
    assert wallet.private_key not in repr(wallet)
