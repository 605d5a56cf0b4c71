from __future__ import annotations

from collections.abc import Sequence

import ens.constants  # type: ignore[import-untyped]
import pytest

from chalicelib.bootstrap import InOrder, SystemChance, SystemClock
from chalicelib.names.ports import RpcCall, RpcResult
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.errors import Unavailable

CALLS = [RpcCall("eth_chainId")]


class Node:
    def __init__(self, answer: str | None) -> None:
        self._answer = answer
        self.asked = 0

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        self.asked += 1
        if self._answer is None:
            raise Unavailable
        return [RpcResult(self._answer)] * len(calls)


def test_nodes_are_asked_in_the_operators_order_until_one_answers() -> None:
    away, first, second = Node(None), Node("0x1"), Node("0x2")
    assert InOrder([away, first, second]).request(CALLS) == [RpcResult("0x1")]
    assert (away.asked, first.asked, second.asked) == (1, 1, 0)


def test_when_no_node_answers_the_chain_is_unavailable() -> None:
    with pytest.raises(Unavailable):
        InOrder([Node(None), Node(None)]).request(CALLS)


def test_names_are_resolved_where_the_main_network_resolves_them() -> None:
    assert ens.constants.UNIVERSAL_RESOLVER_ADDR == UNIVERSAL_RESOLVER


def test_the_systems_clock_and_chance() -> None:
    assert 1_700_000_000_000 < SystemClock().now_ms() < 10_000_000_000_000
    first, second = SystemChance().token(32), SystemChance().token(32)
    assert len(first) == len(second) == 32
    assert first != second
