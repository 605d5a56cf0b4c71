"""What `CounterStore` promises, on every backend."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.relay.ports import Charge
from tests.support.stores import LATER_S, NOW_S, Backend, new_key


def test_a_counter_counts_up_to_its_limit(backend: Backend) -> None:
    counters, counter = backend.store.counters, new_key()
    charge = Charge(counter, 2, 5, LATER_S)
    assert [counters.charge(charge, now_s=NOW_S) for _ in range(4)] == [True, True, False, False]
    assert counters.read([counter], now_s=NOW_S) == (4,)
    assert counters.charge(Charge(counter, 1, 5, LATER_S), now_s=NOW_S)
    assert counters.read([counter], now_s=NOW_S) == (5,)


@pytest.mark.parametrize("limit", [0, 2])
def test_a_first_charge_over_the_limit_is_refused(backend: Backend, limit: int) -> None:
    counter = new_key()
    assert not backend.store.counters.charge(Charge(counter, 3, limit, LATER_S), now_s=NOW_S)
    assert backend.store.counters.read([counter], now_s=NOW_S) == (0,)


def test_a_counter_is_forgotten_when_the_first_charge_said_so(backend: Backend) -> None:
    counters, counter = backend.store.counters, new_key()
    assert counters.charge(Charge(counter, 5, 5, NOW_S + 10), now_s=NOW_S)
    assert not counters.charge(Charge(counter, 1, 5, NOW_S + 99), now_s=NOW_S + 9)
    assert counters.read([counter], now_s=NOW_S + 9) == (5,)
    assert counters.read([counter], now_s=NOW_S + 10) == (0,)
    assert counters.charge(Charge(counter, 3, 5, NOW_S + 20), now_s=NOW_S + 10)
    assert counters.read([counter], now_s=NOW_S + 19) == (3,)
    assert not counters.charge(Charge(counter, 3, 5, NOW_S + 99), now_s=NOW_S + 19)


def test_many_counters_are_read_at_once_in_the_order_asked(backend: Backend) -> None:
    counters = backend.store.counters
    names = [new_key() for _ in range(30)]
    for amount, name in enumerate(names[:20], start=1):
        assert counters.charge(Charge(name, amount, 100, LATER_S), now_s=NOW_S)
    asked = [names[25], *names, names[0]]
    assert counters.read(asked, now_s=NOW_S) == (0, *range(1, 21), *[0] * 10, 1)
    assert counters.read([], now_s=NOW_S) == ()


def test_a_mark_can_be_used_once_until_it_expires(backend: Backend) -> None:
    counters, mark = backend.store.counters, new_key()
    assert counters.use_once(mark, expires_at_s=NOW_S + 10, now_s=NOW_S)
    assert not counters.use_once(mark, expires_at_s=NOW_S + 99, now_s=NOW_S + 9)
    assert counters.use_once(mark, expires_at_s=NOW_S + 99, now_s=NOW_S + 10)
    assert not counters.use_once(mark, expires_at_s=NOW_S + 99, now_s=NOW_S + 11)


def test_marks_and_counters_do_not_meet(backend: Backend) -> None:
    counters, name = backend.store.counters, new_key()
    assert counters.use_once(name, expires_at_s=LATER_S, now_s=NOW_S)
    assert counters.charge(Charge(name, 1, 1, LATER_S), now_s=NOW_S)
    assert counters.read([name], now_s=NOW_S) == (1,)


@pytest.mark.parametrize("before", ["absent", "expired"])
def test_thirty_two_threads_never_pass_the_limit(atomic_backend: Backend, before: str) -> None:
    counters, counter = atomic_backend.store.counters, new_key()
    if before == "expired":
        assert counters.charge(Charge(counter, 90, 100, NOW_S), now_s=NOW_S - 1)
    charge = Charge(counter, 3, 100, LATER_S)
    with ThreadPoolExecutor(32) as pool:
        granted = sum(pool.map(lambda _: counters.charge(charge, now_s=NOW_S), range(64)))
    assert granted == 33
    assert counters.read([counter], now_s=NOW_S) == (99,)


def test_of_thirty_two_threads_one_uses_the_mark(atomic_backend: Backend) -> None:
    counters, mark = atomic_backend.store.counters, new_key()
    with ThreadPoolExecutor(32) as pool:
        used = pool.map(lambda _: counters.use_once(mark, expires_at_s=LATER_S, now_s=NOW_S), range(32))
        assert sum(used) == 1


def test_a_refusal_is_one_request_where_it_says_why(backend: Backend) -> None:
    if backend.aws is None or backend.name == "dynalite":
        pytest.skip("dynalite does not return what stood in the way: a refusal takes three requests there")
    full = Charge(new_key(), 1, 1, LATER_S)
    assert backend.store.counters.charge(full, now_s=NOW_S)
    backend.aws.meter.reset()
    assert not backend.store.counters.charge(full, now_s=NOW_S)
    assert backend.aws.meter.calls == {"UpdateItem": 1}
