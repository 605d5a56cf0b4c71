from __future__ import annotations

import pytest

from chalicelib.client.identity import Identity
from chalicelib.client.wallet import Wallet
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidEncoding,
    InvalidName,
    InvalidProfile,
    InvalidSignature,
)
from chalicelib.protocol.profile import SignedUserProfile, profile_signer
from chalicelib.protocol.profile_uri import InlineProfile, parse_profile_uri
from tests.unit.client.world import wallet_of

ALICE = wallet_of("alice.eth")


def create(name: str = "Alice.eth", address: str = ALICE.address, wallet: Wallet = ALICE) -> Identity:
    return Identity.create(name, address, wallet.sign, ["Relay.eth", "second.eth"])


def test_the_wallet_owns_the_profile() -> None:
    identity = create()
    assert identity.name == "alice.eth"
    assert identity.delivery_services == ("relay.eth", "second.eth")
    assert profile_signer(identity.signed_profile, ALICE.address)


def test_the_same_wallet_makes_the_same_keys() -> None:
    assert create().keys == create("other.eth", ALICE.address.lower()).keys
    other = wallet_of("bob.eth")
    assert create(address=other.address, wallet=other).keys != create().keys


def test_the_record_is_the_signed_profile() -> None:
    identity = create()
    record = parse_profile_uri(identity.profile_record())
    assert isinstance(record, InlineProfile)
    assert SignedUserProfile.parse(record.value) == identity.signed_profile


def test_moving_to_another_delivery_service_keeps_the_keys() -> None:
    moved = create().with_delivery_services(ALICE.sign, ["new.eth"])
    assert moved.keys == create().keys
    assert moved.delivery_services == ("new.eth",)
    assert profile_signer(moved.signed_profile, ALICE.address)


def test_a_wallet_that_is_not_the_addresses() -> None:
    with pytest.raises(InvalidSignature):
        create(wallet=wallet_of("mallory.eth"))


def test_a_wallet_that_gives_nonsense() -> None:
    with pytest.raises(InvalidSignature):
        Identity.create("alice.eth", ALICE.address, lambda _: "no", [])


def test_a_bad_name_and_a_bad_address() -> None:
    with pytest.raises(InvalidName):
        create(name="not a name")
    with pytest.raises(InvalidEncoding):
        create(address="0x12")


def test_it_comes_back_as_it_was() -> None:
    assert Identity.parse(create().to_json()) == create()


@pytest.mark.parametrize("missing", ["name", "address", "storageKey", "nonce", "signedProfile"])
def test_an_incomplete_one_is_refused(missing: str) -> None:
    members = {name: value for name, value in create().to_json().items() if name != missing}
    with pytest.raises(Dm3Error):
        Identity.parse(members)


def test_a_profile_of_other_keys_is_refused() -> None:
    other = wallet_of("bob.eth")
    foreign = create(address=other.address, wallet=other).signed_profile.to_json()
    with pytest.raises(InvalidProfile):
        Identity.parse({**create().to_json(), "signedProfile": foreign})


def test_secrets_are_not_shown() -> None:
    assert create().keys.signing.private_key not in repr(create())
