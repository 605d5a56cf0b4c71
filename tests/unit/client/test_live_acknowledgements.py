from __future__ import annotations

import threading

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.client.live_acknowledgements import ASKED_AT_ONCE, Acknowledgements, Asked


def test_many_are_asked_for_in_parts() -> None:
    kept = Acknowledgements()
    kept.owe(str(number) for number in range(2 * ASKED_AT_ONCE + 1))
    sizes = []
    while (asked := kept.ask()) is not None:
        sizes.append(len(asked.ids))
    assert sizes == [ASKED_AT_ONCE, ASKED_AT_ONCE, 1]


def test_a_full_request_fits_into_a_frame_of_api_gateway() -> None:
    assert ASKED_AT_ONCE * len('"' + "x" * 54 + '",') + 100 < 32 * 1024


def test_an_answer_to_nothing() -> None:
    kept = Acknowledgements()
    assert not kept.settle(None)
    assert not kept.settle("a1")
    kept.owe_again("a1")
    assert kept.ask() is None


def test_waiting_for_the_answers() -> None:
    kept = Acknowledgements()
    assert kept.wait(0)
    kept.owe(["one"])
    asked = kept.ask()
    assert asked is not None
    assert not kept.wait(0.01)
    threading.Timer(0.05, kept.settle, [asked.ref]).start()
    assert kept.wait(5)


class Deletions(RuleBasedStateMachine):
    """Whatever is lost on the way: each id is asked for until it was answered for good, and not after."""

    def __init__(self) -> None:
        super().__init__()
        self.kept = Acknowledgements()
        self.asked: list[Asked] = []
        self.due: set[str] = set()
        self.refs: set[str] = set()
        self.count = 0

    @rule(number=st.integers(1, 300))
    def owe(self, number: int) -> None:
        ids = [str(self.count + more) for more in range(number)]
        self.count += number
        self.kept.owe(ids)
        self.due.update(ids)

    @rule()
    def ask(self) -> None:
        asked = self.kept.ask()
        if asked is not None:
            assert asked.ref not in self.refs, "an answer must not settle another request"
            self.refs.add(asked.ref)
            self.asked.append(asked)

    @rule(which=st.integers(0, 5))
    def answer(self, which: int) -> None:
        if which < len(self.asked):
            asked = self.asked.pop(which)
            assert self.kept.settle(asked.ref)
            self.due.difference_update(asked.ids)

    @rule(which=st.integers(0, 5))
    def fail(self, which: int) -> None:
        if which < len(self.asked):
            self.kept.owe_again(self.asked.pop(which).ref)

    @rule()
    def cut(self) -> None:
        self.kept.owe_again()
        self.asked.clear()

    @invariant()
    def nothing_is_forgotten(self) -> None:
        in_flight = {identifier for asked in self.asked for identifier in asked.ids}
        owed = set(self.kept._owed)
        assert owed | in_flight == self.due
        assert not owed & in_flight


TestDeletions = Deletions.TestCase
TestDeletions.settings = settings(max_examples=40, stateful_step_count=20)
