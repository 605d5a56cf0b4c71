"""Answers about names as JSON, for a memory outside the process."""

from __future__ import annotations

from chalicelib.names.directory import ResolvedName
from chalicelib.protocol.errors import InvalidProfile
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import optional_text, require_object, text_member
from chalicelib.protocol.profile import SignedUserProfile, UserProfile


def resolved_to_json(resolved: ResolvedName) -> JsonObject:
    """`{name, address?, profile?, signature?}`: a signature if it was proven, and no aliases."""
    members: dict[str, JsonValue] = {"name": resolved.name}
    if resolved.address is not None:
        members["address"] = resolved.address
    if resolved.profile is not None:
        members["profile"] = resolved.profile.to_json()
    if resolved.signed is not None:
        members["signature"] = resolved.signed.signature
    return members


def resolved_from_json(value: JsonValue) -> ResolvedName:
    """Inverse of `resolved_to_json`, for what this project wrote itself: nothing is proven again.

    Raises `InvalidProfile` for any other structure.
    """
    members = require_object(value, InvalidProfile)
    profile = UserProfile.parse(members["profile"]) if "profile" in members else None
    signature = optional_text(members, "signature", InvalidProfile)
    return ResolvedName(
        name=text_member(members, "name", InvalidProfile),
        address=optional_text(members, "address", InvalidProfile),
        profile=profile,
        signed=SignedUserProfile(profile, signature) if profile and signature else None,
    )
