from __future__ import annotations

from collections.abc import Sequence
from threading import Barrier, Thread

import pytest

from chalicelib.protocol.errors import Spam
from chalicelib.relay.policy.tallies import Tallies, Tally
from chalicelib.relay.ports import Charge
from chalicelib.store.memory import MemoryStore, Moment

NOW_S, LATER_S = 1_700_000_000, 1_700_086_400


def tally(name: bytes, limit: int, amount: int = 1, waived_by: tuple[bytes, ...] = ()) -> Tally:
    return Tally(Charge(name, amount, limit, LATER_S), Spam(data={"rule": name.decode()}), waived_by)


def counts(store: MemoryStore, *names: bytes) -> tuple[int, ...]:
    return store.counters.read(names, now_s=NOW_S)


def take(tallies: Tallies, of: Sequence[Tally]) -> None:
    tallies.charge(tallies.due(of, now_s=NOW_S), now_s=NOW_S)


def test_all_are_charged() -> None:
    store = MemoryStore()
    take(Tallies(store.counters), [tally(b"a", 1), tally(b"b", 9, amount=9)])
    assert counts(store, b"a", b"b") == (1, 9)


def test_nothing_to_take_costs_nothing() -> None:
    store = MemoryStore()
    store.faults = lambda operation, _: pytest.fail(operation)
    take(Tallies(store.counters), [])


def test_one_that_does_not_fit_refuses_before_any_is_charged() -> None:
    store = MemoryStore()
    tallies = Tallies(store.counters)
    with pytest.raises(Spam) as caught:
        take(tallies, [tally(b"a", 1), tally(b"b", 1, amount=2), tally(b"c", 0)])
    assert caught.value.data == {"rule": "b"}
    assert counts(store, b"a", b"b", b"c") == (0, 0, 0)


def test_a_waived_one_neither_refuses_nor_is_charged() -> None:
    store = MemoryStore()
    tallies = Tallies(store.counters)
    waived = tally(b"a", 0, waived_by=(b"other", b"mark"))
    with pytest.raises(Spam):
        take(tallies, [waived, tally(b"b", 2)])
    store.counters.charge(Charge(b"mark", 1, 1, LATER_S), now_s=NOW_S)
    take(tallies, [waived, tally(b"b", 2)])
    assert counts(store, b"a", b"b") == (0, 1)


def test_the_counter_decides_when_somebody_else_was_faster() -> None:
    """Between the reading and the charge the last place is taken."""
    store = MemoryStore()

    def overtake(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("counters.read", Moment.AFTER):
            store.faults = None
            store.counters.charge(Charge(b"b", 1, 1, LATER_S), now_s=NOW_S)

    store.faults = overtake
    with pytest.raises(Spam) as caught:
        take(Tallies(store.counters), [tally(b"a", 9), tally(b"b", 1), tally(b"c", 9)])
    assert caught.value.data == {"rule": "b"}
    assert counts(store, b"a", b"b", b"c") == (1, 1, 0), "the narrow one stays charged, the wide one is free"


def test_32_threads_take_no_more_than_there_is() -> None:
    store = MemoryStore()
    barrier, taken = Barrier(32), []

    def hurry(number: int) -> None:
        barrier.wait()
        for _ in range(5):
            try:
                take(Tallies(store.counters), [tally(b"one %d" % number, 4), tally(b"all", 50)])
            except Spam:
                continue
            taken.append(number)

    threads = [Thread(target=hurry, args=(number,)) for number in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(taken) == 50 == counts(store, b"all")[0]
    assert max(taken.count(number) for number in range(32)) <= 4
