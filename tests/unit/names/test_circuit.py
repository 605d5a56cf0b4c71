from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.names.circuit import Circuit, CircuitPolicy, Pass

POLICY = CircuitPolicy(failures=3, pause_s=1.0, longest_pause_s=4.0)


@dataclass
class Hand:
    now_s: float = 100.0

    def __call__(self) -> float:
        return self.now_s


def entered(circuit: Circuit) -> Pass:
    leave = circuit.enter()
    assert leave is not None
    return leave


def opened(hand: Hand) -> Circuit:
    circuit = Circuit(POLICY, hand)
    told = [circuit.fail(entered(circuit)) for _ in range(POLICY.failures)]
    assert told == [False, False, True]
    return circuit


def test_a_few_failures_in_a_row_open_it() -> None:
    circuit = opened(Hand())
    assert circuit.enter() is None


def test_a_success_between_failures_keeps_it_closed() -> None:
    circuit = Circuit(POLICY, Hand())
    for _ in range(10):
        for _ in range(POLICY.failures - 1):
            assert not circuit.fail(entered(circuit))
        assert not circuit.succeed(entered(circuit))


def test_some_failures_open_it_at_once() -> None:
    circuit = Circuit(POLICY, Hand())
    assert circuit.fail(entered(circuit), at_once=True)
    assert circuit.enter() is None


def test_after_the_pause_one_request_at_a_time_passes() -> None:
    hand = Hand()
    circuit = opened(hand)
    hand.now_s += POLICY.pause_s
    trial = entered(circuit)
    assert trial.trial
    assert circuit.enter() is None
    assert circuit.succeed(trial)
    assert not entered(circuit).trial


def test_the_pause_doubles_up_to_its_limit_and_begins_anew_after_a_success() -> None:
    hand = Hand()
    circuit = opened(hand)
    for pause_s in (1.0, 2.0, 4.0, 4.0):
        hand.now_s += pause_s - 0.01
        assert circuit.enter() is None
        hand.now_s += 0.01
        assert circuit.fail(entered(circuit))
    hand.now_s += 4.0
    assert circuit.succeed(entered(circuit))
    assert circuit.fail(entered(circuit), at_once=True)
    hand.now_s += POLICY.pause_s
    assert circuit.enter() is not None


def test_what_was_asked_before_it_opened_says_nothing_afterwards() -> None:
    hand = Hand()
    circuit = Circuit(POLICY, hand)
    early = [entered(circuit) for _ in range(10)]
    assert [circuit.fail(leave) for leave in early[:5]] == [False, False, True, False, False]
    assert not circuit.succeed(early[5])
    hand.now_s += POLICY.pause_s
    trial = entered(circuit)
    assert not circuit.fail(early[6])
    assert circuit.succeed(trial)
    assert not circuit.fail(early[7])
    assert circuit.enter() is not None


def test_of_many_threads_one_makes_the_trial() -> None:
    hand = Hand()
    circuit = opened(hand)
    hand.now_s += POLICY.pause_s
    with ThreadPoolExecutor(16) as pool:
        passes = list(pool.map(lambda _: circuit.enter(), range(64)))
    assert sum(leave is not None for leave in passes) == 1


class Model(RuleBasedStateMachine):
    """While it is open nothing passes but one trial, and it never stays shut for longer than its pause."""

    def __init__(self) -> None:
        super().__init__()
        self.hand = Hand()
        self.circuit = Circuit(POLICY, self.hand)
        self.running: list[Pass] = []

    @rule()
    def enter(self) -> None:
        leave = self.circuit.enter()
        if leave is not None:
            self.running.append(leave)

    @rule(at_once=st.booleans(), number=st.integers(0, 20))
    def fail(self, at_once: bool, number: int) -> None:
        if self.running:
            self.circuit.fail(self.running.pop(number % len(self.running)), at_once=at_once)

    @rule(number=st.integers(0, 20))
    def succeed(self, number: int) -> None:
        if self.running:
            self.circuit.succeed(self.running.pop(number % len(self.running)))

    @rule(step_s=st.sampled_from([0.1, 1.0, 4.0]))
    def wait(self, step_s: float) -> None:
        self.hand.now_s += step_s

    @invariant()
    def one_trial_at_a_time(self) -> None:
        assert sum(leave.trial and leave.period == self.circuit._period for leave in self.running) <= 1

    def teardown(self) -> None:
        for leave in self.running:
            self.circuit.fail(leave)
        self.hand.now_s += POLICY.longest_pause_s
        assert self.circuit.enter() is not None


TestModel = Model.TestCase
TestModel.settings = settings(deadline=None, max_examples=50, stateful_step_count=30)
