from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.errors import InvalidEncoding, InvalidProfile
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.profile_link import (
    ADDRESS_LINK,
    PROFILE_LINK,
    SignedProfileLink,
    make_profile_link,
    sign_profile_link,
    verify_profile_link,
)
from chalicelib.protocol.signing import sign
from chalicelib.protocol.wallet import sign_text, wallet_address
from tests.unit.protocol.people import ALICE_SIGNING, STRANGER_SIGNING, WALLET
from tests.unit.protocol.strategies import accepts_or_refuses, bent

LINK = make_profile_link("main.eth", "local.eth", "https://app.example", issued_at_s=1_700_000_000, ttl_s=60)
SIGNED = sign_profile_link(LINK, lambda text: sign(ALICE_SIGNING.private_key, text))


def test_a_link_to_a_profile_is_signed_by_its_key() -> None:
    assert LINK.type == PROFILE_LINK
    assert LINK.expiration_time_s == 1_700_000_060
    assert verify_profile_link(SIGNED, ALICE_SIGNING.public_key)
    assert not verify_profile_link(SIGNED, STRANGER_SIGNING.public_key)
    with pytest.raises(InvalidProfile):
        verify_profile_link(SIGNED)


def test_a_link_to_an_address_is_signed_by_its_wallet() -> None:
    link = make_profile_link(wallet_address(WALLET), "local.eth", "app", issued_at_s=1, nonce=7)
    assert link.type == ADDRESS_LINK
    signed = sign_profile_link(link, lambda text: sign_text(WALLET, text))
    assert verify_profile_link(signed)
    assert not verify_profile_link(SignedProfileLink(LINK_TO_NOBODY, signed.signature))


LINK_TO_NOBODY = make_profile_link("0x" + "11" * 20, "local.eth", "app", issued_at_s=1, nonce=7)


def test_links_come_back() -> None:
    for link in (LINK, LINK_TO_NOBODY):
        signed = SignedProfileLink(link, "signature")
        assert SignedProfileLink.parse(signed.to_json()) == signed


def test_a_link_of_another_type_needs_an_address() -> None:
    value = {**SIGNED.profile_link.to_json(), "type": "Other"}
    signed = SignedProfileLink.parse({"profileLink": value, "signature": sign_text(WALLET, "x")})
    with pytest.raises(InvalidEncoding):
        verify_profile_link(signed)


@settings(deadline=None, max_examples=80)
@given(bent(SIGNED.to_json()))
def test_any_link_is_judged_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: verify_profile_link(SignedProfileLink.parse(value), ALICE_SIGNING.public_key))
