"""Holdings read from the chain: all questions about an address in one HTTP request.

The nonce is asked by `eth_getTransactionCount`. Two or more other questions go into one `eth_call` to
Multicall3, beside it in the same JSON-RPC batch. On a chain without Multicall3 (an `eth_call` to an address
without code answers `0x`; learned once) each question is a call of its own in the batch, as it is when there
is only one.

Sources: EIP-1474 (`eth_getTransactionCount`, `eth_getBalance`, `eth_call`), ERC-20 and ERC-721
(`balanceOf(address)`), ERC-1155 (`balanceOf(address,uint256)`). A stake is read by the one view function that
a deposit contract must have for it:

    function depositOf(address depositor) external view returns (uint256)

Which contracts are asked is the receivers' choice, so what they do with it must be their own trouble only:

- Gas is bounded, so that a contract without end costs the node milliseconds. Memory costs gas: the bounds are
  such that no contract can return more than the transport reads (1 MiB of hex), which would look like a
  broken node.
- Within Multicall3 a contract that burns all its gas leaves a 64th to those after it, which then fail, too:
  their answer is 0. Only questions of one receiver's rules are ever asked together, and answers to different
  sets of questions must not be mixed (`remembered_holdings` does not).
- A contract that reverts, runs out of gas or answers nonsense answers 0. Any other refusal is the node's,
  and `Unavailable`: nobody is taken for poor because a node is ill.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Final

from chalicelib.names import abi
from chalicelib.names.multicall import MULTICALL3, aggregate_answer, aggregate_call
from chalicelib.names.ports import ChainTransport, RpcCall, RpcError, RpcResult
from chalicelib.names.rpc_answers import returned, revert_data
from chalicelib.protocol.encoding import decode_hex, encode_hex
from chalicelib.protocol.errors import InvalidEncoding, Unavailable
from chalicelib.protocol.rules import Asked, Question, TokenStandard

# Memory of w words costs 3w + w²/512 gas, so that one call returns 490 kB at most.
CALL_GAS: Final = 500_000
# What the calls return stands twice in the memory of Multicall3 itself, so that all of it is 500 kB at most.
AGGREGATE_GAS: Final = 2_000_000

# How nodes (geth and its kin, anvil) say that a contract failed, but for reverts and a lack of gas.
_FAULT: Final = re.compile("opcode|invalid ?jump|stack ?(under|over)flow|stack limit", re.IGNORECASE)
_QUANTITY: Final = re.compile("0x[0-9a-fA-F]{1,64}")


class ChainHoldings:
    """Implements `names.holdings.Holdings` over a node. Safe for use by several threads."""

    def __init__(self, transport: ChainTransport, *, multicall: str = MULTICALL3) -> None:
        self._transport = transport
        self._multicall = multicall
        self._has_multicall = True

    def read(self, address: str, questions: Sequence[Question]) -> Mapping[Question, int]:
        """As `Holdings.read`: one HTTP request; the first on a chain without Multicall3 may take a second."""
        asked = tuple(dict.fromkeys(questions))
        of_state = [question for question in asked if question.asked is not Asked.NONCE]
        if self._has_multicall and len(of_state) > 1:
            answers = self._aggregated(address, asked, of_state)
            if answers is not None:
                return answers
            self._has_multicall = False
        return self._one_by_one(address, asked)

    def _one_by_one(self, address: str, questions: Sequence[Question]) -> dict[Question, int]:
        if not questions:
            return {}
        results = self._transport.request([_plain_call(address, question) for question in questions])
        return {
            question: _plain_answer(question, result)
            for question, result in zip(questions, results, strict=True)
        }

    def _aggregated(
        self, address: str, questions: Sequence[Question], of_state: Sequence[Question]
    ) -> dict[Question, int] | None:
        """All answers, those to `of_state` through Multicall3; None if there is none."""
        beside = [question for question in questions if question.asked is Asked.NONCE]
        together = aggregate_call([self._call(address, question) for question in of_state])
        calls = [_plain_call(address, question) for question in beside]
        *results, aggregated = self._transport.request(
            [*calls, _eth_call(self._multicall, together, AGGREGATE_GAS)]
        )
        found = _aggregated_answers(of_state, aggregated)
        if found is None:
            return None
        return found | {
            question: _plain_answer(question, result)
            for question, result in zip(beside, results, strict=True)
        }

    def _call(self, address: str, question: Question) -> tuple[bytes, bytes]:
        """The contract, and the call data, that answer `question` within Multicall3."""
        if question.contract is None:
            return decode_hex(self._multicall), abi.encode_call("getEthBalance(address)", _word(address))
        return decode_hex(question.contract), _call_data(address, question)


def _aggregated_answers(questions: Sequence[Question], result: RpcResult) -> dict[Question, int] | None:
    if result.error is not None:
        _require_fault(result.error)
        return dict.fromkeys(questions, 0)
    data = returned(result.value)
    if not data:
        return None
    try:
        results = aggregate_answer(data, len(questions))
    except InvalidEncoding:
        raise Unavailable("The node gave an answer that makes no sense.") from None
    return {question: _number(answer or b"") for question, answer in zip(questions, results, strict=True)}


def _plain_call(address: str, question: Question) -> RpcCall:
    if question.asked is Asked.NONCE:
        return RpcCall("eth_getTransactionCount", (address, "latest"))
    if question.contract is None:
        return RpcCall("eth_getBalance", (address, "latest"))
    return _eth_call(question.contract, _call_data(address, question), CALL_GAS)


def _plain_answer(question: Question, result: RpcResult) -> int:
    if question.contract is None:
        return _quantity(result)
    if result.error is not None:
        _require_fault(result.error)
        return 0
    return _number(returned(result.value))


def _eth_call(contract: str, data: bytes, gas: int) -> RpcCall:
    return RpcCall("eth_call", ({"to": contract, "data": encode_hex(data), "gas": hex(gas)}, "latest"))


def _call_data(address: str, question: Question) -> bytes:
    if question.asked is Asked.STAKE:
        return abi.encode_call("depositOf(address)", _word(address))
    if question.standard is TokenStandard.ERC1155:
        token_id = (question.token_id or 0).to_bytes(abi.WORD_BYTES, "big")
        return abi.encode_call("balanceOf(address,uint256)", _word(address), token_id)
    return abi.encode_call("balanceOf(address)", _word(address))


def _word(address: str) -> bytes:
    return abi.address_word(decode_hex(address))


def _number(answer: bytes) -> int:
    """The number that a contract answered; 0 if it is none."""
    try:
        return int.from_bytes(abi.read_word(answer, 0), "big")
    except InvalidEncoding:
        return 0


def _require_fault(error: RpcError) -> None:
    """Raises `Unavailable` unless it is the called contract that failed."""
    if not _FAULT.search(error.message):
        revert_data(error)


def _quantity(result: RpcResult) -> int:
    """A number in hex, as the node itself answers. Raises `Unavailable`."""
    if result.error is not None:
        raise Unavailable("The node refused to answer; try again.")
    if not isinstance(result.value, str) or not _QUANTITY.fullmatch(result.value):
        raise Unavailable("The node gave an answer that makes no sense.")
    return int(result.value, 16)
