"""A token that has opened a Socket.IO socket reopens one for 24 hours, and is good for nothing else."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import Dm3Error, Forbidden, InvalidName, SignInRequired, Unavailable
from chalicelib.relay.tokens import REOPENING_S, SESSION_LIFETIME_S
from chalicelib.relay.values import Account
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, World


def settled() -> World:
    world = World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    return world


def opened(world: World, token: str, name: str = "bob.eth", *, opens: bool = True) -> Account:
    return world.relay.sessions.authenticate_socket(token, name, opens=opens)


def test_a_valid_token_opens_a_socket() -> None:
    world = settled()
    assert opened(world, world.token(BOB)) == world.account(BOB)


def test_it_reopens_for_a_day_after_it_first_did_and_not_longer() -> None:
    world = settled()
    token = world.token(BOB)
    world.clock.pass_s(60)
    opened(world, token)
    for _ in range(11):
        world.clock.pass_s(2 * 3_600)
        world.restarted()
        assert opened(world, token).address == BOB.address
    world.clock.pass_s(2 * 3_600 - 1)
    assert opened(world, token).address == BOB.address
    world.clock.pass_s(1)
    with pytest.raises(SignInRequired):
        opened(world, token)


def test_opening_again_while_it_is_valid_prolongs_nothing() -> None:
    world = settled()
    token = world.token(BOB)
    opened(world, token)
    world.clock.pass_s(SESSION_LIFETIME_S - 1)
    opened(world, token)
    world.clock.pass_s(REOPENING_S - SESSION_LIFETIME_S)
    opened(world, token)
    world.clock.pass_s(1)
    with pytest.raises(SignInRequired):
        opened(world, token)


def test_what_was_shown_in_an_open_socket_has_not_opened_one() -> None:
    world = settled()
    token = world.token(BOB)
    opened(world, token, opens=False)
    world.clock.pass_s(SESSION_LIFETIME_S)
    with pytest.raises(SignInRequired):
        opened(world, token)


def test_trying_an_expired_token_does_not_make_it_one_that_has_opened() -> None:
    world = settled()
    token = world.token(BOB)
    world.clock.pass_s(SESSION_LIFETIME_S)
    for _ in range(2):
        with pytest.raises(SignInRequired):
            opened(world, token)


def test_each_token_reopens_for_itself() -> None:
    world = settled()
    one = world.token(BOB)
    world.clock.pass_s(1)
    other = world.token(BOB)
    opened(world, one)
    world.clock.pass_s(SESSION_LIFETIME_S)
    with pytest.raises(SignInRequired):
        opened(world, other)


def test_it_is_good_for_no_other_call() -> None:
    world = settled()
    token = world.token(BOB)
    opened(world, token)
    world.clock.pass_s(SESSION_LIFETIME_S)
    with pytest.raises(SignInRequired):
        world.relay.sessions.authenticate(f"Bearer {token}", "bob.eth")


def test_signing_out_everywhere_ends_it() -> None:
    world = settled()
    token = world.token(BOB)
    account = opened(world, token)
    world.clock.pass_s(SESSION_LIFETIME_S)
    world.relay.sessions.sign_out_everywhere(account)
    with pytest.raises(SignInRequired):
        opened(world, token)


def test_it_ends_with_its_account() -> None:
    world = settled()
    token = world.token(BOB)
    world.relay.accounts.delete(opened(world, token))
    world.restarted()
    with pytest.raises(Forbidden):
        opened(world, token)
    world.register(BOB)
    world.restarted()
    with pytest.raises(SignInRequired):
        opened(world, token)


@pytest.mark.parametrize("name", ["alice.eth", "mallory.eth", "nobody.eth"])
def test_another_accounts_name_is_forbidden(name: str) -> None:
    world = settled()
    token = world.token(BOB)
    with pytest.raises(Forbidden):
        opened(world, token, name)
    # And it has opened nothing by that.
    world.clock.pass_s(SESSION_LIFETIME_S)
    with pytest.raises(SignInRequired):
        opened(world, token)


def test_a_name_that_is_none_is_refused() -> None:
    world = settled()
    with pytest.raises(InvalidName):
        opened(world, world.token(BOB), "no name")


@pytest.mark.parametrize("operation", ["counters.charge", "counters.read"])
def test_when_nobody_can_tell_it_is_unavailable(operation: str) -> None:
    world = settled()
    token = world.token(BOB)
    if operation == "counters.read":
        opened(world, token)
        world.clock.pass_s(SESSION_LIFETIME_S)

    def fail(called: str, _moment: Moment) -> None:
        if called == operation:
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        opened(world, token)


def test_no_token_stands_in_the_store() -> None:
    world = settled()
    token = world.token(BOB)
    opened(world, token)
    assert token not in repr(world.store.counters.__dict__)


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=100))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(Dm3Error):
        opened(_WORLD, text)


_WORLD = settled()
