from __future__ import annotations

from collections.abc import Sequence

import pytest
from eth_abi.abi import encode
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.chain_holdings import AGGREGATE_GAS, CALL_GAS, ChainHoldings
from chalicelib.names.http_transport import MAX_ANSWER_BYTES
from chalicelib.names.ports import RpcCall, RpcError, RpcResult
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.rules import Asked, Question, TokenStandard
from chalicelib.protocol.wallet import checksum_address
from tests.unit.names.simulated_contracts import (
    Contract,
    SimulatedContracts,
    burning,
    reverting,
    token,
)

ALICE = "0x70997970C51812dc3A010C7d01b50e0d17dc79C8"
COIN, ART, GAME, VAULT, BAD = (
    checksum_address("0x" + digits * 20) for digits in ("c0", "a1", "9a", "de", "bd")
)
NONCE, BALANCE = Question(Asked.NONCE), Question(Asked.BALANCE)
COINS = Question(Asked.TOKEN, COIN, TokenStandard.ERC20)
WORKS = Question(Asked.TOKEN, ART, TokenStandard.ERC721)
SWORDS = Question(Asked.TOKEN, GAME, TokenStandard.ERC1155, 7)
STAKE = Question(Asked.STAKE, VAULT)
EVERYTHING = {NONCE: 5, BALANCE: 10**18, COINS: 2**256 - 1, WORKS: 1, SWORDS: 2, STAKE: 1000}
BROKEN = Question(Asked.TOKEN, BAD, TokenStandard.ERC20)
FAULTS = [
    RpcError(3, "execution reverted", "0x"),
    RpcError(-32000, "out of gas"),
    RpcError(-32000, "out of gas: gas required exceeds allowance (500000)"),
    RpcError(-32000, "invalid opcode: INVALID"),
    RpcError(-32000, "invalid jump destination"),
    RpcError(-32000, "stack underflow (0 <=> 1)"),
    RpcError(-32603, "EVM error OutOfGas"),
    RpcError(-32603, "EVM error MemoryOOG"),
    RpcError(-32603, "EVM error InvalidFEOpcode"),
]
REFUSALS = [
    RpcError(-32005, "rate limited"),
    RpcError(-32000, "header not found"),
    RpcError(-32602, "gas limit is too high"),
    RpcError(0, ""),
]


def chain(*, multicall: bool = True, bad: Contract | None = None) -> SimulatedContracts:
    owner = ALICE.lower()
    contracts = {
        COIN.lower(): token({owner: 2**256 - 1}),
        ART.lower(): token({owner: 1}),
        GAME.lower(): token({}, {(owner, 7): 2}),
        VAULT.lower(): token({owner: 1000}),
    }
    if bad is not None:
        contracts[BAD.lower()] = bad
    return SimulatedContracts(contracts, {owner: 10**18}, {owner: 5}, multicall=multicall)


class Answering:
    """A node that answers every call alike, or the last one otherwise."""

    def __init__(self, answer: RpcResult, last: RpcResult | None = None) -> None:
        self._answer = answer
        self._last = last or answer

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        return [self._answer] * (len(calls) - 1) + [self._last]


@pytest.mark.parametrize("multicall", [True, False])
def test_every_question_is_answered(multicall: bool) -> None:
    assert ChainHoldings(chain(multicall=multicall)).read(ALICE, list(EVERYTHING)) == EVERYTHING


@pytest.mark.parametrize("rules", [[NONCE, BALANCE, COINS], [BALANCE, COINS, STAKE], [NONCE, COINS, WORKS]])
def test_three_chain_rules_are_one_http_request(rules: list[Question]) -> None:
    node = chain()
    answers = ChainHoldings(node).read(ALICE, rules)
    assert answers == {question: EVERYTHING[question] for question in rules}
    assert node.requests == 1
    assert sum(call.method == "eth_call" for call in node.calls) == 1


def test_without_multicall_that_is_learned_once() -> None:
    node = chain(multicall=False)
    holdings = ChainHoldings(node)
    for requests in (2, 3, 4):
        holdings.read(ALICE, [NONCE, BALANCE, COINS])
        assert node.requests == requests
    assert [call.method for call in node.calls[-3:]] == [
        "eth_getTransactionCount",
        "eth_getBalance",
        "eth_call",
    ]


@pytest.mark.parametrize("question", list(EVERYTHING))
def test_a_single_question_is_a_single_plain_call(question: Question) -> None:
    node = chain()
    assert ChainHoldings(node).read(ALICE, [question, question]) == {question: EVERYTHING[question]}
    assert (node.requests, len(node.calls)) == (1, 1)
    transaction = node.calls[0].params[0]
    assert not isinstance(transaction, dict) or transaction["to"] == question.contract


def test_nonce_and_balance_need_no_contract() -> None:
    node = chain()
    assert ChainHoldings(node).read(ALICE, [NONCE, BALANCE]) == {NONCE: 5, BALANCE: 10**18}
    assert [call.method for call in node.calls] == ["eth_getTransactionCount", "eth_getBalance"]


def test_without_questions_nobody_is_asked() -> None:
    node = chain()
    assert ChainHoldings(node).read(ALICE, []) == {}
    assert node.requests == 0


BAD_CONTRACTS: dict[str, Contract | None] = {
    "no contract": None,
    "reverts": reverting,
    "answers nothing": lambda _: b"",
    "answers too little": lambda _: b"\x01" * 31,
}


@pytest.mark.parametrize("multicall", [True, False])
@pytest.mark.parametrize("bad", list(BAD_CONTRACTS.values()), ids=list(BAD_CONTRACTS))
def test_a_contract_that_answers_no_number_has_none_of_it(bad: Contract | None, multicall: bool) -> None:
    holdings = ChainHoldings(chain(bad=bad, multicall=multicall))
    assert holdings.read(ALICE, [BROKEN]) == {BROKEN: 0}
    assert holdings.read(ALICE, [BROKEN, *EVERYTHING]) == {BROKEN: 0, **EVERYTHING}


def test_one_contract_that_burns_gas_leaves_enough_for_some_others() -> None:
    node = chain(bad=burning)
    assert ChainHoldings(node).read(ALICE, [BROKEN, NONCE, COINS]) == {
        BROKEN: 0,
        NONCE: 5,
        COINS: EVERYTHING[COINS],
    }
    assert node.requests == 1


def test_contracts_that_burn_everything_spoil_their_own_receiver_s_answers_only() -> None:
    """All of one decision is 0 but the nonce; nothing is unavailable, and nothing lasts."""
    node = chain(bad=burning)
    more = [Question(Asked.TOKEN, BAD, TokenStandard.ERC1155, number) for number in range(4)]
    holdings = ChainHoldings(node)
    answers = holdings.read(ALICE, [BROKEN, *more, *EVERYTHING])
    assert answers[NONCE] == 5
    assert not any(number for question, number in answers.items() if question is not NONCE)
    assert holdings.read(ALICE, list(EVERYTHING)) == EVERYTHING


def test_without_multicall_a_burner_harms_nothing_but_itself() -> None:
    holdings = ChainHoldings(chain(bad=burning, multicall=False))
    assert holdings.read(ALICE, [BROKEN, *EVERYTHING]) == {BROKEN: 0, **EVERYTHING}


def test_no_call_may_use_gas_without_bound() -> None:
    node = chain(multicall=False)
    ChainHoldings(node).read(ALICE, list(EVERYTHING))
    transactions = [call.params[0] for call in node.calls if call.method == "eth_call"]
    assert [transaction["gas"] for transaction in transactions if isinstance(transaction, dict)] == [
        hex(AGGREGATE_GAS),
        *[hex(CALL_GAS)] * 4,
    ]


def test_the_longest_answer_that_gas_buys_is_short_enough_for_the_transport() -> None:
    """Memory of w words costs 3w + w²/512 (Yellow Paper, appendix H), and is two hex digits a byte.

    What many contracts return together stands twice in the memory of Multicall3.
    """

    def most_words(gas: int) -> int:
        return max(words for words in range(gas // 3) if 3 * words + words * words // 512 <= gas)

    assert 2 * 32 * most_words(CALL_GAS) < MAX_ANSWER_BYTES
    assert 2 * 32 * most_words(AGGREGATE_GAS) // 2 < MAX_ANSWER_BYTES


@pytest.mark.parametrize("error", FAULTS, ids=lambda error: error.message)
def test_what_a_contract_cannot_do_is_its_own_fault(error: RpcError) -> None:
    assert ChainHoldings(Answering(RpcResult(error=error))).read(ALICE, [COINS]) == {COINS: 0}
    node = Answering(RpcResult(value="0x5"), last=RpcResult(error=error))
    assert ChainHoldings(node).read(ALICE, [NONCE, BALANCE, COINS]) == {NONCE: 5, BALANCE: 0, COINS: 0}


@pytest.mark.parametrize("error", REFUSALS, ids=lambda error: error.message)
@pytest.mark.parametrize("questions", [[COINS], [BALANCE], [NONCE], [BALANCE, COINS]])
def test_any_other_refusal_is_the_node_s(error: RpcError, questions: list[Question]) -> None:
    with pytest.raises(Unavailable):
        ChainHoldings(Answering(RpcResult(error=error))).read(ALICE, questions)


def test_a_node_cannot_revert_what_is_no_contract() -> None:
    for question in (NONCE, BALANCE):
        with pytest.raises(Unavailable):
            ChainHoldings(Answering(RpcResult(error=FAULTS[0]))).read(ALICE, [question])


@pytest.mark.parametrize("value", [None, 5, "", "5", "0x", "0xg", "0x" + "1" * 65, "0x1\n", [], {"a": 1}])
def test_a_node_that_tells_no_number_is_unavailable(value: JsonValue) -> None:
    for questions in ([NONCE], [BALANCE], [NONCE, BALANCE]):
        with pytest.raises(Unavailable):
            ChainHoldings(Answering(RpcResult(value=value))).read(ALICE, questions)


@pytest.mark.parametrize("value", [None, 5, "", "0x0", "0xzz", "0x01", "0x" + "ff" * 64, [], {}])
def test_an_answer_of_multicall_that_is_none_is_unavailable(value: JsonValue) -> None:
    node = Answering(RpcResult(value="0x5"), last=RpcResult(value=value))
    with pytest.raises(Unavailable):
        ChainHoldings(node).read(ALICE, [NONCE, BALANCE, COINS])


def test_a_node_that_is_down() -> None:
    node = chain()
    node.fail = True
    with pytest.raises(Unavailable):
        ChainHoldings(node).read(ALICE, list(EVERYTHING))
    node.fail = False
    assert ChainHoldings(node).read(ALICE, list(EVERYTHING)) == EVERYTHING


_values = (
    st.none()
    | st.integers()
    | st.text(max_size=8)
    | st.binary(max_size=200).map(lambda data: "0x" + data.hex())
    | st.lists(st.tuples(st.booleans(), st.binary(max_size=64)), max_size=3).map(
        lambda results: "0x" + encode(["(bool,bytes)[]"], [results]).hex()
    )
)
_answers = st.builds(RpcResult, value=_values) | st.builds(
    RpcResult, error=st.sampled_from(FAULTS + REFUSALS)
)


@given(_answers, _answers, st.lists(st.sampled_from(list(EVERYTHING)), max_size=4))
@settings(deadline=None, max_examples=300)
def test_a_hostile_node_gives_a_number_for_each_or_is_unavailable(
    answer: RpcResult, last: RpcResult, questions: list[Question]
) -> None:
    try:
        answers = ChainHoldings(Answering(answer, last)).read(ALICE, questions)
    except Unavailable:
        return
    assert answers.keys() == set(questions)
    assert all(0 <= number < 2**256 for number in answers.values())


@given(st.binary(max_size=100), st.booleans())
@settings(deadline=None, max_examples=100)
def test_a_hostile_contract_makes_no_error_at_all(answer: bytes, multicall: bool) -> None:
    holdings = ChainHoldings(chain(bad=lambda _: answer, multicall=multicall))
    answers = holdings.read(ALICE, [BROKEN, *EVERYTHING])
    assert answers == {BROKEN: int.from_bytes(answer[:32], "big") if len(answer) >= 32 else 0, **EVERYTHING}
