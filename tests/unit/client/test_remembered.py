from __future__ import annotations

import pytest

from chalicelib.client.remembered import Remembered
from chalicelib.protocol.errors import Unavailable
from tests.unit.client.world import HandClock


def test_an_answer_lives_as_long_as_it_may() -> None:
    clock = HandClock()
    memory = Remembered[str, int](clock.now_ms, lifetime_ms=100)
    assert memory.get("a", lambda: 1) == 1
    clock.time_ms += 99
    assert memory.get("a", lambda: 2) == 1
    clock.time_ms += 1
    assert memory.get("a", lambda: 3) == 3


def test_an_error_is_not_remembered() -> None:
    memory = Remembered[str, int](HandClock().now_ms, lifetime_ms=100)

    def fail() -> int:
        raise Unavailable

    with pytest.raises(Unavailable):
        memory.get("a", fail)
    assert memory.get("a", lambda: 2) == 2


def test_the_oldest_is_forgotten_when_it_is_full() -> None:
    memory = Remembered[str, int](HandClock().now_ms, lifetime_ms=100, size=2)
    for number, key in enumerate("abc"):
        memory.get(key, lambda number=number: number)  # type: ignore[misc]
    assert memory.get("b", lambda: 9) == 1
    assert memory.get("a", lambda: 9) == 9
