from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.cache import Marks, MemoryCache, Rate, Remembered


def _remembered(value: int, *, known: bool = True) -> Remembered[int]:
    return Remembered(value, known, check_at_ms=0, expires_at_ms=0, read_at_ms=0)


def test_the_least_used_goes_first() -> None:
    cache: MemoryCache[int] = MemoryCache(known=2)
    cache.put("a", _remembered(1))
    cache.put("b", _remembered(2))
    assert cache.get("a") == _remembered(1)
    cache.put("c", _remembered(3))
    assert cache.get("b") is None
    assert cache.get("a") == _remembered(1)


def test_unknown_names_push_no_known_one_out() -> None:
    cache: MemoryCache[int] = MemoryCache(known=1, unknown=2)
    cache.put("known", _remembered(1))
    for number in range(10):
        cache.put(f"unknown-{number}", _remembered(number, known=False))
    assert cache.get("known") == _remembered(1)
    assert [cache.get(f"unknown-{number}") is not None for number in range(10)] == [False] * 8 + [True] * 2


def test_a_name_that_becomes_known_is_kept_once() -> None:
    cache: MemoryCache[int] = MemoryCache()
    cache.put("a", _remembered(1, known=False))
    cache.put("a", _remembered(2))
    assert cache.get("a") == _remembered(2)
    cache.drop("a")
    cache.drop("a")
    assert cache.get("a") is None


def test_a_mark_is_carried_until_its_moment_and_the_oldest_go() -> None:
    marks = Marks(size=2)
    marks.set("a", 10)
    marks.set("b", 20)
    assert [marks.has("a", now_ms) for now_ms in (0, 9, 10)] == [True, True, False]
    marks.set("a", 30)
    marks.set("c", 30)
    assert [marks.has(name, 15) for name in ("a", "b", "c")] == [True, False, True]


def test_a_rate_allows_its_burst_and_then_its_pace() -> None:
    rate = Rate(per_s=2, burst=3)
    assert [rate.take(1_000) for _ in range(4)] == [True, True, True, False]
    assert [rate.take(now_ms) for now_ms in (1_499, 1_500, 1_999, 2_000)] == [False, True, False, True]
    assert [rate.take(60_000) for _ in range(4)] == [True, True, True, False]


def test_a_clock_set_back_gives_nothing_away() -> None:
    rate = Rate(per_s=1, burst=1)
    assert rate.take(10_000)
    assert not rate.take(0)
    assert not rate.take(10_500)
    assert rate.take(11_000)


@pytest.mark.parametrize("burst", [0, 1, 5])
@given(steps=st.lists(st.integers(-500, 2_000), max_size=50))
@settings(deadline=None, max_examples=50)
def test_a_rate_never_exceeds_its_bound(burst: int, steps: list[int]) -> None:
    rate, now_ms, granted = Rate(per_s=3, burst=burst), 0, 0
    first_ms = latest_ms = steps[0] if steps else 0
    for step in steps:
        now_ms += step
        latest_ms = max(latest_ms, now_ms)
        granted += rate.take(now_ms)
        assert granted <= burst + 3 * (latest_ms - first_ms) / 1000 + 1e-6
