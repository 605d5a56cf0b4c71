from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import (
    Dm3Error,
    Forbidden,
    InvalidInput,
    InvalidName,
    InvalidSignature,
    NotFound,
    SignInRequired,
    Unavailable,
)
from chalicelib.protocol.signing import sign
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, Person, World, limited


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    world.calls.clear()
    return world


def signed(person: Person, challenge: str) -> str:
    return sign(person.signing.private_key, challenge)


def test_a_signed_challenge_opens_a_session() -> None:
    account = settled().account(BOB)
    assert (account.address, account.name) == (BOB.address, "bob.eth")


def test_a_session_is_good_for_every_name_of_the_address() -> None:
    world = settled()
    world.directory.add("robert.eth", BOB.address)
    authorization = f"Bearer {world.token(BOB)}"
    accounts = [world.relay.sessions.authenticate(authorization, name) for name in ("Bob.ETH", "robert.eth")]
    assert accounts[0].key == accounts[1].key
    assert [account.name for account in accounts] == ["bob.eth", "robert.eth"]


def test_fetching_a_challenge_writes_nothing() -> None:
    world = settled()
    world.relay.sessions.challenge("bob.eth")
    assert set(world.calls) <= {"accounts.linked", "accounts.get"}


def test_there_is_no_challenge_without_an_account() -> None:
    world = settled()
    for name in ("nobody.eth", "mallory.eth"):
        with pytest.raises(NotFound):
            world.relay.sessions.challenge(name)


def test_a_name_that_is_none_is_refused() -> None:
    world = settled()
    for call in (
        lambda: world.relay.sessions.challenge("no name"),
        lambda: world.relay.sessions.sign_in("no name", "", ""),
        lambda: world.relay.sessions.authenticate(f"Bearer {world.token(BOB)}", "no name"),
    ):
        with pytest.raises(InvalidName):
            call()


def test_a_challenge_is_used_once() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")
    world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))
    world.restarted()
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


def test_a_wrong_signature_does_not_use_a_challenge_up() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")
    with pytest.raises(InvalidSignature, match=r"^Signature invalid$"):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(MALLORY, challenge))
    assert world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


def test_a_challenge_is_bound_to_its_name() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("alice.eth")
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


def test_a_challenge_is_bound_to_its_account() -> None:
    world = settled()
    world.register(world.publish(BOB, "shared.eth"), "shared.eth")
    challenge = world.relay.sessions.challenge("shared.eth")
    world.register(world.publish(ALICE, "shared.eth"), "shared.eth")
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("shared.eth", challenge, signed(ALICE, challenge))


def test_a_challenge_expires() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")
    world.clock.pass_s(15 * 60)
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


@pytest.mark.parametrize("signature", ["", "!", "AA==", "A" * 86 + "==", "é", "\ud800"])
def test_an_odd_signature_is_an_invalid_one(signature: str) -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")
    with pytest.raises(InvalidSignature):
        world.relay.sessions.sign_in("bob.eth", challenge, signature)


def test_wrong_signatures_end_in_forbidden_but_never_lock_the_owner_out() -> None:
    world = settled(limited(sign_in_failures_per_hour=3))
    challenge = world.relay.sessions.challenge("bob.eth")
    errors: list[type[Dm3Error]] = []
    for _ in range(5):
        with pytest.raises(Dm3Error) as caught:
            world.relay.sessions.sign_in("bob.eth", challenge, signed(MALLORY, challenge))
        errors.append(type(caught.value))
    assert errors == [InvalidSignature] * 3 + [Forbidden] * 2
    assert len(world.directory.fresh_readings) == len([ALICE, BOB]) + 3
    assert world.token(BOB)
    world.clock.pass_s(3_600)
    challenge = world.relay.sessions.challenge("bob.eth")
    with pytest.raises(InvalidSignature):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(MALLORY, challenge))


def test_new_keys_on_ens_open_a_session_and_replace_the_old_ones() -> None:
    world = settled()
    new_bob = world.publish(BOB.with_new_keys())
    assert world.token(new_bob)
    assert world.relay.accounts.profile("bob.eth") == new_bob.signed_profile
    with pytest.raises(InvalidSignature):
        world.token(BOB)


def test_keys_that_only_a_bare_profile_publishes_open_nothing() -> None:
    world = settled()
    new_bob = BOB.with_new_keys()
    bare = "data:application/json," + canonicalize(new_bob.profile.to_json())
    world.directory.add("bob.eth", BOB.address, bare)
    with pytest.raises(InvalidSignature):
        world.token(new_bob)


@pytest.mark.parametrize("bare", [True, False])
def test_a_foreign_name_pointed_at_an_address_opens_nothing(*, bare: bool) -> None:
    """evil.eth resolves to Bob's address and publishes Mallory's keys."""
    world = settled()
    record = MALLORY.profile.to_json() if bare else MALLORY.signed_profile.to_json()
    world.directory.add("evil.eth", BOB.address, "data:application/json," + canonicalize(record))
    challenge = world.relay.sessions.challenge("evil.eth")
    with pytest.raises(InvalidSignature):
        world.relay.sessions.sign_in("evil.eth", challenge, signed(MALLORY, challenge))
    with pytest.raises(Dm3Error):
        world.register(MALLORY, "evil.eth")


def test_a_name_that_has_moved_gives_no_access_any_more() -> None:
    world = settled()
    authorization = f"Bearer {world.token(BOB)}"
    world.publish(ALICE, "bob.eth")
    with pytest.raises(Dm3Error):
        world.token(BOB)
    world.restarted()
    with pytest.raises(Forbidden):
        world.relay.sessions.authenticate(authorization, "bob.eth")
    world.register(ALICE, "bob.eth")
    world.restarted()
    with pytest.raises(Forbidden):
        world.relay.sessions.authenticate(authorization, "bob.eth")


class Remembering(MemoryDirectory):
    """Remembers where bob.eth led, unless asked to read afresh."""

    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        if fresh or name != BOB.name:
            return super().lookup(name, fresh=fresh)
        return ResolvedName(BOB.name, BOB.address, BOB.profile, BOB.signed_profile)


def test_the_next_owner_of_a_name_does_not_sign_in_to_the_former_owners_account() -> None:
    """The remembered address is still Bob's; read afresh, the name is Mallory's, with her signed profile."""
    world = settled(World(directory=Remembering()))
    world.publish(MALLORY, BOB.name)
    challenge = world.relay.sessions.challenge(BOB.name)
    with pytest.raises(InvalidSignature):
        world.relay.sessions.sign_in(BOB.name, challenge, signed(MALLORY, challenge))


def test_signing_in_works_while_ens_is_away() -> None:
    world = settled()
    world.directory.fail = True
    assert world.token(BOB)
    world.clock.pass_s(8 * 86_400)
    with pytest.raises(Unavailable):
        world.token(BOB)


@pytest.mark.parametrize(
    "header", [None, "", "Bearer", "Bearer ", "Basic abc", "Bearer a.b.c", "é", "Bearer \ud800"]
)
def test_no_valid_token_means_sign_in(header: str | None) -> None:
    with pytest.raises(SignInRequired) as caught:
        settled().relay.sessions.authenticate(header, "bob.eth")
    assert caught.value.status == 401


def test_an_expired_token_means_sign_in() -> None:
    world = settled()
    authorization = f"bearer {world.token(BOB)}"
    world.clock.pass_s(3_599)
    world.relay.sessions.authenticate(authorization, "bob.eth")
    world.clock.pass_s(1)
    with pytest.raises(SignInRequired):
        world.relay.sessions.authenticate(authorization, "bob.eth")


@pytest.mark.parametrize("name", ["alice.eth", "mallory.eth", "nobody.eth"])
def test_another_accounts_name_is_forbidden(name: str) -> None:
    world = settled()
    with pytest.raises(Forbidden) as caught:
        world.relay.sessions.authenticate(f"Bearer {world.token(BOB)}", name)
    assert caught.value.status == 403


def test_signing_out_everywhere_works_at_once() -> None:
    world = settled()
    authorization = f"Bearer {world.token(BOB)}"
    account = world.account(BOB)
    world.relay.sessions.sign_out_everywhere(account)
    with pytest.raises(SignInRequired):
        world.relay.sessions.authenticate(authorization, "bob.eth")
    assert world.account(BOB)
    assert world.account(ALICE)


def test_a_deleted_account_has_no_sessions_and_a_new_one_does_not_revive_them() -> None:
    world = settled()
    authorization = f"Bearer {world.token(BOB)}"
    account = world.account(BOB)
    world.relay.accounts.delete(account)
    world.relay.sessions.sign_out_everywhere(account)
    with pytest.raises(Forbidden):
        world.relay.sessions.authenticate(authorization, "bob.eth")
    with pytest.raises(NotFound):
        world.relay.sessions.challenge("bob.eth")
    world.register(BOB)
    with pytest.raises(SignInRequired):
        world.relay.sessions.authenticate(authorization, "bob.eth")


def test_an_account_that_goes_between_challenge_and_sign_in_is_not_found() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")
    world.relay.accounts.delete(world.account(BOB))
    with pytest.raises(NotFound):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


def test_a_session_is_not_opened_unless_the_challenge_is_marked_as_used() -> None:
    world = settled()
    challenge = world.relay.sessions.challenge("bob.eth")

    def fail(name: str, moment: Moment) -> None:
        if name == "counters.use_once" and moment is Moment.BEFORE:
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.relay.sessions.sign_in("bob.eth", challenge, signed(BOB, challenge))


def test_no_token_holds_an_address() -> None:
    world = settled()
    assert BOB.address.lower() not in world.token(BOB).lower()


@settings(deadline=None, max_examples=60)
@given(st.text(max_size=80), st.text(max_size=80))
def test_any_text_is_refused_with_the_protocols_error(one: str, other: str) -> None:
    world = settled()
    with pytest.raises(Dm3Error):
        world.relay.sessions.authenticate(one, "bob.eth")
    with pytest.raises(Dm3Error):
        world.relay.sessions.sign_in("bob.eth", one, other)
