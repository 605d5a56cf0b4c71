from __future__ import annotations

from collections.abc import Mapping, Sequence

import pytest

from chalicelib.names.directory import Toll
from chalicelib.names.holdings import MemoryHoldings
from chalicelib.protocol.errors import LimitExceeded, Spam, Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.rules import PublicRules, Question
from chalicelib.relay.policy.chain_rules import ChainRules, NoHoldings
from tests.unit.relay.world import ALICE

TOKEN, SAFE = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e", "0x0000000000000000000000000000000000000001"
DOCUMENT: dict[str, JsonValue] = {
    "minNonce": 5,
    "minBalance": "10",
    "minTokenBalance": [
        {"address": TOKEN, "amount": "2"},
        {"address": TOKEN, "standard": "erc721"},
        {"address": TOKEN, "standard": "erc1155", "id": "7"},
    ],
    "stake": {"address": SAFE, "amount": "3"},
}
TOLD: list[JsonValue] = [
    {"rule": "minNonce", "required": "5"},
    {"rule": "minBalance", "required": "10"},
    {"rule": "minTokenBalance", "required": "2", "address": TOKEN, "standard": "erc20"},
    {"rule": "minTokenBalance", "required": "1", "address": TOKEN, "standard": "erc721"},
    {"rule": "minTokenBalance", "required": "1", "address": TOKEN, "standard": "erc1155", "id": "7"},
    {"rule": "stake", "required": "3", "address": SAFE},
]


def holdings(rules: PublicRules, short_of: int | None = None) -> MemoryHoldings:
    """Enough of everything, but one less of one thing."""
    return MemoryHoldings(
        {
            (ALICE.address, one.question): one.least - (number == short_of)
            for number, one in enumerate(rules.requirements)
        }
    )


def test_who_has_enough_of_everything_passes_by_one_reading() -> None:
    rules = PublicRules.parse(DOCUMENT)
    enough = holdings(rules)
    ChainRules(enough).require(rules, ALICE.address)
    assert enough.readings == [ALICE.address]


@pytest.mark.parametrize("short_of", range(len(TOLD)))
def test_who_is_short_of_one_thing_is_told_which(short_of: int) -> None:
    rules = PublicRules.parse(DOCUMENT)
    with pytest.raises(Spam) as caught:
        ChainRules(holdings(rules, short_of)).require(rules, ALICE.address)
    assert caught.value.data == TOLD[short_of]
    assert str(TOLD[short_of]["rule"]) in caught.value.message  # type: ignore[call-overload,index]


def test_without_requirements_nothing_is_read() -> None:
    nothing = MemoryHoldings(fail=True)
    ChainRules(nothing).require(PublicRules(first_contact_messages=1), ALICE.address)
    assert nothing.readings == []


def test_without_a_proven_address_the_first_requirement_refuses_unread() -> None:
    rules = PublicRules.parse(DOCUMENT)
    enough = holdings(rules)
    with pytest.raises(Spam) as caught:
        ChainRules(enough).require(rules, None)
    assert caught.value.data == TOLD[0]
    assert enough.readings == []


@pytest.mark.parametrize("chain", [MemoryHoldings(fail=True), NoHoldings()])
def test_while_the_chain_cannot_be_asked_the_receiver_has_chosen(chain: MemoryHoldings | NoHoldings) -> None:
    rules = ChainRules(chain)
    rules.require(PublicRules.parse({**DOCUMENT, "onChainFailure": "fail_open"}), ALICE.address)
    for closed in (DOCUMENT, {**DOCUMENT, "onChainFailure": "fail_closed"}):
        with pytest.raises(Unavailable, match="try again"):
            rules.require(PublicRules.parse(closed), ALICE.address)


def test_an_open_door_is_none_for_who_proves_no_address() -> None:
    rules = PublicRules.parse({**DOCUMENT, "onChainFailure": "fail_open"})
    with pytest.raises(Spam):
        ChainRules(NoHoldings()).require(rules, None)


def test_a_question_is_asked_once() -> None:
    twice: list[JsonValue] = [{"address": TOKEN, "amount": "1"}, {"address": TOKEN, "amount": "2"}]
    asked: list[int] = []

    class Counting(MemoryHoldings):
        def read(
            self, address: str, questions: Sequence[Question], *, toll: Toll | None = None
        ) -> Mapping[Question, int]:
            asked.append(len(questions))
            return dict.fromkeys(questions, 1)

    with pytest.raises(Spam) as caught:
        ChainRules(Counting()).require(PublicRules.parse({"minTokenBalance": twice}), ALICE.address)
    assert asked == [1]
    assert caught.value.data["required"] == "2"


@pytest.mark.parametrize("failure", ["fail_open", "fail_closed"])
def test_a_toll_that_cannot_be_paid_opens_no_door(failure: str) -> None:
    rules = PublicRules.parse({**DOCUMENT, "onChainFailure": failure})

    def toll() -> None:
        raise LimitExceeded(retry_after_s=1)

    with pytest.raises(LimitExceeded):
        ChainRules(holdings(rules)).require(rules, ALICE.address, toll=toll)
