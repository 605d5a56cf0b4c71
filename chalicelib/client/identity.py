"""Who the user of the SDK is: a name, an address, and the profile keys that follow from the wallet.

Specification: dm3 message transport, "Registry"; the keys derive from one wallet signature (WIRE, "Keys"), so
the same wallet always gives the same keys. The wallet itself is only ever a callable that signs a text.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Self

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidProfile, InvalidSignature
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.keys import (
    DEFAULT_NONCE,
    ProfileKeys,
    profile_keys,
    storage_key,
    storage_key_creation_message,
)
from chalicelib.protocol.profile import (
    SignedUserProfile,
    UserProfile,
    profile_creation_message,
    profile_signer,
)
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.protocol.wallet import checksum_address

Signer = Callable[[str], str]
"""A wallet: returns its EIP-191 signature (`0x` and 130 hex digits) over a text ("personal_sign")."""


@dataclass(frozen=True, slots=True)
class Identity:
    """One person's name and keys. `signed_profile` is what is published at ENS and at the relay."""

    name: str
    address: str
    keys: ProfileKeys = field(repr=False)
    signed_profile: SignedUserProfile

    @classmethod
    def create(
        cls,
        name: str,
        address: str,
        signer: Signer,
        delivery_services: Sequence[str],
        *,
        nonce: str = DEFAULT_NONCE,
    ) -> Self:
        """Derive the keys and sign a profile: the wallet signs two texts.

        `delivery_services` are ENS names, the preferred one first. Raises InvalidName, InvalidEncoding (the
        address), InvalidSignature (the wallet is not the one of `address`).
        """
        address = checksum_address(address)
        signature = signer(storage_key_creation_message(nonce, address))
        keys = profile_keys(storage_key(signature), nonce)
        return cls._with_profile(normalize(name), address, keys, signer, delivery_services)

    def with_delivery_services(self, signer: Signer, delivery_services: Sequence[str]) -> Self:
        """The same keys under a new profile, which the wallet signs. Raises as `create`."""
        return self._with_profile(self.name, self.address, self.keys, signer, delivery_services)

    @classmethod
    def _with_profile(
        cls, name: str, address: str, keys: ProfileKeys, signer: Signer, delivery_services: Sequence[str]
    ) -> Self:
        profile = UserProfile(
            public_encryption_key=keys.encryption.public_key,
            public_signing_key=keys.signing.public_key,
            delivery_services=tuple(normalize(service) for service in delivery_services),
        )
        signed = SignedUserProfile(profile, signer(profile_creation_message(profile, address)))
        if not profile_signer(signed, address):
            raise InvalidSignature("The wallet that signs is not the one of the address.")
        return cls(name, address, keys, signed)

    @property
    def delivery_services(self) -> tuple[str, ...]:
        """Names of the delivery services that take mail for this person."""
        return self.signed_profile.profile.delivery_services

    def profile_record(self) -> str:
        """The text to publish at ENS under `network.dm3.profile`."""
        return data_uri(self.signed_profile.to_json())

    def to_json(self) -> JsonObject:
        """Everything, secrets included: what a key file holds, encrypted."""
        return {
            "name": self.name,
            "address": self.address,
            "storageKey": self.keys.storage_key,
            "nonce": self.keys.nonce,
            "signedProfile": self.signed_profile.to_json(),
        }

    @classmethod
    def parse(cls, value: JsonValue) -> Self:
        """Inverse of `to_json`. Raises InvalidProfile, InvalidName or InvalidEncoding."""
        members = value if isinstance(value, dict) else {}
        name, address, secret, nonce = (
            _text(members, key) for key in ("name", "address", "storageKey", "nonce")
        )
        keys = profile_keys(secret, nonce)
        signed = SignedUserProfile.parse(members.get("signedProfile"))
        if signed.profile.public_encryption_key != keys.encryption.public_key:
            raise InvalidProfile("The profile does not belong to the keys.")
        return cls(normalize(name), checksum_address(address), keys, signed)


def _text(members: JsonObject, key: str) -> str:
    value = members.get(key)
    if not isinstance(value, str):
        raise InvalidProfile("The keys are incomplete.")
    return value
