from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import InvalidEncoding, InvalidProfile, InvalidSignature
from chalicelib.protocol.hashing import sha256_hex
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.profile import (
    DeliveryServiceProfile,
    SignedUserProfile,
    UserProfile,
    profile_creation_message,
    profile_hash,
    profile_signer,
)
from chalicelib.protocol.wallet import sign_text, wallet_address
from tests.unit.protocol.people import WALLET
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses, bent, values

ADDRESS = wallet_address(WALLET)
PROFILE = UserProfile("encryption", "signing", ("ds.eth", "other.eth"), {"later": [1]})
SIGNED = SignedUserProfile(PROFILE, sign_text(WALLET, profile_creation_message(PROFILE, ADDRESS)))
SERVICE = DeliveryServiceProfile("encryption", "signing", "https://ds.example", {"later": 1})


def test_profiles_come_back_with_what_is_unknown() -> None:
    assert UserProfile.parse(PROFILE.to_json()) == PROFILE
    assert SignedUserProfile.parse(SIGNED.to_json()) == SIGNED
    assert DeliveryServiceProfile.parse(SERVICE.to_json()) == SERVICE


def test_the_wallet_signs_every_member() -> None:
    assert profile_signer(SIGNED, ADDRESS)
    assert profile_signer(SIGNED, ADDRESS.lower())
    assert not profile_signer(SIGNED, "0x" + "11" * 20)
    without = UserProfile("encryption", "signing", ("ds.eth", "other.eth"))
    assert not profile_signer(SignedUserProfile(without, SIGNED.signature), ADDRESS)


def test_what_can_be_no_signature_or_address_is_refused() -> None:
    with pytest.raises(InvalidSignature):
        profile_signer(SignedUserProfile(PROFILE, "0x"), ADDRESS)
    with pytest.raises(InvalidEncoding):
        profile_signer(SIGNED, "alice.eth")


def test_a_signed_profile_has_two_members() -> None:
    with pytest.raises(InvalidProfile):
        SignedUserProfile.parse({**SIGNED.to_json(), "x": 1})


def test_the_hash_is_of_the_canonical_text() -> None:
    assert profile_hash(SIGNED.to_json()) == sha256_hex(canonicalize(SIGNED.to_json()))


@settings(deadline=None, max_examples=60)
@given(bent(SIGNED.to_json()), bent(SERVICE.to_json()), values(["profile", "signature"]), TEXTS)
def test_any_value_is_a_profile_or_refused(
    signed: JsonValue, service: JsonValue, other: JsonValue, address: str
) -> None:
    accepts_or_refuses(lambda: profile_signer(SignedUserProfile.parse(signed), ADDRESS))
    accepts_or_refuses(lambda: profile_signer(SIGNED, address))
    accepts_or_refuses(lambda: SignedUserProfile.parse(other))
    for value in (service, other):
        accepts_or_refuses(lambda: DeliveryServiceProfile.parse(value))  # noqa: B023 - called at once
        accepts_or_refuses(lambda: UserProfile.parse(value))  # noqa: B023
