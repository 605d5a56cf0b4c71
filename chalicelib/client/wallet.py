"""A wallet whose private key is at hand: for scripts, tests and the command line.

Anything else that signs texts (a browser's wallet, a hardware wallet) takes part as a plain `Signer`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Final, Self

from chalicelib.protocol.entropy import Entropy
from chalicelib.protocol.errors import InvalidEncoding
from chalicelib.protocol.wallet import sign_text, wallet_address

_KEY: Final = re.compile(r"(?:0x)?([0-9a-fA-F]{64})")
_KEY_BYTES: Final = 32


@dataclass(frozen=True, slots=True)
class Wallet:
    """An Ethereum account: checksummed `address` and `private_key` (`0x` and 64 hex digits)."""

    address: str
    private_key: str = field(repr=False)

    @classmethod
    def parse(cls, private_key: str) -> Self:
        """The wallet of a private key in hex, with or without `0x`. Raises InvalidEncoding."""
        match = _KEY.fullmatch(private_key.strip())
        if match is None:
            raise InvalidEncoding("The private key of a wallet has 64 hexadecimal digits.")
        return cls(wallet_address(bytes.fromhex(match[1])), f"0x{match[1].lower()}")

    @classmethod
    def create(cls, entropy: Entropy) -> Self:
        """A new wallet, owning nothing yet."""
        return cls.parse(entropy.token(_KEY_BYTES).hex())

    def sign(self, text: str) -> str:
        """The EIP-191 signature of `text`, as a `Signer` gives it."""
        return sign_text(bytes.fromhex(self.private_key[2:]), text)
