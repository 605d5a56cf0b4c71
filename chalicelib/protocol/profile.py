"""Profiles of users and of delivery services.

Sources: dm3 specification, "Registry" (user profile, delivery service profile); reference
`profile/Profile.ts` (signed profiles, creation message). Members of a profile that are unknown here are kept:
the wallet has signed them too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import InvalidProfile
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import other_members, require_object, text_member, texts_member
from chalicelib.protocol.wallet import checksum_address, recover_address

USER_PROFILE_RECORD = "network.dm3.profile"
DELIVERY_SERVICE_RECORD = "network.dm3.deliveryService"

_USER_MEMBERS = frozenset({"publicEncryptionKey", "publicSigningKey", "deliveryServices"})
_SERVICE_MEMBERS = frozenset({"publicEncryptionKey", "publicSigningKey", "url"})

_SIGNED_MEMBERS = frozenset({"profile", "signature"})

_CREATION_TEXT = """\
dm3.chat wants you register your dm3 profile with your Ethereum account:
{address}

This is required only once!
(There is no paid transaction initiated. The signature is used off-chain only.)

URI: https://dm3.chat
Version: 1
dm3 Profile: {profile}"""


@dataclass(frozen=True, slots=True)
class UserProfile:
    """What a user publishes: keys (base64) and the ENS names of delivery services, the preferred one first.

    `extra` holds members unknown here.
    """

    public_encryption_key: str
    public_signing_key: str
    delivery_services: tuple[str, ...]
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{publicEncryptionKey, publicSigningKey, deliveryServices}` and the unknown members."""
        return {
            **self.extra,
            "publicEncryptionKey": self.public_encryption_key,
            "publicSigningKey": self.public_signing_key,
            "deliveryServices": list(self.delivery_services),
        }

    @classmethod
    def parse(cls, value: JsonValue) -> UserProfile:
        """Inverse of `to_json`; whether the keys can be used is not looked at. Raises `InvalidProfile`."""
        members = require_object(value, InvalidProfile)
        return cls(
            public_encryption_key=text_member(members, "publicEncryptionKey", InvalidProfile),
            public_signing_key=text_member(members, "publicSigningKey", InvalidProfile),
            delivery_services=texts_member(members, "deliveryServices", InvalidProfile),
            extra=other_members(members, _USER_MEMBERS),
        )


@dataclass(frozen=True, slots=True)
class SignedUserProfile:
    """A user profile and the wallet's signature (`0x` hex) over its creation message."""

    profile: UserProfile
    signature: str

    def to_json(self) -> JsonObject:
        """`{profile, signature}`."""
        return {"profile": self.profile.to_json(), "signature": self.signature}

    @classmethod
    def parse(cls, value: JsonValue) -> SignedUserProfile:
        """Inverse of `to_json`, and nothing beside the two members. Raises `InvalidProfile`."""
        members = require_object(value, InvalidProfile)
        if not members.keys() <= _SIGNED_MEMBERS:
            raise InvalidProfile("The signed profile has a member it must not have.")
        return cls(
            profile=UserProfile.parse(members.get("profile")),
            signature=text_member(members, "signature", InvalidProfile),
        )


@dataclass(frozen=True, slots=True)
class DeliveryServiceProfile:
    """What a delivery service publishes: keys (base64) and where it is reached.

    `extra` holds members unknown here.
    """

    public_encryption_key: str
    public_signing_key: str
    url: str
    extra: JsonObject = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{publicEncryptionKey, publicSigningKey, url}` and the unknown members."""
        return {
            **self.extra,
            "publicEncryptionKey": self.public_encryption_key,
            "publicSigningKey": self.public_signing_key,
            "url": self.url,
        }

    @classmethod
    def parse(cls, value: JsonValue) -> DeliveryServiceProfile:
        """Inverse of `to_json`; `url` may be any text. Raises `InvalidProfile`."""
        members = require_object(value, InvalidProfile)
        return cls(
            public_encryption_key=text_member(members, "publicEncryptionKey", InvalidProfile),
            public_signing_key=text_member(members, "publicSigningKey", InvalidProfile),
            url=text_member(members, "url", InvalidProfile),
            extra=other_members(members, _SERVICE_MEMBERS),
        )


def profile_creation_message(profile: UserProfile, address: str) -> str:
    """The text a wallet signs to own `profile`. Raises `InvalidEncoding` for a bad `address`."""
    return creation_text(canonicalize(profile.to_json()), address)


def creation_text(profile_text: str, address: str) -> str:
    """The creation message around the canonical text of a profile. Raises as `profile_creation_message`."""
    return _CREATION_TEXT.format(address=checksum_address(address), profile=profile_text)


def profile_signer(signed: SignedUserProfile, address: str) -> bool:
    """Whether the wallet at `address` has signed the profile.

    Raises `InvalidSignature` for a signature nobody can have made, `InvalidEncoding` for a bad `address`.
    """
    message = profile_creation_message(signed.profile, address)
    return recover_address(message, signed.signature) == checksum_address(address)


def profile_hash(value: JsonObject) -> str:
    """`dm3Hash` of a profile: the SHA-256 (`0x` hex) of the whole object's canonical JSON."""
    return sha256_canonical(value)
