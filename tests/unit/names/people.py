"""People with wallets and profile records, for the tests of names. The wallets are eth_account's."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

from eth_account import Account
from eth_account.messages import encode_defunct

from chalicelib.protocol.profile import UserProfile, profile_creation_message


def data_uri(value: Any) -> str:  # noqa: ANN401 - records may be any JSON, also the wrong one
    return "data:application/json," + quote(json.dumps(value))


def profile_json(seed: int) -> dict[str, Any]:
    return {
        "publicEncryptionKey": b64encode(bytes([seed]) * 32).decode(),
        "publicSigningKey": b64encode(bytes([seed + 1]) * 32).decode(),
        "deliveryServices": ["relay.eth"],
    }


@dataclass(frozen=True)
class Person:
    """A wallet and a profile, both from one small number."""

    seed: int

    @property
    def address(self) -> str:
        return str(Account.from_key(self._key).address)

    @property
    def profile(self) -> UserProfile:
        return UserProfile.parse(profile_json(self.seed))

    def bare_record(self) -> str:
        return data_uri(profile_json(self.seed))

    def signed_json(self, address: str | None = None) -> dict[str, Any]:
        """The profile signed by this wallet, for `address` (by default the wallet's own)."""
        text = profile_creation_message(self.profile, address or self.address)
        signed = Account.sign_message(encode_defunct(text=text), self._key)
        return {"profile": profile_json(self.seed), "signature": "0x" + bytes(signed.signature).hex()}

    def signed_record(self) -> str:
        return data_uri(self.signed_json())

    @property
    def _key(self) -> bytes:
        return bytes([self.seed]) * 32


SERVICE = {
    "publicEncryptionKey": b64encode(b"\x07" * 32).decode(),
    "publicSigningKey": b64encode(b"\x08" * 32).decode(),
    "url": "https://relay.example",
}
