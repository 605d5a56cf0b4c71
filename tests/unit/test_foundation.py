from __future__ import annotations

from chalicelib.foundation import SystemChance, SystemClock


def test_the_systems_clock_and_chance() -> None:
    assert 1_700_000_000_000 < SystemClock().now_ms() < 10_000_000_000_000
    first, second = SystemChance().token(32), SystemChance().token(32)
    assert len(first) == len(second) == 32
    assert first != second
