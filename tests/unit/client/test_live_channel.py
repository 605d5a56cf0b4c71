from __future__ import annotations

import threading
import time

import pytest

from chalicelib.client.live_channel import Channel, Closed


def test_first_in_first_out() -> None:
    channel: Channel[int] = Channel(3)
    for number in (1, 2, 3):
        channel.give(number)
    assert [channel.take() for _ in range(3)] == [1, 2, 3]


def test_whoever_gives_too_much_waits() -> None:
    channel: Channel[int] = Channel(2)
    given: list[int] = []

    def give() -> None:
        for number in range(10):
            channel.give(number)
            given.append(number)

    thread = threading.Thread(target=give)
    thread.start()
    time.sleep(0.05)
    assert len(given) <= 2
    assert [channel.take() for _ in range(10)] == list(range(10))
    thread.join(2)
    assert given == list(range(10))


def test_whoever_takes_waits() -> None:
    channel: Channel[int] = Channel(1)
    threading.Timer(0.05, channel.give, [7]).start()
    assert channel.take() == 7


def test_closing_wakes_everybody_and_drops_what_waits() -> None:
    full: Channel[int] = Channel(1)
    full.give(1)
    woken: list[str] = []

    def give() -> None:
        with pytest.raises(Closed):
            full.give(2)
        woken.append("give")

    def pause() -> None:
        with pytest.raises(Closed):
            full.pause(10)
        woken.append("pause")

    threads = [threading.Thread(target=give), threading.Thread(target=pause)]
    for thread in threads:
        thread.start()
    full.close()
    for thread in threads:
        thread.join(2)
    assert sorted(woken) == ["give", "pause"]
    assert full.closed
    assert full.take() is None
    with pytest.raises(Closed):
        full.give(3)


def test_a_pause_ends_by_itself() -> None:
    Channel[int](1).pause(0.01)


def test_what_it_was_closed_with_is_raised_and_stays() -> None:
    channel: Channel[int] = Channel(1)
    channel.close(ZeroDivisionError())
    channel.close()
    for _ in range(2):
        with pytest.raises(ZeroDivisionError):
            channel.take()


def test_an_error_after_the_end_is_nobodys() -> None:
    channel: Channel[int] = Channel(1)
    channel.close()
    channel.close(ZeroDivisionError())
    assert channel.take() is None
