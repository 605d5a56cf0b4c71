from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.envelope import Envelope, parse_envelope
from chalicelib.protocol.errors import InvalidName, Unavailable, UnverifiedSender
from chalicelib.relay.senders import Sender, SenderCheck
from tests.unit.relay.world import ALICE, MALLORY, Person, World


def envelope(world: World, sender: Person, signature: str | None = None) -> Envelope:
    letter = world.letter(sender)
    metadata = letter["metadata"]
    assert isinstance(metadata, dict)
    if signature is not None:
        letter["metadata"] = {**metadata, "signature": signature}
    return parse_envelope(letter)


def test_a_proven_sender_has_an_address() -> None:
    world = World()
    world.publish(ALICE)
    sender = SenderCheck(world.directory, lenient=False).check(envelope(world, ALICE), "ALICE.eth")
    assert sender == Sender("alice.eth", ALICE.address, verified=True, delivery_services=("relay.eth",))
    assert sender.names == ("alice.eth",)
    assert world.directory.readings == ["alice.eth"]


def test_a_sender_behind_an_alias_may_be_listed_under_every_spelling() -> None:
    world = World()
    world.publish(ALICE)

    class Aliasing:
        def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
            found = world.directory.lookup("alice.eth", fresh=fresh, toll=toll)
            return replace(found, name=name, spellings=("alice.eth", "alice.other"))

        def delivery_service(self, name: str, *, fresh: bool = False) -> None:
            raise Unavailable

    sender = SenderCheck(Aliasing(), lenient=False).check(envelope(world, ALICE), "alice.alias")
    assert sender.names == ("alice.alias", "alice.eth", "alice.other")


def test_the_spellings_of_a_name_without_an_address_are_one_to_a_quota() -> None:
    one = Sender("alice.gno", None, verified=True, spellings=("alice.gnosis.eth",))
    other = Sender("alice.gnosis.eth", None, verified=True, spellings=("alice.gno",))
    assert one.identity == other.identity
    assert Sender("bob.gno", None, verified=True).identity != one.identity


def test_a_bare_profile_proves_the_name_alone() -> None:
    world = World()
    record = "data:application/json," + canonicalize(ALICE.profile.to_json())
    world.directory.add("alice.eth", MALLORY.address, record)
    sender = SenderCheck(world.directory, lenient=False).check(envelope(world, ALICE), "alice.eth")
    assert (sender.address, sender.verified) == (None, True)


def test_a_profile_that_does_not_fit_is_read_afresh_once() -> None:
    world = World()
    world.publish(ALICE)
    with pytest.raises(UnverifiedSender):
        SenderCheck(world.directory, lenient=False).check(envelope(world, MALLORY), "alice.eth")
    assert world.directory.readings == ["alice.eth", "alice.eth"]
    assert world.directory.fresh_readings == ["alice.eth"]


def test_while_ens_is_away_nobody_is_called_a_forger() -> None:
    """The key that is remembered does not fit, and whether it was changed cannot be told."""
    world = World()
    world.publish(ALICE)

    class Away:
        def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
            if fresh:
                raise Unavailable
            return world.directory.lookup(name, toll=toll)

        def delivery_service(self, name: str, *, fresh: bool = False) -> None:
            raise Unavailable

    check = SenderCheck(Away(), lenient=False)
    assert check.check(envelope(world, ALICE), "alice.eth").verified
    with pytest.raises(Unavailable):
        check.check(envelope(world, MALLORY), "alice.eth")


@pytest.mark.parametrize("signature", ["", "AA==", "A", "!", "é" * 88])
def test_a_signature_of_the_wrong_form_costs_no_lookup(signature: str) -> None:
    world = World()
    world.publish(ALICE)
    with pytest.raises(UnverifiedSender):
        SenderCheck(world.directory, lenient=False).check(envelope(world, ALICE, signature), "alice.eth")
    assert world.directory.readings == []


def test_a_published_key_of_the_wrong_form_fits_nothing() -> None:
    world = World()
    profile = {**ALICE.profile.to_json(), "publicSigningKey": "AA=="}
    world.directory.add("alice.eth", None, "data:application/json," + canonicalize(profile))
    with pytest.raises(UnverifiedSender):
        SenderCheck(world.directory, lenient=False).check(envelope(world, ALICE), "alice.eth")


def test_a_lenient_check_marks_and_still_refuses_what_is_no_name() -> None:
    world = World()
    check = SenderCheck(world.directory, lenient=True)
    assert check.check(envelope(world, MALLORY), "alice.eth") == Sender("alice.eth", None, verified=False)
    with pytest.raises(InvalidName):
        check.check(envelope(world, MALLORY), "no name")


def test_a_claim_is_charged_to_nobody_else() -> None:
    identities = {
        Sender("alice.eth", ALICE.address, verified=True).identity,
        Sender("alice.eth", None, verified=True).identity,
        Sender("alice.eth", None, verified=False).identity,
        Sender(ALICE.address, None, verified=True).identity,
    }
    assert len(identities) == 4
    same = Sender("other.eth", ALICE.address, verified=True)
    assert same.identity in identities
