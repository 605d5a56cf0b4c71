from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from web3 import Web3

from chalicelib.client.amounts import eth, parse_eth
from chalicelib.protocol.errors import InvalidInput


@pytest.mark.parametrize(
    ("wei", "text"),
    [
        (0, "0 ETH"),
        (1, "0.000000000000000001 ETH"),
        (10**16, "0.01 ETH"),
        (10**18, "1 ETH"),
        (15 * 10**17, "1.5 ETH"),
        (10**24 + 1, "1000000.000000000000000001 ETH"),
    ],
)
def test_an_amount_for_people(wei: int, text: str) -> None:
    assert eth(wei) == text


@given(st.integers(0, 2**256 - 1))
def test_what_is_shown_is_exact(wei: int) -> None:
    digits = eth(wei).removesuffix(" ETH")
    assert parse_eth(digits) == wei == Web3.to_wei(digits, "ether")


@pytest.mark.parametrize(
    "text",
    ["", "1 ETH", "-1", "+1", ".5", "1.", "1e18", "0x1", "1,5", "1." + "0" * 19, "\u0661", "1\n", "9" * 99],
)
def test_what_is_no_amount_is_refused(text: str) -> None:
    with pytest.raises(InvalidInput):
        parse_eth(text)
