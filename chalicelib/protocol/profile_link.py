"""Profile links: a profile made for one purpose, tied to a main profile or an Ethereum address.

Sources: dm3 specification, "Profile links" (dm3lpp); reference `profile/ProfileLink.ts`, whose text under the
signature this is. A link to a profile is signed with that profile's key, a link to an address by its wallet.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.protocol.canonical import number_text
from chalicelib.protocol.errors import InvalidProfile
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import number_member, require_object, text_member
from chalicelib.protocol.signing import verify
from chalicelib.protocol.wallet import checksum_address, is_address, recover_address

PROFILE_LINK = "ProfileLink"
ADDRESS_LINK = "EthAddressLink"

_TEXT = """\
dm3 Profile Link:
{scope} wants you to link your local dm3 profile with your {target}.

Main ID: {main_id}
Main ID Type: {type}
Linked Profile Name: {linked}
Nonce: {nonce}
Issued At: {issued_at}
Expiration Time: {expiration_time}"""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProfileLink:
    """A link from `linked_profile`, used in `scope_uri`, to `main_id` (a name or an address).

    Times are seconds since 1970, as on the wire; an `expiration_time_s` of None is never.
    """

    type: str
    main_id: str
    linked_profile: str
    scope_uri: str
    issued_at_s: int | float
    expiration_time_s: int | float | None = None
    nonce: int | float = 0

    def signed_text(self) -> str:
        """The text under the signature."""
        expiration = self.expiration_time_s
        return _TEXT.format(
            scope=self.scope_uri,
            target="main dm3 profile" if self.type == PROFILE_LINK else "Ethereum address",
            main_id=self.main_id,
            type=self.type,
            linked=self.linked_profile,
            nonce=number_text(self.nonce),
            issued_at=number_text(self.issued_at_s),
            expiration_time="null" if expiration is None else number_text(expiration),
        )

    def to_json(self) -> JsonObject:
        """`{type, mainId, linkedProfile, scopeUri, issuedAt, expirationTime, nonce}`."""
        return {
            "type": self.type,
            "mainId": self.main_id,
            "linkedProfile": self.linked_profile,
            "scopeUri": self.scope_uri,
            "issuedAt": self.issued_at_s,
            "expirationTime": self.expiration_time_s,
            "nonce": self.nonce,
        }

    @classmethod
    def parse(cls, value: JsonValue) -> ProfileLink:
        """Inverse of `to_json`; other members, which nobody signs, are ignored. Raises `InvalidProfile`."""
        members = require_object(value, InvalidProfile)
        unlimited = members.get("expirationTime") is None
        return cls(
            type=text_member(members, "type", InvalidProfile),
            main_id=text_member(members, "mainId", InvalidProfile),
            linked_profile=text_member(members, "linkedProfile", InvalidProfile),
            scope_uri=text_member(members, "scopeUri", InvalidProfile),
            issued_at_s=number_member(members, "issuedAt", InvalidProfile),
            expiration_time_s=(
                None if unlimited else number_member(members, "expirationTime", InvalidProfile)
            ),
            nonce=number_member(members, "nonce", InvalidProfile),
        )


@dataclass(frozen=True, slots=True)
class SignedProfileLink:
    """A link and the signature of its text: base64 by a profile key, `0x` hex by a wallet."""

    profile_link: ProfileLink
    signature: str

    def to_json(self) -> JsonObject:
        """`{profileLink, signature}`."""
        return {"profileLink": self.profile_link.to_json(), "signature": self.signature}

    @classmethod
    def parse(cls, value: JsonValue) -> SignedProfileLink:
        """Inverse of `to_json`. Raises `InvalidProfile`."""
        members = require_object(value, InvalidProfile)
        return cls(
            ProfileLink.parse(members.get("profileLink")), text_member(members, "signature", InvalidProfile)
        )


def make_profile_link(
    main_id: str,
    linked_profile: str,
    scope_uri: str,
    *,
    issued_at_s: int,
    ttl_s: float | None = None,
    nonce: float = 0,
) -> ProfileLink:
    """A link issued at `issued_at_s`; a `ttl_s` of 0 or None is unlimited."""
    return ProfileLink(
        type=ADDRESS_LINK if is_address(main_id) else PROFILE_LINK,
        main_id=main_id,
        linked_profile=linked_profile,
        scope_uri=scope_uri,
        issued_at_s=issued_at_s,
        expiration_time_s=issued_at_s + ttl_s if ttl_s else None,
        nonce=nonce,
    )


def sign_profile_link(link: ProfileLink, signer: Callable[[str], str]) -> SignedProfileLink:
    """`link`, signed by `signer`: a profile's signing key or a wallet, after `link.type`."""
    return SignedProfileLink(link, signer(link.signed_text()))


def verify_profile_link(signed: SignedProfileLink, public_signing_key: str | None = None) -> bool:
    """Whether whom the link names has signed it. Whether it has expired is for the caller to see.

    `public_signing_key` is that of the main profile; a link to an address needs none. Raises `InvalidProfile`
    if it is missing, `InvalidEncoding` or `InvalidSignature` for what can be no key, address or signature.
    """
    link = signed.profile_link
    if link.type != PROFILE_LINK:
        return recover_address(link.signed_text(), signed.signature) == checksum_address(link.main_id)
    if public_signing_key is None:
        raise InvalidProfile("The key of the main profile is needed.")
    return verify(public_signing_key, link.signed_text(), signed.signature)
