"""People for tests below HTTP: wallets, keys, profiles and messages, made with the protocol package alone."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from chalicelib.protocol.keys import ProfileKeys, profile_keys, storage_key
from chalicelib.protocol.profile import SignedUserProfile, UserProfile, profile_creation_message
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.protocol.wallet import sign_text


class SystemEntropy:
    """Unpredictable bytes, as the protocol's `Entropy` and the relay's `Chance`."""

    def token(self, size_bytes: int) -> bytes:
        return secrets.token_bytes(size_bytes)


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with a name, a wallet and profile keys."""

    name: str
    address: str
    keys: ProfileKeys
    signed_profile: SignedUserProfile

    @classmethod
    def create(cls, name: str, address: str, wallet_key: bytes, delivery_service: str) -> Person:
        """Derive the keys from a wallet and sign a profile that names one delivery service."""
        keys = profile_keys(storage_key(sign_text(wallet_key, "keys for tests")))
        profile = UserProfile(keys.encryption.public_key, keys.signing.public_key, (delivery_service,), {})
        signature = sign_text(wallet_key, profile_creation_message(profile, address))
        return cls(name, address, keys, SignedUserProfile(profile, signature))

    @property
    def record(self) -> str:
        """What stands in the text record `network.dm3.profile`."""
        return data_uri(self.signed_profile.to_json())
