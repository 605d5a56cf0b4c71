"""The published libraries make, publish and submit profiles, and ask the relay what it offers."""

from __future__ import annotations

import json

import pytest

from tests.interop.people import People, RunningRelay
from tests.interop.reference import Reference, ReferenceRefused

pytestmark = pytest.mark.npm


def test_the_relays_own_profile_is_read_from_ens(
    people: People, reference: Reference, relay: RunningRelay
) -> None:
    profile = reference.call("readServiceProfile", name=relay.relay_name)
    assert profile["url"] == relay.url
    assert set(profile) == {"publicEncryptionKey", "publicSigningKey", "url"}


def test_a_profile_is_submitted_and_given_back_as_it_was_signed(people: People, reference: Reference) -> None:
    carol = people.create("carol")
    answered = carol.call("submitProfile")
    assert isinstance(answered, str)
    stored = carol.call("storedProfile")
    assert stored == carol.signed_profile
    assert reference.call("checkProfile", signedProfile=stored, address=carol.address)
    assert reference.call("readProfile", name=carol.name) == stored


def test_a_profile_signed_by_another_wallet_is_refused(people: People, reference: Reference) -> None:
    victim, thief = people.create("victim"), people.create("thief")
    reference.call(
        "createPerson",
        name=victim.name,
        privateKey=thief.wallet_key,
        deliveryServices=[victim.relay.relay_name],
    )
    with pytest.raises(ReferenceRefused) as refused:
        victim.call("submitProfile")
    assert refused.value.status in (400, 403)
    with pytest.raises(ReferenceRefused) as missing:
        victim.call("storedProfile")
    assert missing.value.status == 404


def test_the_properties_are_read_by_the_library(people: People) -> None:
    properties = people.create("dora").call("properties")
    assert properties["messageTTL"] >= 30
    assert properties["sizeLimit"] >= 100_000
    assert not {"smtp", "vapidPrivateKey", "privateVapidKey"} & set(str(properties).split("'"))


def test_the_profile_extension_names_the_supported_message_types(people: People) -> None:
    erin = people.join("erin")
    answer = erin.call("rpc", method="dm3_getProfileExtension", params=[erin.name])
    assert answer["status"] == 200
    extension = json.loads(answer["data"]["result"])
    assert "NEW" in extension["supportedMessageTypes"]


def test_the_profile_extension_of_a_stranger_is_refused_in_the_references_words(people: People) -> None:
    stranger = people.create("stranger")
    with pytest.raises(ReferenceRefused) as refused:
        stranger.call("rpc", method="dm3_getProfileExtension", params=[stranger.name])
    assert (refused.value.status, refused.value.body) == (400, {"error": "unknown user"})


def test_an_unknown_method_is_refused_in_the_references_words(people: People) -> None:
    with pytest.raises(ReferenceRefused) as refused:
        people.create("frank").call("rpc", method="dm3_noSuchMethod", params=[])
    assert refused.value.status == 405
