"""The SDK and the relay agree on rules: what one sets the other enforces, and both say the same."""

from __future__ import annotations

import pytest

from chalicelib.client import Dm3Client, OwnRules, Queued
from chalicelib.client.welcome import Unwelcome
from chalicelib.protocol.errors import Spam
from chalicelib.protocol.rules import Allowance, Asked, PublicRules, Question, Requirement, TokenStandard
from tests.unit.client.world import World

NONCE, BALANCE = Question(Asked.NONCE), Question(Asked.BALANCE)
TOKEN = Question(Asked.TOKEN, "0x6B175474E89094C44Da98b954EedeAC495271d0F", TokenStandard.ERC1155, 7)
STAKE = Question(Asked.STAKE, "0x6B175474E89094C44Da98b954EedeAC495271d0F")


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth")


@pytest.mark.parametrize(
    "question", [NONCE, BALANCE, TOKEN, STAKE], ids=lambda question: question.asked.value
)
def test_what_is_told_before_is_what_the_relay_would_have_answered(
    world: World, alice: Dm3Client, bob: Dm3Client, question: Question
) -> None:
    bob.set_rules(OwnRules(rules=PublicRules(requirements=(Requirement(question, 5),))))
    world.holdings.numbers[alice.identity.address, question] = 4
    with pytest.raises(Unwelcome) as told:
        alice.send("bob.eth", "hello")
    with pytest.raises(Spam) as refused:
        alice.send("bob.eth", "hello", anyway=True)
    assert not isinstance(refused.value, Unwelcome)
    assert told.value.data == refused.value.data
    assert (alice.unsent(), list(bob.inbox())) == ((), [])
    world.holdings.numbers[alice.identity.address, question] = 5
    assert alice.send("bob.eth", "hello").delivered


def test_who_is_allowed_gets_through_by_insisting(world: World, alice: Dm3Client, bob: Dm3Client) -> None:
    bob.set_rules(OwnRules(rules=PublicRules(requirements=(Requirement(NONCE, 5),)), allow=("alice.eth",)))
    with pytest.raises(Unwelcome):
        alice.send("bob.eth", "hello")
    assert alice.send("bob.eth", "hello", anyway=True).delivered


def test_who_is_blocked_learns_nothing(alice: Dm3Client, bob: Dm3Client) -> None:
    bob.edit_lists(block=["alice.eth"])
    assert alice.welcome("bob.eth").conditions == ()
    with pytest.raises(Spam) as refused:
        alice.send("bob.eth", "hello")
    assert refused.value.data == {"rule": "receiver"}
    bob.clear_rules()
    assert alice.send("bob.eth", "hello").delivered


def test_a_quota_that_is_used_up_keeps_the_message_until_it_passes(
    world: World, alice: Dm3Client, bob: Dm3Client
) -> None:
    bob.set_rules(OwnRules(rules=PublicRules(sender_quota=Allowance(1))))
    assert alice.send("bob.eth", "one").delivered
    queued = alice.send("bob.eth", "two")
    assert isinstance(queued, Queued)
    assert queued.reason.data["rule"] == "senderQuota"
    assert queued.retry_after_s is not None
    assert 0 < queued.retry_after_s <= 86_400
    world.clock.time_ms += int(queued.retry_after_s * 1_000)
    (sent,) = alice.flush()
    assert sent.delivered
    assert [message.text for message in bob.inbox()] == ["one", "two"]


def test_a_first_contact_that_is_used_up_is_final_until_answered(alice: Dm3Client, bob: Dm3Client) -> None:
    bob.set_rules(OwnRules(rules=PublicRules(first_contact_messages=1)))
    assert alice.send("bob.eth", "one").delivered
    with pytest.raises(Spam) as refused:
        alice.send("bob.eth", "two")
    assert refused.value.data == {"rule": "firstContact", "messages": 1}
    bob.send("alice.eth", "who are you?")
    assert alice.send("bob.eth", "three").delivered


def test_types_and_schemes_are_told_to_senders(alice: Dm3Client, bob: Dm3Client) -> None:
    schemes = ("x25519-chacha20-poly1305", "other")
    bob.set_rules(OwnRules(supported_message_types=("NEW", "REPLY"), encryption_scheme=schemes))
    welcome = alice.welcome("bob.eth")
    assert (welcome.supported_message_types, welcome.encryption_scheme) == (("NEW", "REPLY"), schemes)
