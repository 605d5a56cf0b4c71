from __future__ import annotations

from hashlib import sha256

import pytest

from chalicelib.protocol.errors import (
    Forbidden,
    InvalidInput,
    LimitExceeded,
    NotFound,
    SignInRequired,
    Unavailable,
)
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.store.memory import Moment
from tests.unit.relay.world import RELAY_NAME, SOURCE, World

TOKEN = "a token of high entropy"
BEARER = f"Bearer {TOKEN}"


def governed(**limits: int) -> World:
    hashed = sha256(TOKEN.encode()).digest()
    return World(RelaySettings(RELAY_NAME, Limits(**limits), operator_token_sha256=hashed))


def test_the_operator_is_known_by_the_token() -> None:
    world = governed()
    world.relay.operator.authenticate(BEARER, source=SOURCE)
    world.relay.operator.authenticate(f"bearer  {TOKEN} ", source=SOURCE)
    assert not world.calls


@pytest.mark.parametrize("authorization", [None, "", "Bearer", "Bearer ", TOKEN, f"Basic {TOKEN}"])
def test_without_a_token_there_is_none_to_be_wrong(authorization: str | None) -> None:
    world = governed()
    with pytest.raises(SignInRequired):
        world.relay.operator.authenticate(authorization, source=SOURCE)
    assert not world.calls


@pytest.mark.parametrize(
    "token", ["x", TOKEN.upper(), TOKEN + "x", sha256(TOKEN.encode()).hexdigest(), "\ud800", "é" * 10_000]
)
def test_a_wrong_token_is_refused(token: str) -> None:
    with pytest.raises(Forbidden):
        governed().relay.operator.authenticate(f"Bearer {token}", source=SOURCE)


def test_wrong_tokens_are_charged_to_their_source_and_never_close_the_desk() -> None:
    world = governed(operator_failures_per_hour=3)
    desk = world.relay.operator
    for _ in range(3):
        with pytest.raises(Forbidden):
            desk.authenticate("Bearer wrong", source=SOURCE)
    with pytest.raises(LimitExceeded):
        desk.authenticate("Bearer wrong", source=SOURCE)
    with pytest.raises(Forbidden):
        desk.authenticate("Bearer wrong", source="192.0.2.66")
    desk.authenticate(BEARER, source=SOURCE)


@pytest.mark.parametrize("authorization", [None, BEARER, "Bearer "])
def test_a_relay_without_a_token_has_no_operator(authorization: str | None) -> None:
    with pytest.raises(NotFound):
        World().relay.operator.authenticate(authorization, source=SOURCE)


def test_rules_are_stored_as_they_are_answered() -> None:
    world = governed()
    told = world.relay.operator.set_rules({"block": ["Spam.ETH"]})
    assert told == {"block": ["spam.eth"], "limits": {}}
    assert world.restarted().operator.rules() == told


def test_rules_that_cannot_be_read_change_nothing() -> None:
    world = governed()
    told = world.relay.operator.set_rules({"block": ["spam.eth"]})
    with pytest.raises(InvalidInput):
        world.relay.operator.set_rules({"block": ["spam.eth", "a b"]})
    assert world.relay.operator.rules() == told


def test_when_the_store_does_not_answer_neither_does_the_desk() -> None:
    world = governed()

    def fail(_name: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.relay.operator.rules()
    with pytest.raises(Unavailable):
        world.relay.operator.set_rules({})
