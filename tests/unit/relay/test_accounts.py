from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.records import MAX_PROFILE_CHARACTERS
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import (
    Dm3Error,
    Forbidden,
    InvalidName,
    InvalidProfile,
    InvalidSignature,
    LimitExceeded,
    NotFound,
    TooBig,
    Unavailable,
    UnknownReceiver,
)
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.profile import SignedUserProfile, profile_creation_message
from chalicelib.protocol.wallet import sign_text
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, Person, World, limited


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    return world


def signed_by_wallet(person: Person, encryption_key: str, signing_key: str) -> SignedUserProfile:
    profile = replace(person.profile, public_encryption_key=encryption_key, public_signing_key=signing_key)
    text = profile_creation_message(profile, person.address)
    return SignedUserProfile(profile, sign_text(person.wallet, text))


def test_a_registered_profile_can_be_read_by_every_name_of_the_address() -> None:
    world = settled()
    world.directory.add("robert.eth", BOB.address)
    for name in ("bob.eth", "BOB.eth", "robert.eth"):
        assert world.relay.accounts.profile(name) == BOB.signed_profile
        world.relay.accounts.extension(name)


def test_an_unknown_name_has_neither_profile_nor_extension() -> None:
    world = settled()
    for ask in (world.relay.accounts.profile, world.relay.accounts.extension):
        with pytest.raises(NotFound):
            ask("nobody.eth")
        with pytest.raises(InvalidName):
            ask("no name")


def test_a_new_account_is_there_at_once_for_who_asked_before() -> None:
    world = World()
    world.settle(ALICE)
    world.publish(BOB)
    with pytest.raises(UnknownReceiver):
        world.submit()
    world.register(BOB)
    world.submit()


def test_a_profile_signed_by_another_wallet_is_refused() -> None:
    world = settled()
    world.directory.add("evil.eth", BOB.address)
    for name in ("evil.eth", "bob.eth"):
        with pytest.raises(InvalidSignature):
            world.register(MALLORY, name)
    assert world.relay.accounts.profile("bob.eth") == BOB.signed_profile


def test_a_bare_profile_is_refused() -> None:
    with pytest.raises(InvalidProfile):
        settled().relay.accounts.register("bob.eth", BOB.profile.to_json(), source="192.0.2.1")


def test_a_name_without_address_cannot_be_registered() -> None:
    world = settled()
    with pytest.raises(NotFound):
        world.register(MALLORY)


@pytest.mark.parametrize(
    ("encryption_key", "signing_key"),
    [
        ("AA==", BOB.signing.public_key),
        ("!", BOB.signing.public_key),
        (BOB.encryption.public_key, "AA=="),
        (BOB.encryption.public_key, "!"),
        ("A" * 43 + "=", BOB.signing.public_key),
    ],
)
def test_a_profile_whose_keys_cannot_be_used_is_refused(encryption_key: str, signing_key: str) -> None:
    signed = signed_by_wallet(BOB, encryption_key, signing_key)
    with pytest.raises(InvalidProfile):
        settled().relay.accounts.register("bob.eth", signed.to_json(), source="192.0.2.1")


def test_a_profile_has_a_limit() -> None:
    world = settled()
    for size, error in ((MAX_PROFILE_CHARACTERS, TooBig), (100, InvalidSignature)):
        profile = {**BOB.profile.to_json(), "extra": "x" * size}
        signed: JsonValue = {"profile": profile, "signature": BOB.signed_profile.signature}
        with pytest.raises(error):
            world.relay.accounts.register("bob.eth", signed, source="192.0.2.1")


def test_a_new_profile_makes_the_directory_forget_what_it_remembers_of_the_name() -> None:
    world = World()
    world.directory.add(BOB.name, BOB.address)
    world.register(BOB)
    assert world.directory.invalidated == [BOB.name], "ENS was remembered to have no profile"
    world.publish(BOB)
    world.register(BOB)
    assert world.directory.invalidated == [BOB.name], "what is remembered is what was submitted"


def test_a_profile_that_is_refused_makes_the_directory_forget_nothing() -> None:
    world = World()
    world.settle(ALICE)
    with pytest.raises(Dm3Error):
        world.register(MALLORY, ALICE.name)
    assert world.directory.invalidated == []


def test_registering_again_changes_nothing() -> None:
    world = settled()
    world.clock.pass_s(60)
    before = world.relay.accounts.export(world.account(BOB))
    world.register(BOB)
    after = world.relay.accounts.export(world.account(BOB))
    assert replace(after, page=before.page) == before


def test_new_keys_replace_the_old_ones_which_cannot_come_back() -> None:
    world = settled()
    new_bob = BOB.with_new_keys()
    world.publish(new_bob)
    world.register(new_bob)
    with pytest.raises(Forbidden):
        world.register(BOB)
    assert world.relay.accounts.profile("bob.eth") == new_bob.signed_profile


def test_a_replaced_profile_comes_back_if_ens_publishes_it_again() -> None:
    world = settled()
    new_bob = BOB.with_new_keys()
    world.register(world.publish(new_bob))
    world.register(world.publish(BOB))
    assert world.relay.accounts.profile("bob.eth") == BOB.signed_profile
    with pytest.raises(Forbidden):
        world.register(new_bob)
    [superseded] = world.store.accounts._superseded.values()
    assert len(superseded) == 1


def test_a_crash_while_keys_are_replaced_loses_neither_profile_nor_memory() -> None:
    world = settled()
    new_bob = world.publish(BOB.with_new_keys())

    def crash(name: str, moment: Moment) -> None:
        if name == "accounts.put" and moment is Moment.BEFORE:
            raise Unavailable

    world.store.faults = crash
    with pytest.raises(Unavailable):
        world.register(new_bob)
    world.store.faults = None
    assert world.relay.accounts.profile("bob.eth") == BOB.signed_profile
    world.register(BOB)
    world.register(new_bob)
    with pytest.raises(Forbidden):
        world.register(BOB)


def test_the_address_is_the_one_the_name_has_now() -> None:
    world = settled()
    world.publish(ALICE, "bob.eth")
    with pytest.raises(InvalidSignature):
        world.register(BOB)
    world.register(ALICE, "bob.eth")
    world.restarted()
    assert world.relay.accounts.profile("bob.eth") == ALICE.signed_profile


def test_posting_profiles_is_limited_by_source() -> None:
    world = settled(limited(source_registrations_per_hour=3))
    world.register(BOB)
    lookups = len(world.directory.readings)
    with pytest.raises(LimitExceeded):
        world.register(BOB)
    assert len(world.directory.readings) == lookups


def test_strangers_cannot_use_up_the_names_of_an_account() -> None:
    world = settled(limited(names_per_account=3))
    for number in range(5):
        world.directory.add(f"evil{number}.eth", BOB.address)
        world.register(BOB, f"evil{number}.eth")
    world.directory.add("robert.eth", BOB.address)
    world.register(BOB, "robert.eth")
    assert len(world.relay.accounts.export(world.account(BOB)).names) == 3
    world.submit(world.letter(to="robert.eth"))
    assert len(world.mail()) == 1


def test_an_export_shows_everything_that_is_stored() -> None:
    world = settled(limited(page_messages=2))
    for number in range(3):
        world.submit(world.letter(text=str(number)))
    account = world.account(BOB)
    first = world.relay.accounts.export(account)
    second = world.relay.accounts.export(account, first.page.cursor)
    assert (first.address, first.names, first.signed_profile) == (
        BOB.address,
        ("bob.eth",),
        BOB.signed_profile,
    )
    assert (len(first.page.messages), first.page.more) == (2, True)
    assert (len(second.page.messages), second.page.more) == (1, False)


def test_deleting_leaves_nothing() -> None:
    world = settled()
    world.register(world.publish(BOB, "robert.eth"), "robert.eth")
    for number in range(250):
        world.submit(world.letter(text=str(number)))
    account = world.account(BOB)
    world.relay.accounts.delete(account)
    world.relay.accounts.delete(account)
    world.restarted()
    with pytest.raises(NotFound):
        world.relay.accounts.profile("bob.eth")
    with pytest.raises(NotFound):
        world.relay.accounts.export(account)
    with pytest.raises(UnknownReceiver):
        world.submit(world.letter(to="robert.eth"))
    assert world.relay.inbox.page(account).messages == ()


def test_mail_from_before_a_deletion_does_not_come_back_and_can_be_sent_again() -> None:
    world = settled()
    letter = world.letter()
    world.submit(letter)
    world.relay.accounts.delete(world.account(BOB))
    world.register(BOB)
    assert world.mail() == []
    assert not world.submit(letter).duplicate
    assert len(world.mail()) == 1


def test_a_deletion_that_was_cut_short_can_be_repeated() -> None:
    for cut in ("inbox.delete", "accounts.unlink_name", "accounts.delete"):
        world = settled()
        world.submit()
        account = world.account(BOB)

        def fail(name: str, moment: Moment, cut: str = cut) -> None:
            if (name, moment) == (cut, Moment.BEFORE):
                raise Unavailable

        world.store.faults = fail
        with pytest.raises(Unavailable):
            world.relay.accounts.delete(account)
        world.store.faults = None
        world.restarted()
        world.relay.accounts.delete(world.account(BOB))
        with pytest.raises(NotFound):
            world.relay.accounts.profile("bob.eth")


def test_deleting_does_not_take_a_name_that_belongs_to_somebody_else_by_now() -> None:
    world = settled()
    world.register(world.publish(BOB, "shared.eth"), "shared.eth")
    world.register(world.publish(ALICE, "shared.eth"), "shared.eth")
    world.relay.accounts.delete(world.account(BOB))
    world.directory.fail = True
    assert world.relay.accounts.profile("shared.eth") == ALICE.signed_profile


def test_an_export_names_what_the_owner_has_signed_in_with_however_many_names_strangers_point_here() -> None:
    world = settled(limited(names_per_account=2))
    world.directory.add("evil.eth", BOB.address)
    world.register(BOB, "evil.eth")
    world.directory.add("robert.eth", BOB.address)
    assert world.relay.accounts.export(world.account(BOB, "robert.eth")).names == (
        "bob.eth",
        "evil.eth",
        "robert.eth",
    )


@settings(deadline=None, max_examples=60)
@given(
    st.text(max_size=20),
    st.none() | st.text(max_size=9) | st.dictionaries(st.sampled_from(["profile", "signature"]), st.text()),
)
def test_anything_else_is_refused_with_the_protocols_error(name: str, value: JsonValue) -> None:
    with pytest.raises(Dm3Error):
        World().relay.accounts.register(name, value, source="192.0.2.1")


def test_an_export_is_json() -> None:
    world = settled()
    world.submit()
    exported = world.relay.accounts.export(world.account(BOB)).to_json()
    assert canonicalize(exported["profile"]) == canonicalize(BOB.signed_profile.to_json())
    assert exported["names"] == ["bob.eth"]


def test_every_way_to_look_a_name_up_is_charged_to_its_source() -> None:
    world = limited(source_lookups_per_minute=1)
    world.settle(BOB)
    sessions, accounts = world.relay.sessions, world.relay.accounts
    authorization = f"Bearer {world.token(BOB)}"
    profile = BOB.signed_profile.to_json()
    asking: list[Callable[[str, str], object]] = [
        lambda name, source: accounts.profile(name, source=source),
        lambda name, source: accounts.extension(name, source=source),
        lambda name, source: accounts.register(name, profile, source=source),
        lambda name, source: sessions.challenge(name, source=source),
        lambda name, source: sessions.authenticate(authorization, name, source=source),
    ]
    for number, ask in enumerate(asking):
        with pytest.raises((NotFound, Forbidden)):
            ask(f"first{number}.eth", f"192.0.2.{number}")
        with pytest.raises(LimitExceeded):
            ask(f"second{number}.eth", f"192.0.2.{number}")
    assert "second0.eth" not in world.directory.readings
