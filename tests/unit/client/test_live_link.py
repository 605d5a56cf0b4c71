"""How long a link waits, and what it does when it is closed in the middle. The rest is in `test_live.py`."""

from __future__ import annotations

import itertools

import pytest

from chalicelib.client import LiveSocket, LiveTiming, NoLiveConnections, Patience, Response
from chalicelib.client.live_channel import Channel
from chalicelib.client.live_events import Event, Failed, LiveState, Standing
from chalicelib.client.live_link import Link, Means
from chalicelib.protocol.errors import Dm3Error, LimitExceeded, Unavailable
from tests.unit.client.world import RELAY, SeededChance, World, answering, down

SHORT = Patience(attempts=1, pause_s=1.0, longest_wait_s=30.0, sleep=lambda _: None)


class Refusing:
    """Dials nobody."""

    def __init__(self, error: Dm3Error) -> None:
        self.error = error
        self.dialled = 0

    def dial(self, _url: str) -> LiveSocket:
        self.dialled += 1
        raise self.error


class Noting(Channel[Event]):
    """A channel that takes everything, and closes when it was paused so often."""

    def __init__(self, pauses: int) -> None:
        super().__init__(1_000)
        self.events: list[Event] = []
        self.pauses_s: list[float] = []
        self._left = pauses
        self.now_s = 0.0

    def give(self, item: Event) -> None:
        self.events.append(item)

    def pause(self, seconds: float) -> None:
        self.pauses_s.append(seconds)
        self.now_s += seconds
        if len(self.pauses_s) == self._left:
            self.close()
        super().pause(0)


@pytest.fixture
def world() -> World:
    world = World()
    world.join("bob.eth")
    return world


class Answering(Refusing):
    """Opens connections that sign one in, have nothing, and are lost after `lasting_s`."""

    def __init__(self, channel: Noting, lasting_s: float) -> None:
        super().__init__(Unavailable())
        self._channel = channel
        self._lasting_s = lasting_s

    def dial(self, _url: str) -> LiveSocket:
        texts = iter(['{"type":"subscribed"}', '{"type":"caughtUp","cursor":"c","more":false}'])
        channel, lasting_s = self._channel, self._lasting_s

        class Short:
            def send(self, _text: str) -> None:
                pass

            def receive(self, _timeout_s: float) -> str | None:
                text = next(texts, None)
                if text is None:
                    channel.now_s += lasting_s
                    raise Unavailable
                return text

            def close(self) -> None:
                pass

        return Short()


def run(world: World, dialer: Refusing, channel: Noting, *, poll_s: float = 1e9) -> Link:
    bob = world.client(world.identity("bob.eth"), patience=SHORT)
    means = Means(
        name="bob.eth",
        services=bob._services,
        sessions=bob._sessions,
        own=bob._own,
        dialer=dialer,
        chance=SeededChance(),
        patience=SHORT,
        timing=LiveTiming(without_live_s=600),
        poll_s=poll_s,
        clock_s=lambda: channel.now_s,
    )
    link = Link(RELAY, None, means, channel)
    link.run()
    return link


def test_pauses_double_and_differ_by_chance(world: World) -> None:
    channel = Noting(9)
    run(world, Refusing(Unavailable()), channel)
    longest = [min(30, 2**number) for number in range(9)]
    for pause_s, longest_s in zip(channel.pauses_s, longest, strict=True):
        assert longest_s / 2 <= pause_s <= longest_s
    shares = [pause_s / longest_s for pause_s, longest_s in zip(channel.pauses_s, longest, strict=True)]
    assert len({round(share, 2) for share in shares}) > 3


@pytest.mark.parametrize(("asked_s", "waited_s"), [(0, 1), (120, 120), (86_400, 600)])
def test_what_a_service_asks_for_is_granted_within_bounds(world: World, asked_s: int, waited_s: int) -> None:
    channel = Noting(1)
    run(world, Refusing(LimitExceeded(retry_after_s=asked_s)), channel)
    assert waited_s / 2 <= channel.pauses_s[0] <= waited_s


def test_many_failures_are_no_longer_pauses(world: World) -> None:
    channel = Noting(2_000)
    run(world, Refusing(Unavailable()), channel)
    assert max(channel.pauses_s) <= 30


def test_mail_is_fetched_meanwhile_from_the_second_failure_on(world: World) -> None:
    channel = Noting(2)
    run(world, Refusing(Unavailable()), channel)
    kinds = [type(event).__name__ for event in channel.events]
    assert kinds == ["LiveState", "LiveState", "Answered"]


def test_without_live_connections_it_looks_again_and_again(world: World) -> None:
    channel, dialer = Noting(3), Refusing(NoLiveConnections())
    run(world, dialer, channel, poll_s=7)
    assert channel.pauses_s == [7, 7, 7]
    assert dialer.dialled == 1
    assert channel.events[0] == LiveState(
        RELAY, Standing.POLLING, "The delivery service has no live connections."
    )


def test_failures_of_the_fetching_are_told(world: World) -> None:
    world.faults.append(down(RELAY))
    channel = Noting(3)
    run(world, Refusing(Unavailable()), channel)
    failures = [event.error for event in channel.events if isinstance(event, Failed)]
    assert all(isinstance(error, Unavailable) for error in failures)
    assert len(failures) == 2


def test_a_defect_closes_the_channel_with_itself(world: World) -> None:
    class Defective(Refusing):
        def dial(self, _url: str) -> LiveSocket:
            raise ZeroDivisionError

    channel = Noting(1)
    run(world, Defective(Unavailable()), channel)
    with pytest.raises(ZeroDivisionError):
        channel.take()


def test_a_connection_that_opens_after_the_end_is_closed(world: World) -> None:
    channel = Noting(1)

    class Late(Refusing):
        closed = False

        def dial(self, _url: str) -> LiveSocket:
            channel.close()
            return self  # type: ignore[return-value]

        def close(self) -> None:
            self.closed = True

    late = Late(Unavailable())
    link = run(world, late, channel)
    assert late.closed
    link.finish()
    link.close()


def test_acknowledging_while_everything_is_down_is_owed(world: World) -> None:
    channel = Noting(1)
    link = run(world, Refusing(Unavailable()), channel)
    world.faults.append(down(RELAY))
    for _ in itertools.repeat(None, 2):
        link.acknowledge(["x"])
    asked = link._acknowledgements.ask()
    assert asked is not None
    assert asked.ids == ("x",)


def test_pages_over_rest_that_lead_nowhere_end(world: World) -> None:
    answer = b'{"messages":[],"cursor":"a","more":true}'
    world.faults.append(answering(Response(200, answer), path="/inbox/"))
    channel = Noting(2)
    run(world, Refusing(NoLiveConnections()), channel)
    (failure, *_) = [event for event in channel.events if isinstance(event, Failed)]
    assert isinstance(failure.error, Unavailable)


def test_acknowledging_over_a_connection_that_is_lost_is_owed(world: World) -> None:
    class Lost:
        def acknowledge(self) -> None:
            link._acknowledgements.ask()
            raise Unavailable

    link = run(world, Refusing(Unavailable()), Noting(1))
    link._conversation = Lost()  # type: ignore[assignment]
    link.acknowledge(["x"])
    asked = link._acknowledgements.ask()
    assert asked is not None
    assert asked.ids == ("x",)


def test_a_connection_that_is_cut_as_soon_as_it_is_up_is_a_failure(world: World) -> None:
    """Else an account with more followers than it may have connections would be busy with them for ever."""
    channel = Noting(6)
    run(world, Answering(channel, lasting_s=1), channel)
    assert all(pause_s >= 2**number / 2 for number, pause_s in enumerate(channel.pauses_s[:5]))


def test_a_connection_that_was_good_for_a_while_is_opened_again_at_once(world: World) -> None:
    channel = Noting(6)
    run(world, Answering(channel, lasting_s=7_200), channel)
    assert all(pause_s <= 1 for pause_s in channel.pauses_s)
