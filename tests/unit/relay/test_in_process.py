from __future__ import annotations

from collections.abc import Callable
from threading import Thread

import pytest

from chalicelib.relay.in_process import Gate, Recent
from tests.unit.relay.ports import HandClock


def reader(values: list[str]) -> Callable[[], str]:
    return lambda: values.pop(0)


def test_a_value_is_read_once_in_its_lifetime() -> None:
    clock = HandClock()
    recent = Recent[str, str](clock, lifetime_s=30)
    values = ["first", "second"]
    assert recent.get_or("key", reader(values)) == "first"
    clock.pass_s(29.9)
    assert recent.get_or("key", reader(values)) == "first"
    clock.pass_s(0.1)
    assert recent.get_or("key", reader(values)) == "second"


def test_a_clock_that_goes_back_makes_nothing_immortal() -> None:
    clock = HandClock()
    recent = Recent[str, str](clock, lifetime_s=30)
    recent.get_or("key", lambda: "from the future")
    clock.pass_s(-3_600)
    assert recent.get_or("key", lambda: "now") == "now"


def test_none_is_remembered_too() -> None:
    recent = Recent[str, str | None](HandClock(), lifetime_s=30)
    assert recent.get_or("key", lambda: None) is None
    assert recent.get_or("key", lambda: "never asked") is None


def test_an_error_is_not_remembered() -> None:
    recent = Recent[str, str](HandClock(), lifetime_s=30)

    def fail() -> str:
        raise LookupError

    with pytest.raises(LookupError):
        recent.get_or("key", fail)
    assert recent.get_or("key", lambda: "value") == "value"


def test_forgetting_reads_again() -> None:
    recent = Recent[str, str](HandClock(), lifetime_s=30)
    recent.get_or("key", lambda: "old")
    recent.forget("key")
    recent.forget("unknown")
    assert recent.get_or("key", lambda: "new") == "new"


def test_what_was_read_before_it_was_to_be_forgotten_is_not_remembered() -> None:
    recent = Recent[str, str](HandClock(), lifetime_s=30)

    def read_while_somebody_writes() -> str:
        recent.forget("key")
        return "old"

    assert recent.get_or("key", read_while_somebody_writes) == "old"
    assert recent.get_or("key", lambda: "new") == "new"


def test_the_oldest_entries_go_first() -> None:
    recent = Recent[int, str](HandClock(), lifetime_s=30, size=2)
    for key in range(3):
        recent.get_or(key, lambda: "old")
    assert recent.get_or(2, lambda: "new") == "old"
    assert recent.get_or(1, lambda: "new") == "old"
    assert recent.get_or(0, lambda: "new") == "new"


def test_a_gate_lets_its_rate_through() -> None:
    clock = HandClock()
    gate = Gate(clock, per_minute=6)
    assert [gate.try_pass() for _ in range(7)] == [True] * 6 + [False]
    clock.pass_s(10)
    assert [gate.try_pass() for _ in range(2)] == [True, False]
    clock.pass_s(3_600)
    assert sum(gate.try_pass() for _ in range(20)) == 6


def test_a_gate_counts_every_thread() -> None:
    gate = Gate(HandClock(), per_minute=50)
    passed: list[bool] = []
    threads = [Thread(target=lambda: passed.extend(gate.try_pass() for _ in range(20))) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(passed) == 50
