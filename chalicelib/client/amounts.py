"""Amounts of ether as people write them. Source: 1 ETH is 10^18 wei (Ethereum Yellow Paper, section 2.1)."""

from __future__ import annotations

import re
from typing import Final

from chalicelib.protocol.errors import InvalidInput

WEI_DIGITS: Final = 18
_ETH: Final = re.compile(rf"([0-9]{{1,60}})(?:\.([0-9]{{1,{WEI_DIGITS}}}))?")


def eth(wei: int) -> str:
    """An amount in ETH, exact and without zeros at its end: `0.01 ETH`."""
    whole, rest = divmod(wei, 10**WEI_DIGITS)
    digits = f"{rest:0{WEI_DIGITS}}".rstrip("0")
    return f"{whole}.{digits} ETH" if digits else f"{whole} ETH"


def parse_eth(text: str) -> int:
    """The wei of an amount in ETH, such as `0.01`. Raises InvalidInput."""
    match = _ETH.fullmatch(text)
    if match is None:
        raise InvalidInput("An amount of ETH is a decimal number with at most 18 digits after the point.")
    return int(match[1]) * 10**WEI_DIGITS + int((match[2] or "").ljust(WEI_DIGITS, "0"))
