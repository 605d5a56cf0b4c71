from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.rules import (
    MAX_TOKEN_RULES,
    Allowance,
    Asked,
    ChainFailure,
    PublicRules,
    Question,
    Requirement,
    TokenStandard,
)
from tests.unit.protocol.strategies import accepts_or_refuses, bent, values

TOKEN = "0x6B175474E89094C44Da98b954EedeAC495271d0F"
STAKE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
MOST = 2**256 - 1
NAMES = [
    "minNonce",
    "minBalance",
    "minTokenBalance",
    "stake",
    "firstContact",
    "senderQuota",
    "totalQuota",
    "onChainFailure",
    "address",
    "amount",
    "standard",
    "id",
    "messages",
    "messagesPerDay",
    "kibPerDay",
]
EVERYTHING: dict[str, Any] = {
    "minNonce": 1,
    "minBalance": "10000000000000000",
    "minTokenBalance": [
        {"address": TOKEN, "amount": str(MOST), "standard": "erc20"},
        {"address": TOKEN, "amount": "1", "standard": "erc721"},
        {"address": TOKEN, "amount": "2", "standard": "erc1155", "id": "0"},
    ],
    "stake": {"address": STAKE, "amount": "1000"},
    "firstContact": {"messages": 3},
    "senderQuota": {"messagesPerDay": 0, "kibPerDay": 100},
    "totalQuota": {"kibPerDay": 5},
    "onChainFailure": "fail_open",
}
READ = PublicRules(
    requirements=(
        Requirement(Question(Asked.NONCE), 1),
        Requirement(Question(Asked.BALANCE), 10**16),
        Requirement(Question(Asked.TOKEN, TOKEN, TokenStandard.ERC20), MOST),
        Requirement(Question(Asked.TOKEN, TOKEN, TokenStandard.ERC721), 1),
        Requirement(Question(Asked.TOKEN, TOKEN, TokenStandard.ERC1155, 0), 2),
        Requirement(Question(Asked.STAKE, STAKE), 1000),
    ),
    first_contact_messages=3,
    sender_quota=Allowance(0, 100),
    total_quota=Allowance(kib_per_day=5),
    on_chain_failure=ChainFailure.FAIL_OPEN,
)


def test_every_rule_is_read_and_comes_back() -> None:
    assert PublicRules.parse(EVERYTHING) == READ
    assert READ.to_json() == EVERYTHING
    assert parse_json(canonicalize(READ.to_json())) == EVERYTHING


def test_without_rules_everybody_is_accepted() -> None:
    assert PublicRules.parse({}) == PublicRules()
    assert PublicRules().to_json() == {}
    assert PublicRules().unmet({}) is None
    assert PublicRules().on_chain_failure is ChainFailure.FAIL_CLOSED


def test_the_forms_of_the_reference() -> None:
    """`SpamFilterRules`: a number, a decimal text, and one object for the only token."""
    rules = PublicRules.parse(
        {"minNonce": 5, "minBalance": "1000", "minTokenBalance": {"address": TOKEN.lower(), "amount": "7"}}
    )
    assert rules.requirements == (
        Requirement(Question(Asked.NONCE), 5),
        Requirement(Question(Asked.BALANCE), 1000),
        Requirement(Question(Asked.TOKEN, TOKEN, TokenStandard.ERC20), 7),
    )


def test_a_token_is_of_erc20_and_one_suffices_unless_it_says_otherwise() -> None:
    (requirement,) = PublicRules.parse({"minTokenBalance": [{"address": TOKEN}]}).requirements
    assert requirement == Requirement(Question(Asked.TOKEN, TOKEN, TokenStandard.ERC20), 1)


@pytest.mark.parametrize(
    "value",
    [
        {"minNonce": 0},
        {"minBalance": "0"},
        {"minTokenBalance": []},
        {"minTokenBalance": {"address": TOKEN, "amount": "0"}},
        {"stake": {"address": STAKE, "amount": "00"}},
    ],
)
def test_a_minimum_of_nothing_is_no_rule(value: JsonValue) -> None:
    assert PublicRules.parse(value) == PublicRules()


def test_how_an_unreachable_chain_counts_is_kept_without_a_rule_that_needs_it() -> None:
    rules = PublicRules.parse({"onChainFailure": "fail_open"})
    assert PublicRules.parse(rules.to_json()) == rules
    assert rules.on_chain_failure is ChainFailure.FAIL_OPEN


def test_numbers_in_other_spellings() -> None:
    assert PublicRules.parse(parse_json(b'{"minNonce": 5.0, "minBalance": "007"}')).requirements == (
        Requirement(Question(Asked.NONCE), 5),
        Requirement(Question(Asked.BALANCE), 7),
    )


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "minNonce",
        {"other": 1},
        {"minNonce": None},
        {"minNonce": "1"},
        {"minNonce": True},
        {"minNonce": -1},
        {"minNonce": 1.5},
        {"minNonce": 2**53},
        {"minNonce": 10**400},
        {"minNonce": 1e308},
        {"minNonce": float("inf")},
        {"minNonce": float("nan")},
        {"minBalance": 1},
        {"minBalance": ""},
        {"minBalance": "-1"},
        {"minBalance": "1e18"},
        {"minBalance": "0x01"},
        {"minBalance": "1\n"},
        {"minBalance": "\u0661"},
        {"minBalance": str(2**256)},
        {"minBalance": "9" * 100_000},
        {"minTokenBalance": TOKEN},
        {"minTokenBalance": [{"amount": "1"}]},
        {"minTokenBalance": [{"address": TOKEN[:-1]}]},
        {"minTokenBalance": [{"address": TOKEN.replace("B", "b")}]},
        {"minTokenBalance": [{"address": TOKEN, "amount": 1}]},
        {"minTokenBalance": [{"address": TOKEN, "standard": "ERC20"}]},
        {"minTokenBalance": [{"address": TOKEN, "standard": {}}]},
        {"minTokenBalance": [{"address": TOKEN, "standard": "erc1155"}]},
        {"minTokenBalance": [{"address": TOKEN, "standard": "erc721", "id": "1"}]},
        {"minTokenBalance": [{"address": TOKEN, "standard": "erc1155", "id": 1}]},
        {"minTokenBalance": [{"address": TOKEN, "symbol": "DAI"}]},
        {"minTokenBalance": [{"address": TOKEN}] * (MAX_TOKEN_RULES + 1)},
        {"stake": {"address": STAKE}},
        {"stake": {"amount": "1"}},
        {"stake": {"address": STAKE, "amount": "1", "unit": "wei"}},
        {"firstContact": 3},
        {"firstContact": {}},
        {"firstContact": {"messages": -1}},
        {"senderQuota": {}},
        {"senderQuota": {"messagesPerDay": 0.5}},
        {"totalQuota": {"messagesPerHour": 1}},
        {"totalQuota": []},
        {"onChainFailure": "open"},
        {"onChainFailure": []},
        {"onChainFailure": None},
    ],
)
def test_what_is_no_rule_is_refused_in_one_sentence_that_repeats_nothing(value: JsonValue) -> None:
    with pytest.raises(InvalidInput) as refused:
        PublicRules.parse(value)
    assert len(refused.value.message) < 120
    assert TOKEN[2:].lower() not in refused.value.message.lower()


def test_of_another_service_what_is_of_our_form_counts() -> None:
    foreign: JsonValue = {
        "minNonce": 5,
        "minBalance": {"eth": 1},
        "minTokenBalance": [{"address": TOKEN, "chainId": 10}],
        "senderQuota": {"messagesPerDay": 5, "messagesPerHour": 1},
        "totalQuota": {"messagesPerDay": 7},
        "onChainFailure": {},
        "captcha": True,
    }
    assert PublicRules.parse(foreign, strict=False) == PublicRules(
        requirements=(Requirement(Question(Asked.NONCE), 5),), total_quota=Allowance(7)
    )
    with pytest.raises(InvalidInput):
        PublicRules.parse([], strict=False)


def test_the_first_requirement_that_is_not_met_is_named() -> None:
    answers = {requirement.question: requirement.least for requirement in READ.requirements}
    assert READ.unmet(answers) is None
    for requirement in READ.requirements:
        assert READ.unmet({**answers, requirement.question: requirement.least - 1}) is requirement
    assert READ.unmet(dict.fromkeys(answers, 0)) is READ.requirements[0]


@pytest.mark.parametrize(
    ("requirement", "told"),
    [
        (READ.requirements[0], {"rule": "minNonce", "required": "1"}),
        (READ.requirements[1], {"rule": "minBalance", "required": str(10**16)}),
        (
            READ.requirements[4],
            {
                "rule": "minTokenBalance",
                "required": "2",
                "address": TOKEN,
                "standard": "erc1155",
                "id": "0",
            },
        ),
        (READ.requirements[5], {"rule": "stake", "required": "1000", "address": STAKE}),
    ],
)
def test_a_refusal_tells_the_rule(requirement: Requirement, told: JsonValue) -> None:
    assert requirement.to_json() == told


_amounts = st.integers(1, MOST) | st.sampled_from([1, MOST])
_counts = st.integers(0, 2**53 - 1)
_addresses = st.sampled_from([TOKEN, STAKE])
_tokens = st.builds(
    Requirement,
    st.builds(
        lambda address, kind: Question(Asked.TOKEN, address, *kind),
        _addresses,
        st.sampled_from([(TokenStandard.ERC20,), (TokenStandard.ERC721,)])
        | st.tuples(st.just(TokenStandard.ERC1155), st.integers(0, MOST)),
    ),
    _amounts,
)
_requirements = st.builds(
    lambda nonce, balance, tokens, stake: (*nonce, *balance, *tokens, *stake),
    st.lists(st.builds(Requirement, st.just(Question(Asked.NONCE)), st.integers(1, 2**53 - 1)), max_size=1),
    st.lists(st.builds(Requirement, st.just(Question(Asked.BALANCE)), _amounts), max_size=1),
    st.lists(_tokens, max_size=MAX_TOKEN_RULES),
    st.lists(
        st.builds(
            lambda address, least: Requirement(Question(Asked.STAKE, address), least), _addresses, _amounts
        ),
        max_size=1,
    ),
)
_allowances = (
    st.none() | st.builds(Allowance, _counts, st.none() | _counts) | st.builds(Allowance, st.none(), _counts)
)
RULES = st.builds(
    PublicRules,
    requirements=_requirements,
    first_contact_messages=st.none() | _counts,
    sender_quota=_allowances,
    total_quota=_allowances,
    on_chain_failure=st.sampled_from(ChainFailure),
)


@settings(deadline=None, max_examples=200)
@given(RULES, st.booleans())
def test_rules_come_back_through_json_text(rules: PublicRules, strict: bool) -> None:
    assert PublicRules.parse(parse_json(canonicalize(rules.to_json())), strict=strict) == rules


@settings(deadline=None, max_examples=300)
@given(values(NAMES) | bent(EVERYTHING), st.booleans())
def test_any_json_is_rules_or_refused(value: JsonValue, strict: bool) -> None:
    """What is taken says the same when it is read again."""
    if accepts_or_refuses(lambda: PublicRules.parse(value, strict=strict)):
        rules = PublicRules.parse(value, strict=strict)
        assert PublicRules.parse(json.loads(json.dumps(rules.to_json()))) == rules


@settings(deadline=None, max_examples=100)
@given(st.dictionaries(st.text(max_size=3) | st.sampled_from(NAMES), values(NAMES), max_size=6))
def test_any_object_of_another_service_is_read(value: dict[str, JsonValue]) -> None:
    assert isinstance(PublicRules.parse(value, strict=False), PublicRules)
