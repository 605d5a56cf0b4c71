"""Nobody takes an account back to what it was: neither to its old keys, nor to mail for a deleted one.

Mallory has Bob's old profile, which is public and signed by his wallet, and sometimes its key as well.
"""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.protocol.errors import Dm3Error, Forbidden, InvalidSignature
from chalicelib.protocol.signing import sign
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, SOURCE, World, limited

NEW_BOB = BOB.with_new_keys()


def settled(world: World | None = None) -> World:
    """Bob has signed in, so bob.eth is confirmed."""
    world = world or World()
    world.settle(ALICE, BOB)
    world.token(BOB)
    return world


def rotated(world: World | None = None) -> World:
    """Bob has published new keys and registered them; evil.eth publishes his old profile."""
    world = settled(world)
    world.register(world.publish(NEW_BOB))
    world.publish(BOB, "evil.eth")
    world.calls.clear()
    return world


def failures(world: World, count: int) -> list[type[Dm3Error]]:
    """Mallory signs in as Bob, wrongly."""
    kinds: list[type[Dm3Error]] = []
    challenge = world.relay.sessions.challenge("bob.eth")
    for _ in range(count):
        with pytest.raises(Dm3Error) as caught:
            world.relay.sessions.sign_in("bob.eth", challenge, sign(MALLORY.signing.private_key, challenge))
        kinds.append(type(caught.value))
    return kinds


def test_a_foreign_name_brings_no_old_profile_back() -> None:
    world = rotated()
    with pytest.raises(Forbidden, match=r"^Publish the profile at ENS under the account's name first\.$"):
        world.register(BOB, "evil.eth")
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile
    assert world.token(NEW_BOB)


def test_an_old_key_opens_no_session_under_a_foreign_name_that_publishes_it() -> None:
    world = rotated()
    with pytest.raises(Forbidden):
        world.token(BOB, "evil.eth")
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile


def test_a_name_confirmed_with_an_old_key_is_not_with_the_new_one() -> None:
    """Mallory has signed in with the leaked key before Bob replaced it."""
    world = settled()
    world.publish(BOB, "evil.eth")
    world.token(BOB, "evil.eth")
    world.register(world.publish(NEW_BOB))
    for attempt in (world.register, world.token):
        with pytest.raises(Forbidden):
            attempt(BOB, "evil.eth")
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile


def test_a_name_is_not_confirmed_by_a_key_that_was_replaced_meanwhile() -> None:
    world = settled()
    world.publish(BOB, "evil.eth")
    once = iter([True])

    def rotate(operation: str, moment: Moment) -> None:
        if operation == "counters.use_once" and moment is Moment.AFTER and next(once, False):
            world.register(world.publish(NEW_BOB))

    world.store.faults = rotate
    world.token(BOB, "evil.eth")
    world.store.faults = None
    with pytest.raises(Forbidden):
        world.register(BOB, "evil.eth")


def test_an_old_profile_that_was_never_seen_does_not_become_current() -> None:
    world = World()
    world.settle(ALICE, NEW_BOB)
    with pytest.raises(Forbidden):
        world.register(BOB)
    world.token(NEW_BOB)
    with pytest.raises(Forbidden):
        world.register(BOB)
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile


def test_an_account_does_not_begin_with_an_old_profile() -> None:
    world = World()
    world.publish(NEW_BOB)
    with pytest.raises(Forbidden):
        world.register(BOB)
    world.register(NEW_BOB)


def test_a_profile_that_is_not_published_replaces_nothing() -> None:
    world = settled()
    with pytest.raises(Forbidden):
        world.register(NEW_BOB)
    world.directory.add("bob.eth", BOB.address)
    with pytest.raises(Forbidden):
        world.register(NEW_BOB)


@pytest.mark.parametrize("name", ["bob.eth", "evil.eth"])
def test_a_replaced_profile_does_not_come_back_after_a_deletion(name: str) -> None:
    world = settled()
    world.register(world.publish(NEW_BOB))
    world.relay.accounts.delete(world.account(NEW_BOB))
    # Neither name publishes anything by now.
    world.directory.add(name, BOB.address)
    with pytest.raises(Forbidden):
        world.register(BOB, name)
    world.register(NEW_BOB, name)


def test_a_replaced_profile_comes_back_after_a_deletion_if_its_owner_publishes_it_again() -> None:
    world = rotated()
    world.relay.accounts.delete(world.account(NEW_BOB))
    world.register(world.publish(BOB))
    world.relay.accounts.delete(world.account(BOB))
    # It is current again, and no former profile.
    world.directory.add("bob.eth", BOB.address)
    world.register(BOB)
    assert world.token(BOB)


def test_the_standing_profile_may_always_be_posted_and_only_links_the_name() -> None:
    world = rotated()
    world.register(NEW_BOB, "evil.eth")
    world.directory.add("bob.eth", BOB.address)
    world.register(NEW_BOB)
    assert world.relay.accounts.profile("evil.eth") == NEW_BOB.signed_profile
    with pytest.raises(Forbidden):
        world.register(BOB, "evil.eth")


@pytest.mark.parametrize("how", [World.register, World.token])
def test_any_confirmed_name_may_bring_the_new_profile(how: Callable[[World, object, str], object]) -> None:
    world = settled()
    world.token(world.publish(BOB, "robert.eth"), "robert.eth")
    how(world, world.publish(NEW_BOB, "robert.eth"), "robert.eth")
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile
    # bob.eth still publishes the old one, and counts again only once Bob has signed in with it.
    with pytest.raises(Forbidden):
        world.register(BOB)
    world.token(world.publish(NEW_BOB))
    world.register(world.publish(BOB))
    assert world.relay.accounts.profile("robert.eth") == BOB.signed_profile


def test_an_owner_takes_back_an_account_that_was_taken_before_anybody_had_signed_in() -> None:
    world = World()
    world.settle(ALICE, NEW_BOB)
    world.token(world.publish(BOB, "evil.eth"), "evil.eth")
    with pytest.raises(Forbidden):
        world.register(NEW_BOB)
    # The keys come from the wallet, so Bob has those of the old profile, too.
    world.token(BOB)
    world.register(NEW_BOB)
    with pytest.raises(Forbidden):
        world.token(BOB, "evil.eth")
    assert world.token(NEW_BOB)


def test_confirming_a_name_is_written_once() -> None:
    world = settled()
    world.calls.clear()
    world.token(BOB)
    assert world.calls["accounts.put"] == 0
    world.token(world.publish(BOB, "robert.eth"), "robert.eth")
    assert world.calls["accounts.put"] == 1
    world.token(BOB, "robert.eth")
    assert world.calls["accounts.put"] == 1


def test_confirmed_names_are_bounded() -> None:
    world = settled(limited(names_per_account=2))
    for name in ("robert.eth", "bobby.eth"):
        world.token(world.publish(BOB, name), name)
    with pytest.raises(Forbidden):
        world.register(world.publish(NEW_BOB, "bobby.eth"), "bobby.eth")
    world.register(world.publish(NEW_BOB, "robert.eth"), "robert.eth")


def test_wrong_signatures_lock_nobody_out_whose_new_key_is_only_on_ens() -> None:
    world = settled(limited(sign_in_failures_per_hour=3))
    world.publish(NEW_BOB)
    assert failures(world, 5) == [InvalidSignature] * 3 + [Forbidden] * 2
    assert world.token(NEW_BOB)
    assert world.relay.accounts.profile("bob.eth") == NEW_BOB.signed_profile


def test_after_too_many_wrong_signatures_ens_is_asked_for_confirmed_names_only() -> None:
    world = settled(limited(sign_in_failures_per_hour=3))
    failures(world, 3)
    world.publish(NEW_BOB, "evil.eth")
    asked = len(world.directory.fresh_readings)
    with pytest.raises(Forbidden):
        world.token(NEW_BOB, "evil.eth")
    assert len(world.directory.fresh_readings) == asked


def test_mail_taken_by_a_process_that_missed_the_deletion_is_not_in_the_new_account() -> None:
    world = settled()
    stale = world.relay
    stale.admission.submit(world.letter(text="remember Bob"), source=SOURCE)
    world.restarted()
    world.relay.accounts.delete(world.account(BOB))
    world.register(BOB)
    letter = world.letter(text="for whom?")
    stale.admission.submit(letter, source=SOURCE)
    assert world.mail() == []
    assert not world.submit(letter).duplicate
    assert len(world.mail()) == 1
