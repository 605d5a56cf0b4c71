from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.names.flights import Flights
from chalicelib.protocol.errors import Unavailable

THREADS = 8


def test_threads_that_want_the_same_share_one_reading() -> None:
    flights: Flights[str, int] = Flights()
    readings: list[int] = []
    waiting, landed = threading.Semaphore(0), threading.Event()

    def read() -> int:
        readings.append(1)
        landed.wait(5)
        return 42

    def ask(_: int) -> int:
        waiting.release()
        return flights.share("same", read)

    with ThreadPoolExecutor(THREADS) as pool:
        answers = pool.map(ask, range(THREADS))
        for _ in range(THREADS):
            waiting.acquire()
        assert flights.share("other", lambda: 7) == 7, "another key does not wait"
        landed.set()
        assert list(answers) == [42] * THREADS
    # Threads that came after the first landing read for themselves; the others did not.
    assert 1 <= len(readings) < THREADS


def test_an_error_is_everybody_s_and_is_not_kept() -> None:
    flights: Flights[str, int] = Flights()

    def fail() -> int:
        raise Unavailable

    with pytest.raises(Unavailable):
        flights.share("name", fail)
    assert flights.share("name", lambda: 1) == 1
