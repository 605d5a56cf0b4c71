from __future__ import annotations

from collections.abc import Callable
from threading import Barrier, Thread

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.senders import Sender
from chalicelib.store.memory import Moment
from tests.unit.relay.policy.desk import BARE, CLAIM, INBOX, PROVEN, Desk
from tests.unit.relay.world import ALICE

DAY_S = 86_400
EVERYTHING: dict[str, JsonValue] = {
    "minNonce": 1,
    "firstContact": {"messages": 3},
    "senderQuota": {"messagesPerDay": 5, "kibPerDay": 50},
    "totalQuota": {"messagesPerDay": 7, "kibPerDay": 70},
}
# One private rule each, under which Alice is refused.
REFUSING: dict[str, dict[str, JsonValue]] = {
    "by name": {"block": ["alice.eth", "bob.eth"]},
    "by subtree": {"block": ["*.eth"]},
    "by address": {"block": [ALICE.address]},
    "not on the allow list": {"onlyAllowed": True, "allow": ["bob.eth"]},
    "on no list at all": {"onlyAllowed": True},
}


def with_nonce(desk: Desk, nonce: int = 1) -> Desk:
    """Everything is ruled, and Alice has sent so many transactions."""
    desk.rule(rules=EVERYTHING)
    [requirement] = desk.rules.of(INBOX).public.requirements
    desk.holdings.numbers[ALICE.address, requirement.question] = nonce
    desk.calls.clear()
    return desk


def refusal(desk: Desk, sender: Sender = PROVEN) -> Spam:
    with pytest.raises(Spam) as caught:
        desk.admit(sender)
    return caught.value


def test_without_rules_everybody_is_accepted_and_one_read_remembered() -> None:
    desk = Desk()
    for sender in (PROVEN, BARE, CLAIM):
        desk.admit(sender)
    assert desk.calls == {"rules.get": 1}
    assert desk.holdings.readings == []


@pytest.mark.parametrize("case", REFUSING)
def test_every_private_rule_answers_alike_after_the_same_work(case: str) -> None:
    desk = with_nonce(Desk())
    desk.rule(INBOX, rules=EVERYTHING, **REFUSING[case])
    desk.calls.clear()
    for _ in range(2):
        refused = refusal(desk)
        assert (refused.data, refused.message) == ({"rule": "receiver"}, Spam.summary)
    assert desk.calls == {"rules.get": 1}, "the rules themselves, once"
    assert desk.holdings.readings == []


def test_the_allow_list_wins_and_skips_everything_else() -> None:
    desk = Desk()
    desk.rule(
        rules={"minNonce": 9, "firstContact": {"messages": 0}, "totalQuota": {"messagesPerDay": 0}},
        allow=["alice.eth"],
        block=["*.eth"],
        onlyAllowed=True,
    )
    desk.calls.clear()
    for _ in range(3):
        desk.admit()
    assert desk.calls == {"rules.get": 1}
    assert desk.holdings.readings == []


def test_the_chain_comes_before_what_is_counted() -> None:
    desk = with_nonce(Desk(), nonce=0)
    assert refusal(desk).data == {"rule": "minNonce", "required": "1"}
    assert not desk.calls


def test_while_the_chain_cannot_be_asked_nothing_is_charged() -> None:
    desk = with_nonce(Desk())
    desk.holdings.fail = True
    with pytest.raises(Unavailable):
        desk.admit()
    assert "counters.charge" not in desk.calls
    desk.holdings.fail = False
    desk.admit()


def test_all_rules_cost_one_reading_of_the_chain_one_of_the_counters_and_a_write_each() -> None:
    """And a write that the letter has been counted among those of a stranger."""
    desk = with_nonce(Desk())
    desk.admit()
    assert desk.holdings.readings == [ALICE.address]
    assert desk.calls == {"counters.read": 1, "counters.charge": 5 + 1}


def test_first_contact_refuses_before_the_quotas() -> None:
    desk = with_nonce(Desk())
    for _ in range(3):
        desk.admit()
    assert refusal(desk).data == {"rule": "firstContact", "messages": 3}
    desk.first_contact.answer(INBOX, [PROVEN.identity])
    for _ in range(2):
        desk.admit()
    assert refusal(desk).data["rule"] == "senderQuota"


def test_what_is_refused_uses_up_nothing_of_the_wider_quotas() -> None:
    desk = Desk()
    desk.rule(rules={"senderQuota": {"messagesPerDay": 1}, "totalQuota": {"messagesPerDay": 2}})
    desk.admit()
    for _ in range(5):
        assert refusal(desk).data["rule"] == "senderQuota"
    desk.admit(BARE)
    assert refusal(desk, CLAIM).data["rule"] == "totalQuota"


def test_a_claim_is_counted_apart_from_whom_it_names() -> None:
    desk = Desk()
    desk.rule(rules={"firstContact": {"messages": 1}})
    desk.admit(CLAIM)
    desk.admit(BARE)
    desk.admit(PROVEN)
    for sender in (CLAIM, BARE, PROVEN):
        assert refusal(desk, sender).data["rule"] == "firstContact"


@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("call", range(7))
def test_every_call_of_the_store_may_fail_and_nothing_is_accepted_then(call: int, moment: Moment) -> None:
    desk = with_nonce(Desk())
    desk.clock.pass_s(30)
    counted, made = desk.store.faults, []

    def fail(operation: str, when: Moment) -> None:
        if when is moment:
            made.append(operation)
            if len(made) == call + 1:
                raise Unavailable

    desk.store.faults = fail
    with pytest.raises(Unavailable):
        desk.admit()
    assert made[:2] == ["rules.get", "counters.read"][: len(made)]
    desk.store.faults = counted
    accepted = 0
    for _ in range(5):
        try:
            desk.admit()
        except Spam:
            break
        accepted += 1
    # What was charged for the one that failed stays charged: never one more than the rule says.
    assert accepted in {2, 3}


@pytest.mark.parametrize(
    ("rules", "most"),
    [
        ({"firstContact": {"messages": 5}}, 32 * 5),
        ({"senderQuota": {"messagesPerDay": 2}}, 32 * 2),
        ({"totalQuota": {"messagesPerDay": 50}}, 50),
        ({"totalQuota": {"kibPerDay": 99}}, 33),
        ({"senderQuota": {"messagesPerDay": 3}, "totalQuota": {"messagesPerDay": 60, "kibPerDay": 300}}, 60),
    ],
)
def test_32_senders_at_once_get_in_what_the_rule_says(rules: dict[str, JsonValue], most: int) -> None:
    desk = Desk()
    desk.rule(rules=rules)
    barrier, accepted = Barrier(32), []

    def write(number: int) -> None:
        barrier.wait()
        for _ in range(8):
            try:
                desk.admit(Sender(f"{number}.eth", None, verified=True))
            except Spam:
                continue
            accepted.append(number)

    threads: list[Thread] = [Thread(target=write, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(accepted) == most


# A model of what is counted

PEOPLE = [Sender(f"{name}.eth", None, verified=True) for name in ("anna", "ben")]
STRANGERS, EACH, ALL, KIB = 2, 4, 6, 20


class Counted(RuleBasedStateMachine):
    """First contact and quotas, against two dictionaries; days go by, answers are given."""

    def __init__(self) -> None:
        super().__init__()
        self.desk = Desk()
        self.desk.rule(
            rules={
                "firstContact": {"messages": STRANGERS},
                "senderQuota": {"messagesPerDay": EACH},
                "totalQuota": {"messagesPerDay": ALL, "kibPerDay": KIB},
            }
        )
        self.contacts: dict[str, int] = {}
        self.known: set[str] = set()
        self.today: list[tuple[str, int]] = []

    def expected(self, sender: Sender, kib: int) -> str | None:
        if sender.name not in self.known and self.contacts.get(sender.name, 0) >= STRANGERS:
            return "firstContact"
        if sum(name == sender.name for name, _ in self.today) >= EACH:
            return "senderQuota"
        if len(self.today) >= ALL or sum(size for _, size in self.today) + kib > KIB:
            return "totalQuota"
        return None

    @rule(sender=st.sampled_from(PEOPLE), kib=st.integers(1, 8))
    def write(self, sender: Sender, kib: int) -> None:
        expected = self.expected(sender, kib)
        try:
            self.desk.admit(sender, kib * 1_024 - 1)
            refused = None
        except Spam as error:
            refused = error.data["rule"]
        assert refused == expected
        if refused is None:
            self.today.append((sender.name, kib))
            if sender.name not in self.known:
                self.contacts[sender.name] = self.contacts.get(sender.name, 0) + 1

    @rule(sender=st.sampled_from(PEOPLE))
    def answer(self, sender: Sender) -> None:
        self.desk.first_contact.answer(INBOX, [sender.identity])
        self.known.add(sender.name)

    @precondition(lambda self: self.today)
    @rule()
    def sleep(self) -> None:
        self.desk.clock.pass_s(DAY_S - self.desk.clock.now_s % DAY_S)
        self.today.clear()

    @invariant()
    def never_more_than_allowed(self) -> None:
        assert len(self.today) <= ALL
        assert sum(size for _, size in self.today) <= KIB


TestCounted: Callable[[], object] = Counted.TestCase
TestCounted.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)  # type: ignore[attr-defined]
