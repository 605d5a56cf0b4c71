from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.names.counting import Event
from chalicelib.names.node_errors import node_failure
from chalicelib.names.ports import RpcError


@pytest.mark.parametrize(
    ("code", "message", "data"),
    [
        pytest.param(3, "execution reverted", "0x08c379a0", id="geth"),
        pytest.param(3, "", None, id="nothing but the code"),
        pytest.param(-32000, "execution reverted", None, id="geth, earlier"),
        pytest.param(-32603, "VM Exception while processing transaction: reverted", None, id="hardhat"),
        pytest.param(-32015, "VM execution error.", "Reverted 0x08c379a0", id="nethermind"),
        pytest.param(-32015, "VM execution error.", "Bad instruction fe", id="invalid, nethermind"),
        pytest.param(-32000, "invalid opcode: opcode 0xfe not defined", None, id="invalid, geth"),
        pytest.param(-32603, "EVM error InvalidFEOpcode", None, id="invalid, anvil"),
        pytest.param(-32000, "out of gas", None, id="gas, geth"),
        pytest.param(-32003, "Out of gas: gas required exceeds allowance: 50000000", None, id="gas, anvil"),
        pytest.param(-32000, "execution aborted (timeout = 5s)", None, id="a loop, geth"),
        pytest.param(-32000, "stack underflow (0 <=> 1)", None, id="stack"),
        pytest.param(-32000, "anything else", None, id="words nobody knows"),
    ],
)
def test_what_a_contract_does_is_an_answer(code: int, message: str, data: str | None) -> None:
    assert node_failure(RpcError(code, message, data)) is None


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32005, "daily request count exceeded, request rate limited"),
        (-32005, ""),
        (-32029, "Too Many Requests"),
        (429, "Your app has exceeded its compute units per second capacity."),
        (-32007, "50/second request limit reached - reduce calls per second"),
        (-32000, "rate limit exceeded"),
        (-32090, "Too many requests, reason: call rate limit exhausted, retry in 10s"),
    ],
)
def test_being_asked_too_often_is_the_nodes_own(code: int, message: str) -> None:
    assert node_failure(RpcError(code, message)) is Event.LIMITED


@pytest.mark.parametrize(
    ("code", "message"),
    [
        (-32603, "Internal error"),
        (-32000, "header not found"),
        (-32000, "missing trie node 5a7f (path ) state 0x01 is not available"),
        (-32000, "state is not available: historical state has been pruned"),
        (-32000, "node is not synced"),
        (-32001, "Resource not found."),
        (-32002, "Resource unavailable."),
        (-32601, "the method eth_call does not exist/is not available"),
        (-32011, "no backend is currently healthy to serve traffic"),
        (0, ""),
    ],
)
def test_what_is_wrong_with_the_node_is_the_nodes_own(code: int, message: str) -> None:
    assert node_failure(RpcError(code, message)) is Event.REFUSED


@given(st.integers(), st.text(), st.text())
def test_no_text_that_a_contract_gives_for_its_revert_counts_against_the_node(
    code: int, reason: str, data: str
) -> None:
    assert node_failure(RpcError(code, f"execution reverted: {reason}", data)) is None
