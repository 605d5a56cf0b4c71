"""One's own rules at one's own delivery services."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client import Dm3Client, OwnRules, Response
from chalicelib.protocol.errors import InvalidInput, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.rules import Asked, PublicRules, Question, Requirement
from tests.unit.client.world import RELAY, SECOND, World, answering, down
from tests.unit.protocol.strategies import accepts_or_refuses, values
from tests.unit.protocol.test_rules import RULES

STRICT = OwnRules(
    rules=PublicRules(requirements=(Requirement(Question(Asked.NONCE), 5),)),
    allow=("alice.eth",),
    block=("*.spam.eth",),
    only_allowed=True,
    supported_message_types=("NEW",),
    encryption_scheme=("x25519-chacha20-poly1305",),
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth", RELAY, SECOND)


def test_without_rules_of_one_s_own_everybody_is_accepted(bob: Dm3Client) -> None:
    kept = bob.rules()
    assert kept.at == {RELAY: OwnRules(), SECOND: OwnRules()}
    assert (kept.preferred, kept.differ, kept.unreached) == (OwnRules(), False, ())


def test_rules_are_set_at_every_service_and_cleared(bob: Dm3Client) -> None:
    assert bob.set_rules(STRICT).at == {RELAY: STRICT, SECOND: STRICT}
    assert bob.rules().at == {RELAY: STRICT, SECOND: STRICT}
    assert bob.clear_rules() == ()
    assert bob.rules().preferred == OwnRules()


def test_a_change_starts_from_what_each_service_keeps(world: World, bob: Dm3Client) -> None:
    world.client(world.identity("bob.eth", RELAY)).set_rules(STRICT)
    kept = bob.change_rules(lambda rules: replace(rules, block=("mallory.eth",)))
    assert kept.at == {
        RELAY: replace(STRICT, block=("mallory.eth",)),
        SECOND: OwnRules(block=("mallory.eth",)),
    }
    assert kept.differ


def test_what_goes_on_one_list_leaves_the_other(bob: Dm3Client) -> None:
    bob.edit_lists(allow=["alice.eth", "carol.eth"], block=["*.spam.eth"])
    kept = bob.edit_lists(allow=["*.spam.eth"], block=["alice.eth"], remove=["carol.eth"]).preferred
    assert (kept.allow, kept.block) == (("*.spam.eth",), ("alice.eth",))


def test_a_service_that_is_down_is_told_and_keeps_nobody_from_the_other(world: World, bob: Dm3Client) -> None:
    world.faults.insert(0, down(RELAY))
    for kept in (bob.rules(), bob.set_rules(STRICT), bob.edit_lists(remove=["x.eth"])):
        assert list(kept.at) == [SECOND]
        assert [failure.delivery_service for failure in kept.unreached] == [RELAY]
    assert [failure.delivery_service for failure in bob.clear_rules()] == [RELAY]
    world.faults.insert(0, down(SECOND))
    with pytest.raises(Unavailable):
        bob.rules()


@pytest.mark.parametrize("answer", [b"", b"[]", b"5", b'{"rules": 1}', b'{"rules": {"captcha": true}}'])
def test_an_answer_that_is_not_understood_is_not_taken_for_no_rules(
    world: World, bob: Dm3Client, answer: bytes
) -> None:
    """It would be written back without what is not understood."""
    world.faults.insert(0, answering(Response(200, answer), path="/rules/"))
    with pytest.raises(Unavailable):
        bob.change_rules(lambda rules: rules)
    assert all(request.method != "PUT" for request in world.transport.requests)


def test_the_document_comes_back() -> None:
    assert OwnRules.parse(STRICT.to_json()) == STRICT
    assert OwnRules.parse({}) == OwnRules()


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"other": 1},
        {"allow": "bob.eth"},
        {"block": [1]},
        {"onlyAllowed": 1},
        {"onlyAllowed": None},
        {"supportedMessageTypes": None},
        {"rules": {"minNonce": "5"}},
    ],
)
def test_what_is_no_document_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidInput):
        OwnRules.parse(value)


_names = st.lists(st.text(max_size=8), max_size=3).map(tuple)


@given(st.builds(OwnRules, rules=RULES, allow=_names, block=_names, only_allowed=st.booleans()))
@settings(deadline=None, max_examples=100)
def test_any_document_comes_back(rules: OwnRules) -> None:
    assert OwnRules.parse(rules.to_json()) == rules


@given(values(["rules", "allow", "block", "onlyAllowed", "supportedMessageTypes", "encryptionScheme"]))
@settings(deadline=None, max_examples=100)
def test_any_value_is_a_document_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: OwnRules.parse(value))
