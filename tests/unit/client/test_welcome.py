"""What receivers' rules ask of a sender, found out before anything is sent."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client import Dm3Client, FileOutbox, Queued, Sent, Verdict
from chalicelib.client.services import EXTENSIONS_LIFETIME_MS
from chalicelib.client.welcome import Threshold
from chalicelib.names.holdings import MemoryHoldings
from chalicelib.protocol.errors import NotFound, Spam, Unavailable
from chalicelib.protocol.rules import Allowance, Asked, PublicRules, Question, Requirement
from tests.unit.client.rules import told
from tests.unit.client.test_client import submissions, texts
from tests.unit.client.world import RELAY, SECOND, World, down
from tests.unit.protocol.test_rules import RULES

NONCE, BALANCE = Question(Asked.NONCE), Question(Asked.BALANCE)
STRICT = PublicRules(requirements=(Requirement(NONCE, 5), Requirement(BALANCE, 10**16)))
COUNTED = PublicRules(first_contact_messages=3, sender_quota=Allowance(10), total_quota=Allowance(None, 5))


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth", RELAY, SECOND)


def holds(world: World, client: Dm3Client, nonce: int, balance: int) -> None:
    world.holdings.numbers |= {
        (client.identity.address, NONCE): nonce,
        (client.identity.address, BALANCE): balance,
    }


class TestSending:
    def test_who_meets_the_rules_gets_through(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        world.faults.append(told(STRICT))
        holds(world, alice, 5, 10**16)
        assert alice.send("bob.eth", "hello").delivered
        assert texts(bob) == ["hello"]
        assert world.holdings.readings == [alice.identity.address]

    @pytest.mark.parametrize(
        ("nonce", "balance", "rule", "sentence"),
        [
            (2, 10**18, "minNonce", "at least 5 transactions sent by your address; it has sent 2."),
            (5, 10**15, "minBalance", "at least 0.01 ETH at your address; it has 0.001 ETH."),
        ],
    )
    def test_who_does_not_is_told_why_and_nothing_leaves(
        self,
        world: World,
        alice: Dm3Client,
        bob: Dm3Client,
        nonce: int,
        balance: int,
        rule: str,
        sentence: str,
    ) -> None:
        world.faults.append(told(STRICT))
        holds(world, alice, nonce, balance)
        with pytest.raises(Spam) as refused:
            alice.send("bob.eth", "hello")
        assert refused.value.message == f"The receiver asks for {sentence}"
        assert refused.value.data == next(
            requirement.to_json()
            for requirement in STRICT.requirements
            if requirement.question.asked.value == rule
        )
        assert submissions(world) == []
        assert alice.unsent() == ()

    def test_a_refusal_is_of_the_receiver_so_no_other_service_is_tried(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(told(STRICT, host=RELAY))
        before = len(world.transport.requests)
        with pytest.raises(Spam):
            alice.send("bob.eth", "hello")
        assert not any(SECOND in request.url for request in world.transport.requests[before:])

    def test_if_the_chain_does_not_answer_the_delivery_service_decides(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(told(STRICT))
        world.holdings.fail = True
        assert alice.send("bob.eth", "hello").delivered

    def test_without_a_way_to_the_chain_too(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        world.faults.append(told(STRICT))
        blind = Dm3Client(alice.identity, world.directory, world.transport, settings=alice._settings)
        assert blind.send("bob.eth", "hello").delivered
        assert blind.welcome("bob.eth").verdict is Verdict.UNCHECKED

    def test_a_sender_who_is_allowed_may_insist(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        world.faults.append(told(STRICT))
        assert alice.send("bob.eth", "you know me", anyway=True).delivered
        assert world.holdings.readings == []

    def test_who_insists_does_so_from_the_outbox_too(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults += [down(RELAY), down(SECOND)]
        alice.send("bob.eth", "you know me", anyway=True)
        world.faults[:] = [told(STRICT)]
        (sent,) = alice.flush()
        assert isinstance(sent, Sent)

    def test_rules_that_came_while_it_waited_drop_it_with_the_reason(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults += [down(RELAY), down(SECOND)]
        assert isinstance(alice.send("bob.eth", "hello"), Queued)
        world.faults[:] = [told(STRICT)]
        (refused,) = alice.flush()
        assert not isinstance(refused, Sent)
        assert refused.reason.data["rule"] == "minNonce"
        assert (submissions(world), alice.unsent()) == ([], ())

    def test_what_may_have_been_accepted_before_is_asked_for_all_the_same(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        """The answer got lost; meanwhile the rules have changed. The relay still has the receipt."""

        def lose(request: object) -> None:
            if b"dm3_submitMessage" in request.body:  # type: ignore[attr-defined]
                world.ask(request)  # type: ignore[arg-type]
                raise TimeoutError

        world.faults += [lose, down(SECOND)]
        assert isinstance(alice.send("bob.eth", "once"), Queued)
        world.faults[:] = [told(STRICT)]
        world.clock.time_ms += EXTENSIONS_LIFETIME_MS
        (sent,) = alice.flush()
        assert isinstance(sent, Sent)
        assert sent.duplicate

    def test_new_rules_are_noticed_within_a_minute(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        assert alice.send("bob.eth", "one").delivered
        world.faults.append(told(STRICT))
        world.clock.time_ms += EXTENSIONS_LIFETIME_MS
        with pytest.raises(Spam):
            alice.send("bob.eth", "two")

    def test_what_only_the_service_can_count_keeps_nobody_from_sending(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(told(COUNTED))
        assert alice.send("bob.eth", "hello").delivered
        assert world.holdings.readings == []

    def test_nothing_of_a_refused_message_is_left_on_disk(
        self, world: World, alice: Dm3Client, bob: Dm3Client, tmp_path: Path
    ) -> None:
        folder = tmp_path / "box"
        client = world.client(alice.identity, outbox=FileOutbox(folder, alice.identity, world.chance))
        world.faults.append(told(STRICT))
        with pytest.raises(Spam):
            client.send("bob.eth", "hello")
        assert not folder.exists()


class TestWelcome:
    def test_every_rule_with_what_is_known_of_it(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(
            told(
                PublicRules(
                    requirements=STRICT.requirements, first_contact_messages=3, sender_quota=Allowance(10)
                )
            )
        )
        holds(world, alice, 5, 0)
        welcome = alice.welcome("Bob.eth")
        assert (welcome.receiver, welcome.delivery_service) == ("bob.eth", RELAY)
        assert welcome.supported_message_types == ("NEW",)
        assert [(condition.rule, condition.verdict) for condition in welcome.conditions] == [
            ("minNonce", Verdict.PASSED),
            ("minBalance", Verdict.FAILED),
            ("firstContact", Verdict.UNCHECKED),
            ("senderQuota", Verdict.UNCHECKED),
        ]
        assert [condition.data for condition in welcome.conditions] == [
            {"rule": "minNonce", "required": "5"},
            {"rule": "minBalance", "required": "10000000000000000"},
            {"rule": "firstContact", "messages": 3},
            {"rule": "senderQuota", "messagesPerDay": 10},
        ]
        assert welcome.verdict is Verdict.FAILED

    def test_without_rules_everybody_is_welcome(self, alice: Dm3Client, bob: Dm3Client) -> None:
        welcome = alice.welcome("bob.eth")
        assert (welcome.conditions, welcome.verdict) == ((), Verdict.PASSED)
        assert welcome.encryption_scheme is None

    def test_while_the_chain_does_not_answer_nothing_is_claimed(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(told(STRICT))
        world.holdings.fail = True
        welcome = alice.welcome("bob.eth")
        assert welcome.verdict is Verdict.UNCHECKED
        assert not any("it has" in condition.sentence for condition in welcome.conditions)

    def test_the_next_service_is_asked_if_the_first_is_down(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(down(RELAY))
        assert alice.welcome("bob.eth").delivery_service == SECOND
        world.faults.append(down(SECOND))
        with pytest.raises(Unavailable):
            world.client(alice.identity).welcome("bob.eth")

    def test_nobody_there(self, world: World, alice: Dm3Client) -> None:
        with pytest.raises(NotFound):
            alice.welcome("nobody.eth")
        world.publish(world.identity("carol.eth"))
        with pytest.raises(NotFound):
            alice.welcome("carol.eth")


@given(RULES, st.integers(0, 2**256), st.booleans())
@settings(deadline=None, max_examples=100)
def test_any_rules_are_told_and_the_verdicts_agree(rules: PublicRules, number: int, fail: bool) -> None:
    address = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
    numbers = {(address, requirement.question): number for requirement in rules.requirements}
    threshold = Threshold(address, MemoryHoldings(numbers, fail=fail))
    conditions = threshold.conditions(rules)
    failed = [condition for condition in conditions if condition.verdict is Verdict.FAILED]
    assert all(condition.sentence.endswith(".") for condition in conditions)
    if not failed:
        threshold.require_met(rules)
        return
    with pytest.raises(Spam) as refused:
        threshold.require_met(rules)
    assert (refused.value.message, refused.value.data) == (failed[0].sentence, failed[0].data)
