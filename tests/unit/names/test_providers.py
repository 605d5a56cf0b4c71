from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

import pytest

from chalicelib.names.circuit import CircuitPolicy
from chalicelib.names.counting import Event
from chalicelib.names.heads import HeadPolicy
from chalicelib.names.ports import AnswerTooLong, RateLimited, RpcCall, RpcError, RpcResult
from chalicelib.names.providers import ProviderPolicy, Providers
from chalicelib.protocol.errors import Unavailable

START_S = 1_700_000_000
CALLS = [RpcCall("eth_call", ({"to": "0x00"}, "latest"))]
REVERTED = RpcResult(error=RpcError(3, "execution reverted", "0x"))
POLICY = ProviderPolicy(
    timeout_s=2.0,
    total_s=5.0,
    circuit=CircuitPolicy(failures=3, pause_s=1.0, longest_pause_s=8.0),
    head=HeadPolicy(max_lag_s=0),
)
WATCHED = ProviderPolicy(circuit=POLICY.circuit, head=HeadPolicy(max_lag_s=100, interval_s=15.0))


@dataclass
class Hand:
    """Wall clock and monotonic clock in one hand."""

    now_s: float = START_S

    def clock_ms(self) -> int:
        return int(self.now_s * 1_000)

    def monotonic_s(self) -> float:
        return self.now_s


@dataclass
class Node:
    """Answers every call with `answer`, after `takes_s`; `ill` replaces that. Its head is `behind_s` old."""

    hand: Hand
    answer: RpcResult = field(default_factory=lambda: RpcResult("0x1"))
    takes_s: float = 0.0
    behind_s: float = 0.0
    chain_id: int = 1
    ill: BaseException | None = None
    asked: list[tuple[str, ...]] = field(default_factory=list)
    deadlines_s: list[float | None] = field(default_factory=list)

    def request(self, calls: Sequence[RpcCall], *, timeout_s: float | None = None) -> list[RpcResult]:
        self.asked.append(tuple(call.method for call in calls))
        self.deadlines_s.append(timeout_s)
        if timeout_s is not None and self.takes_s > timeout_s:
            self.hand.now_s += timeout_s
            raise Unavailable
        self.hand.now_s += self.takes_s
        if self.ill is not None:
            raise self.ill
        return [self._result(call) for call in calls]

    def _result(self, call: RpcCall) -> RpcResult:
        if call.method == "eth_getBlockByNumber":
            return RpcResult({"timestamp": hex(int(self.hand.now_s - self.behind_s))})
        return RpcResult(hex(self.chain_id)) if call.method == "eth_chainId" else self.answer


class World:
    def __init__(self, nodes: int = 2, policy: ProviderPolicy = POLICY) -> None:
        self.hand = Hand()
        self.nodes = [Node(self.hand, RpcResult(f"0x{place}")) for place in range(1, nodes + 1)]
        self.counted: Counter[str] = Counter()
        self.providers = Providers(
            self.nodes,
            clock_ms=self.hand.clock_ms,
            monotonic_s=self.hand.monotonic_s,
            policy=policy,
            count=self._count,
        )

    def _count(self, event: str, /, **dimensions: str) -> None:
        self.counted[" ".join((event, *dimensions.values()))] += 1

    def ask(self) -> object:
        (result,) = self.providers.request(CALLS)
        return result.value

    @property
    def requests(self) -> list[int]:
        return [len(node.asked) for node in self.nodes]


def test_the_first_that_answers_is_the_only_one_asked() -> None:
    world = World()
    assert [world.ask() for _ in range(3)] == ["0x1"] * 3
    assert world.requests == [3, 0]
    assert world.counted == {"ProviderRequests 1": 3}


def test_a_revert_is_an_answer() -> None:
    world = World()
    world.nodes[0].answer = REVERTED
    for _ in range(5):
        assert world.providers.request(CALLS) == [REVERTED]
    assert world.requests == [5, 0]


@pytest.mark.parametrize(
    ("spoil", "event"),
    [
        (lambda node: setattr(node, "ill", Unavailable()), Event.FAILED),
        (lambda node: setattr(node, "ill", RateLimited()), Event.LIMITED),
        (lambda node: setattr(node, "takes_s", 10.0), Event.SLOW),
        (lambda node: setattr(node, "answer", RpcResult(error=RpcError(-32005, "slow down"))), Event.LIMITED),
        (lambda node: setattr(node, "answer", RpcResult(error=RpcError(-32603, "oh"))), Event.REFUSED),
        (
            lambda node: setattr(node, "answer", RpcResult(error=RpcError(-32000, "header not found"))),
            Event.REFUSED,
        ),
    ],
)
def test_a_broken_provider_is_passed_over_and_counted(spoil: Callable[[Node], None], event: Event) -> None:
    world = World()
    spoil(world.nodes[0])
    assert world.ask() == "0x2"
    assert world.counted == {"ProviderRequests 1": 1, f"{event} 1": 1, "ProviderRequests 2": 1}


def test_a_provider_that_keeps_failing_is_left_alone_until_a_trial_succeeds() -> None:
    world = World()
    first = world.nodes[0]
    first.ill = Unavailable()
    for _ in range(10):
        assert world.ask() == "0x2"
    assert world.requests == [3, 10]
    for pause_s in (1.0, 2.0, 4.0, 8.0, 8.0):
        world.hand.now_s += pause_s
        before = len(first.asked)
        for _ in range(5):
            assert world.ask() == "0x2"
        assert len(first.asked) == before + 1
    first.ill = None
    world.hand.now_s += 8.0
    assert [world.ask() for _ in range(3)] == ["0x1"] * 3
    assert (world.counted["CircuitOpened 1"], world.counted["CircuitClosed 1"]) == (6, 1)


def test_contracts_that_return_at_length_open_no_circuit() -> None:
    world = World()
    for node in world.nodes:
        node.ill = AnswerTooLong()
    for _ in range(5):
        with pytest.raises(Unavailable):
            world.ask()
    assert world.requests == [5, 5]
    assert world.counted["ProviderTooLong 1"] == world.counted["ProviderTooLong 2"] == 5
    world.nodes[0].ill = None
    assert world.ask() == "0x1"
    assert not world.counted["CircuitOpened 1"]


def test_a_trial_that_is_answered_at_length_closes_the_circuit() -> None:
    world = World(nodes=1)
    (node,) = world.nodes
    node.ill = Unavailable()
    for _ in range(3):
        with pytest.raises(Unavailable):
            world.ask()
    node.ill = AnswerTooLong()
    world.hand.now_s += 1.0
    with pytest.raises(Unavailable):
        world.ask()
    assert world.counted["CircuitClosed 1"] == 1


def test_while_all_circuits_are_open_nothing_is_sent() -> None:
    world = World()
    for node in world.nodes:
        node.ill = Unavailable()
    for _ in range(20):
        with pytest.raises(Unavailable):
            world.ask()
    assert world.requests == [3, 3]
    assert world.counted["ChainUnavailable"] == 20


def test_each_provider_has_its_time_and_a_later_one_what_is_left() -> None:
    world = World(nodes=4)
    for node in world.nodes:
        node.takes_s = 60.0
    with pytest.raises(Unavailable):
        world.ask()
    assert [node.deadlines_s for node in world.nodes] == [[2.0], [2.0], [1.0], []]
    assert world.hand.now_s == START_S + POLICY.total_s


def test_a_failure_that_nobody_expected_still_ends_the_trial() -> None:
    world = World(nodes=1)
    (node,) = world.nodes
    node.ill = ZeroDivisionError()
    for _ in range(3):
        with pytest.raises(ZeroDivisionError):
            world.ask()
    with pytest.raises(Unavailable):
        world.ask()
    world.hand.now_s += 1.0
    with pytest.raises(ZeroDivisionError):
        world.ask()
    node.ill = None
    world.hand.now_s += 2.0
    assert world.ask() == "0x1"


def test_a_lagging_provider_is_passed_over_and_asked_no_more_until_it_has_caught_up() -> None:
    world = World(policy=WATCHED)
    first = world.nodes[0]
    first.behind_s = 101
    assert [world.ask() for _ in range(3)] == ["0x2"] * 3
    assert world.requests == [1, 3]
    assert world.counted["ProviderStale 1"] == world.counted["CircuitOpened 1"] == 1
    world.hand.now_s += 1.0
    assert world.ask() == "0x2"
    first.behind_s = 12
    world.hand.now_s += 2.0
    assert world.ask() == "0x1"


def test_a_provider_that_begins_to_lag_is_found_out_within_the_interval() -> None:
    world = World(policy=WATCHED)
    assert world.ask() == "0x1"
    world.nodes[0].behind_s = 1_000
    assert world.ask() == "0x1"
    world.hand.now_s += WATCHED.head.interval_s
    assert world.ask() == "0x2"


def test_looking_at_the_head_costs_no_request_of_its_own() -> None:
    world = World(policy=WATCHED)
    for _ in range(3):
        world.ask()
    assert world.nodes[0].asked == [("eth_call", "eth_getBlockByNumber"), ("eth_call",), ("eth_call",)]


def test_a_provider_of_another_chain_is_passed_over() -> None:
    world = World(policy=ProviderPolicy(circuit=POLICY.circuit, head=HeadPolicy(max_lag_s=0, chain_id=1)))
    world.nodes[0].chain_id = 137
    assert [world.ask() for _ in range(3)] == ["0x2"] * 3
    assert world.nodes[0].asked == [("eth_call", "eth_chainId")]
    assert world.nodes[1].asked == [("eth_call", "eth_chainId"), ("eth_call",), ("eth_call",)]
    assert world.counted["ProviderWrongChain 1"] == 1


def test_a_head_that_makes_no_sense_is_a_failure() -> None:
    world = World(policy=WATCHED)
    world.nodes[0].behind_s = 10**12  # a negative time
    assert world.ask() == "0x2"
    assert world.counted["ProviderFailed 1"] == 1


def test_of_many_threads_one_tries_a_provider_that_was_down() -> None:
    world = World()
    world.nodes[0].ill = Unavailable()
    for _ in range(3):
        world.ask()
    world.hand.now_s += 1.0
    barrier = threading.Barrier(16)

    def ask(_: int) -> object:
        barrier.wait()
        return world.ask()

    with ThreadPoolExecutor(16) as pool:
        assert set(pool.map(ask, range(16))) == {"0x2"}
    assert len(world.nodes[0].asked) == 4
