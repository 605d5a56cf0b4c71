"""Following over live connections: nothing is missed and nothing is given twice, wherever they break."""

from __future__ import annotations

import gc
import json
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from itertools import islice
from urllib.parse import urlsplit

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from chalicelib.client import (
    Dm3Client,
    Following,
    LiveSocket,
    LiveState,
    LiveTiming,
    NoLiveConnections,
    Patience,
    Request,
    Response,
    Standing,
)
from chalicelib.protocol.errors import Dm3Error, InvalidParams, NotFound
from tests.unit.client.live_house import Cut, LiveHouse, live_house, once
from tests.unit.client.world import RELAY, SECOND, World, answering, down

QUICK = LiveTiming(answer_s=10.0, between_questions_s=30.0, without_live_s=30.0)
SHORT = Patience(attempts=1, pause_s=0.02, longest_wait_s=0.05, sleep=lambda _: None)
WITHIN_S = 20.0


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def house(world: World) -> Iterator[LiveHouse]:
    with live_house(world) as house:
        yield house


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(world: World, house: LiveHouse) -> Dm3Client:
    return reader(world, house)


def reader(world: World, house: LiveHouse, *services: str, timing: LiveTiming = QUICK) -> Dm3Client:
    """Bob, who has an account, and holds live connections to `house`."""
    identity = world.join("bob.eth", *services).identity
    return world.client(identity, patience=SHORT, live=house, timing=timing)


def collect(following: Following, count: int) -> list[str | None]:
    """The texts of the next `count` messages; fewer if they do not come in time."""
    watchdog = threading.Timer(WITHIN_S, following.stop)
    watchdog.start()
    try:
        return [message.text for message in islice(following, count)]
    finally:
        watchdog.cancel()


def until(true: Callable[[], object]) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not true():
        assert time.monotonic() < deadline_s, "it did not come to be in time"
        time.sleep(0.005)


def in_time(following: Following, *, count: int, stop_after_s: float) -> list[str | None]:
    """As `collect`, but waits for more than are expected, to see that none comes."""
    timer = threading.Timer(stop_after_s, following.stop)
    timer.start()
    texts = [message.text for message in islice(following, count + 1)]
    timer.cancel()
    return texts


class TestWhatComesIn:
    def test_what_waits_and_then_what_is_pushed(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        waiting = [f"waiting {number}" for number in range(5)]
        for text in waiting:
            alice.send("bob.eth", text)
        with bob.follow() as following:
            assert collect(following, 5) == waiting
            for number in range(3):
                until(lambda: house.open_connections == 1)
                alice.send("bob.eth", f"live {number}")
                house.push()
                assert collect(following, 1) == [f"live {number}"]
        assert house.connections == 1
        assert len(house.said("resume")) == 2, "five in parts of two"

    def test_it_is_opened_and_checked(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "hello")
        with bob.follow() as following:
            received = next(following)
        assert received.verified, received.reasons
        assert received.sender == "alice.eth"
        assert received.delivery_service == RELAY

    def test_a_push_while_what_waits_is_sent_skips_nothing(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        """It comes with a cursor beyond messages that were not sent yet; a cut follows."""
        for number in range(4):
            alice.send("bob.eth", f"waiting {number}")

        def pushed(point: str) -> Cut | None:
            if point == "resume" and house.connections == 1:
                house.push()
                return Cut()
            return None

        house.breaks.append(pushed)
        with bob.follow() as following:
            texts = collect(following, 4)
        assert sorted(map(str, texts)) == [f"waiting {number}" for number in range(4)]

    def test_a_lost_push_is_found_without_any_cut(self, world: World, alice: Dm3Client) -> None:
        with live_house(world) as house:
            bob = reader(world, house, timing=LiveTiming(answer_s=10, between_questions_s=0.1))
            with bob.follow() as following:
                alice.send("bob.eth", "first")
                assert collect(following, 1) == ["first"]
                alice.send("bob.eth", "never pushed")
                assert collect(following, 1) == ["never pushed"]
            assert house.connections == 1

    def test_what_was_pushed_late_is_found_after_a_cut(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        """A push says nothing of those before it: one is lost, another comes much later, then a cut."""
        with bob.follow() as following:
            alice.send("bob.eth", "waiting")
            assert collect(following, 1) == ["waiting"]
            alice.send("bob.eth", "lost")
            world.clock.time_ms += 600_000
            alice.send("bob.eth", "pushed")
            house.push()
            assert collect(following, 1) == ["pushed"]
            house.cut_all()
            assert collect(following, 1) == ["lost"]

    def test_what_is_announced_is_fetched(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        with bob.follow() as following:
            alice.send("bob.eth", "first")
            assert collect(following, 1) == ["first"]
            until(lambda: house.open_connections == 1)
            alice.send("bob.eth", "large")
            house.push(announce=True)
            assert collect(following, 1) == ["large"]
        assert house.connections == 1

    def test_what_is_announced_while_rest_is_down_is_fetched_later(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        with bob.follow() as following:
            alice.send("bob.eth", "first")
            assert collect(following, 1) == ["first"]
            until(lambda: house.open_connections == 1)
            alice.send("bob.eth", "large")
            world.faults.append(answering(Response(503), path="/inbox/", times=2))
            house.push(announce=True)
            assert collect(following, 1) == ["large"]

    def test_what_cannot_be_opened_hides_nothing(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        junk = json.dumps({"type": "message", "message": {"id": "junk", "envelope": 5}, "cursor": "c"})
        house.breaks.append(once("message", junk))
        alice.send("bob.eth", "hello")
        with bob.follow() as following:
            assert collect(following, 1) == ["hello"]

    def test_the_same_message_by_two_services_is_given_once(
        self, world: World, house: LiveHouse, alice: Dm3Client
    ) -> None:
        """The second has no live connections."""

        class Dialer:
            def dial(self, url: str) -> LiveSocket:
                if urlsplit(url).hostname == SECOND:
                    raise NoLiveConnections
                return house.dial(url)

        identity = world.join("bob.eth", RELAY, SECOND).identity
        bob = world.client(identity, patience=SHORT, live=Dialer(), timing=QUICK)

        def lose(request: Request) -> Response | None:
            if urlsplit(request.url).hostname == RELAY and request.url.endswith("/rpc"):
                answer = world.ask(request)
                if b"dm3_submitMessage" in request.body:
                    raise TimeoutError
                return answer
            return None

        world.faults.append(lose)
        alice.send("bob.eth", "once")
        world.faults.clear()
        states: list[LiveState] = []
        with bob.follow(poll_s=0.05, tell=states.append) as following:
            assert in_time(following, count=1, stop_after_s=1.0) == ["once"]
        standing = {state.delivery_service: state.standing for state in states}
        assert standing == {RELAY: Standing.CONNECTED, SECOND: Standing.POLLING}


POINTS = ("open", "subscribe", "subscribed", "message", "caughtUp", "resume")


class TestCuts:
    @pytest.mark.parametrize("code", [None, 1001, 1009, 1012])
    @pytest.mark.parametrize("point", POINTS)
    def test_wherever_it_breaks_each_comes_once(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client, point: str, code: int | None
    ) -> None:
        house.breaks += [once(point, Cut(code), after=1), once(point, Cut(code), after=2)]
        texts = [f"message {number}" for number in range(5)]
        for text in texts:
            alice.send("bob.eth", text)
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 5) == texts
            until(lambda: house.open_connections == 1)
            alice.send("bob.eth", "live")
            house.push()
            assert collect(following, 1) == ["live"]
            house.cut_all(code)
            alice.send("bob.eth", "during the cut")
            assert collect(following, 1) == ["during the cut"]

    @settings(max_examples=15, suppress_health_check=[HealthCheck.too_slow])
    @given(
        st.lists(
            st.tuples(st.sampled_from((*POINTS, "push")), st.integers(0, 4), st.sampled_from([None, 1001])),
            max_size=5,
        ),
        st.lists(st.sampled_from(["pushed", "announced", "lost", "cut"]), max_size=6),
    )
    def test_whatever_happens_each_comes_once(
        self, cuts: list[tuple[str, int, int | None]], events: list[str]
    ) -> None:
        world = World()
        alice = world.join("alice.eth")
        with live_house(world) as house:
            bob = reader(
                world, house, timing=LiveTiming(answer_s=10, between_questions_s=0.05, without_live_s=0.2)
            )
            house.breaks += [once(point, Cut(code), after=after) for point, after, code in cuts]
            expected = ["0", "1", "2"]
            for text in expected:
                alice.send("bob.eth", text)
            with bob.follow(poll_s=0.02) as following:
                texts = collect(following, 3)
                for number, event in enumerate(events, 3):
                    expected.append(str(number))
                    alice.send("bob.eth", str(number))
                    if event in ("pushed", "announced"):
                        house.push(announce=event == "announced")
                    elif event == "cut":
                        house.cut_all()
                    texts += collect(following, 1)
                # Looked for until some more questions were asked: nothing comes a second time.
                texts += in_time(following, count=0, stop_after_s=0.2)
            assert sorted(map(str, texts)) == expected

    @pytest.mark.parametrize(
        "nonsense", ["", "{", "[]", "null", '{"type":5}', '{"type":"message"}', b"\x00", "x" * 200_000]
    )
    @pytest.mark.parametrize("times", [1, 3])
    def test_nonsense_cuts_and_costs_nothing(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client, nonsense: str | bytes, times: int
    ) -> None:
        house.breaks += [once("message", nonsense, after=1) for _ in range(times)]
        texts = [f"message {number}" for number in range(3)]
        for text in texts:
            alice.send("bob.eth", text)
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 3) == texts

    def test_what_is_always_too_large_comes_by_rest(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        """A service that sends larger texts than this client takes would else stand in the way for ever."""
        house.breaks.append(lambda point: "x" * 200_000 if point == "message" else None)
        alice.send("bob.eth", "large")
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 1) == ["large"]

    def test_an_unknown_kind_of_text_is_passed_over(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        house.breaks.append(once("message", '{"type":"weather","is":"fine"}'))
        alice.send("bob.eth", "hello")
        with bob.follow() as following:
            assert collect(following, 1) == ["hello"]
        assert house.connections == 1

    def test_a_service_that_falls_silent_is_connected_anew(self, world: World, alice: Dm3Client) -> None:
        with live_house(world, ping_interval_s=0.1) as house:
            bob = reader(world, house, timing=LiveTiming(answer_s=0.2, between_questions_s=30))
            with bob.follow() as following:
                alice.send("bob.eth", "first")
                assert collect(following, 1) == ["first"]
                house.mute = True
                threading.Timer(0.5, lambda: setattr(house, "mute", False)).start()
                alice.send("bob.eth", "during the silence")
                assert collect(following, 1) == ["during the silence"]
            assert house.connections > 1

    def test_a_service_that_only_pings_is_not_silent(self, world: World, alice: Dm3Client) -> None:
        with live_house(world, ping_interval_s=1.0) as house:
            bob = reader(world, house, timing=LiveTiming(answer_s=1.0, between_questions_s=30))
            with bob.follow() as following:
                alice.send("bob.eth", "first")
                assert collect(following, 1) == ["first"]
                until(lambda: house.open_connections == 1)
                pinging = threading.Event()

                def ping() -> None:
                    while not pinging.wait(0.05):
                        house.tell_all({"type": "ping"})

                threading.Thread(target=ping, daemon=True).start()
                assert in_time(following, count=0, stop_after_s=2.5) == []
                pinging.set()
            assert house.connections == 1
            assert len(house.said("pong")) > 5


class TestWithout:
    def test_a_service_without_live_connections_is_polled_and_tried_again(
        self, world: World, alice: Dm3Client
    ) -> None:
        with live_house(world, status=404) as house:
            bob = reader(world, house, timing=LiveTiming(answer_s=10, without_live_s=0.3))
            states: list[LiveState] = []
            with bob.follow(poll_s=0.05, tell=states.append) as following:
                alice.send("bob.eth", "polled")
                assert collect(following, 1) == ["polled"]
                house.status = 101
                until(lambda: house.open_connections == 1)
                alice.send("bob.eth", "live")
                house.push()
                assert collect(following, 1) == ["live"]
        assert [state.standing for state in states] == [Standing.POLLING, Standing.CONNECTED]
        assert all("bob" not in state.reason for state in states)

    def test_a_server_that_is_down_for_live_connections_only(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        house.status = 503
        states: list[LiveState] = []
        alice.send("bob.eth", "fetched")
        with bob.follow(poll_s=0.05, tell=states.append) as following:
            assert collect(following, 1) == ["fetched"]
            house.status = 101
            alice.send("bob.eth", "live")
            assert collect(following, 1) == ["live"]
        assert states[0].standing is Standing.RECONNECTING

    def test_everything_is_down_for_a_while(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        alice.send("bob.eth", "hello")
        world.faults.append(down(RELAY))
        house.status = 502

        def mend() -> None:
            world.faults.clear()
            house.status = 101

        threading.Timer(0.3, mend).start()
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 1) == ["hello"]

    def test_asking_for_polling_opens_no_connection(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        alice.send("bob.eth", "hello")
        assert next(bob.follow(poll=True)).text == "hello"
        assert house.connections == 0

    def test_an_error_that_does_not_pass_ends_it(self, world: World, house: LiveHouse) -> None:
        nobody = world.client(world.identity("nobody.eth"), patience=SHORT, live=house)
        with pytest.raises(NotFound):
            next(nobody.follow())

    def test_a_profile_without_services(self, world: World, house: LiveHouse) -> None:
        identity = world.identity("bob.eth")
        profile = replace(identity.signed_profile.profile, delivery_services=())
        bare = replace(identity, signed_profile=replace(identity.signed_profile, profile=profile))
        with pytest.raises(NotFound):
            next(world.client(bare, patience=SHORT, live=house).follow())

    def test_a_foreign_cursor(self, house: LiveHouse, bob: Dm3Client) -> None:
        with pytest.raises(InvalidParams):
            bob.follow("nonsense")

    def test_a_cursor_of_another_inbox(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        cursor = alice.fetch().cursor
        with pytest.raises(InvalidParams):
            next(bob.follow(cursor))

    def test_one_service_that_never_was_does_not_keep_the_mail_of_another(
        self, world: World, house: LiveHouse, alice: Dm3Client
    ) -> None:
        bob = reader(world, house, "never.eth", RELAY)
        alice.send("bob.eth", "hello")
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 1) == ["hello"]


class TestSessions:
    def test_a_refused_token_is_renewed(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        with bob.follow() as following:
            alice.send("bob.eth", "first")
            assert collect(following, 1) == ["first"]
            bob.sign_out_everywhere()
            world.clock.time_ms += 5_000
            house.cut_all(1001)
            alice.send("bob.eth", "second")
            assert collect(following, 1) == ["second"]
        tokens = [frame["token"] for frame in house.said("subscribe")]
        assert len(tokens) == len(set(tokens)) + (tokens[0] == tokens[1])
        assert tokens[-1] != tokens[0]

    def test_a_service_that_refuses_its_own_tokens_is_polled(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        refusal = json.dumps({"type": "error", "code": -32003, "message": "no"})
        house.breaks.append(lambda point: refusal if point == "subscribe" else None)
        states: list[LiveState] = []
        alice.send("bob.eth", "polled")
        with bob.follow(poll_s=0.05, tell=states.append) as following:
            assert collect(following, 1) == ["polled"]
        assert [state.standing for state in states] == [Standing.POLLING]
        assert len(house.said("subscribe")) == 2

    def test_a_service_that_does_not_understand_is_polled(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        refusal = json.dumps({"type": "error", "code": -32601, "message": "what?"})
        house.breaks.append(lambda point: refusal if point == "subscribe" else None)
        alice.send("bob.eth", "polled")
        with bob.follow(poll_s=0.05) as following:
            assert collect(following, 1) == ["polled"]


class TestAcknowledging:
    def test_when_the_next_is_asked_for_and_not_before(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        for text in ("one", "two", "three"):
            alice.send("bob.eth", text)
        with bob.follow(acknowledge=True) as following:
            assert next(following).text == "one"
            assert house.said("acknowledge") == []
            assert next(following).text == "two"
            until(lambda: len(house.said("acknowledge")) == 1)
            assert next(following).text == "three"
        assert [message.text for message in bob.inbox()] == ["three"], "the loop was left in the middle of it"

    def test_an_error_of_the_caller_keeps_the_message(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        alice.send("bob.eth", "hello")

        def fail(_message: object) -> None:
            raise ZeroDivisionError

        with pytest.raises(ZeroDivisionError), bob.follow(acknowledge=True) as following:
            fail(next(following))
        assert [message.text for message in bob.inbox()] == ["hello"]

    @pytest.mark.parametrize("code", [None, 1001, 1009])
    @pytest.mark.parametrize("point", ["acknowledge", "acknowledged"])
    def test_a_cut_between_message_and_acknowledgement(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client, point: str, code: int | None
    ) -> None:
        house.breaks.append(once(point, Cut(code)))
        texts = [f"message {number}" for number in range(4)]
        for text in texts:
            alice.send("bob.eth", text)
        with bob.follow(acknowledge=True, poll_s=0.05) as following:
            assert collect(following, 4) == texts
            until(lambda: [message.text for message in bob.inbox()] == ["message 3"])

    def test_a_service_without_live_connections(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        house.status = 404
        for text in ("one", "two"):
            alice.send("bob.eth", text)
        with bob.follow(acknowledge=True, poll_s=0.05) as following:
            assert collect(following, 2) == ["one", "two"]
        assert [message.text for message in bob.inbox()] == ["two"]

    def test_polling(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        for text in ("one", "two"):
            alice.send("bob.eth", text)
        following = bob.follow(acknowledge=True, poll=True)
        assert collect(following, 2) == ["one", "two"]
        assert [message.text for message in bob.inbox()] == ["two"]

    def test_a_refusal_is_told(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        refusal = json.dumps({"type": "error", "code": -32602, "message": "no", "ref": "a1"})
        house.breaks.append(once("acknowledge", refusal))
        alice.send("bob.eth", "one")
        with bob.follow(acknowledge=True) as following:
            next(following)
            with pytest.raises(InvalidParams):
                collect(following, 1)

    @pytest.mark.parametrize("live", [True, False])
    def test_a_failure_that_passes_is_made_good(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client, live: bool
    ) -> None:
        if live:
            refusal = json.dumps({"type": "error", "code": -32002, "message": "later", "ref": "a1"})
            house.breaks.append(once("acknowledge", refusal))
        else:
            house.status = 404
            world.faults.append(answering(Response(503), path="/acknowledgements", times=2))
        alice.send("bob.eth", "one")
        alice.send("bob.eth", "two")
        with bob.follow(acknowledge=True, poll_s=0.05) as following:
            assert collect(following, 2) == ["one", "two"]
            until(lambda: [message.text for message in bob.inbox()] == ["two"])

    def test_a_refusal_over_rest_is_told(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        house.status = 404
        world.faults.append(answering(Response(400), path="/acknowledgements"))
        alice.send("bob.eth", "one")
        with bob.follow(acknowledge=True, poll_s=0.05) as following:
            next(following)
            with pytest.raises(Dm3Error):
                next(following)

    def test_what_was_refused_for_good_while_polling_is_told(
        self, world: World, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        """It is owed from a connection that broke; then there are no more connections, and REST refuses."""
        house.breaks.append(once("acknowledge", Cut()))
        alice.send("bob.eth", "one")
        with bob.follow(acknowledge=True, poll_s=0.05) as following:
            next(following)
            world.faults.append(answering(Response(400), path="/acknowledgements"))
            house.status = 404
            with pytest.raises(Dm3Error):
                collect(following, 1)


class TestPings:
    def test_a_ping_is_answered_when_what_came_before_was_handed_over(
        self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client
    ) -> None:
        """So a service that pings behind a message learns from the answer that somebody has it."""
        with bob.follow() as following:
            alice.send("bob.eth", "first")
            assert next(following).text == "first"
            until(lambda: house.open_connections == 1)
            alice.send("bob.eth", "shown")
            house.push()
            house.tell_all({"type": "ping"})
            assert next(following).text == "shown"
            time.sleep(0.1)
            assert house.said("pong") == [], "the caller is still at it"
            assert in_time(following, count=0, stop_after_s=1.0) == []
            assert len(house.said("pong")) == 1

    def test_before_signing_in_is_done(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        house.breaks.append(once("subscribe", '{"type":"ping"}'))
        alice.send("bob.eth", "hello")
        with bob.follow() as following:
            assert collect(following, 1) == ["hello"]
        until(lambda: len(house.said("pong")) == 1)


class TestStopping:
    def test_another_thread_may(self, house: LiveHouse, bob: Dm3Client) -> None:
        following = bob.follow()
        threading.Timer(0.2, following.stop).start()
        assert list(following) == []
        until(lambda: house.open_connections == 0)
        assert list(following) == []
        following.stop()

    def test_before_it_began(self, house: LiveHouse, bob: Dm3Client) -> None:
        following = bob.follow()
        following.stop()
        assert list(following) == []

    def test_what_is_forgotten_stops(self, house: LiveHouse, bob: Dm3Client, alice: Dm3Client) -> None:
        alice.send("bob.eth", "hello")
        before = threading.active_count()
        for message in bob.follow():
            assert message.text == "hello"
            break
        del message
        gc.collect()
        until(lambda: house.open_connections == 0)
        until(lambda: threading.active_count() <= before)

    def test_while_the_service_says_nothing(self, house: LiveHouse, bob: Dm3Client) -> None:
        house.mute = True
        following = bob.follow()
        threading.Timer(0.2, following.stop).start()
        began_s = time.monotonic()
        assert list(following) == []
        assert time.monotonic() - began_s < 6, "the answer would have been waited for longer"

    def test_polling_stops_at_the_next_look(self, world: World, bob: Dm3Client) -> None:
        following = world.client(bob.identity).follow(poll_s=0.01)
        threading.Timer(0.1, following.stop).start()
        assert list(following) == []
        assert list(following) == []

    def test_a_defect_is_raised_where_somebody_sees_it(
        self, house: LiveHouse, bob: Dm3Client, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def defect(_url: str) -> LiveSocket:
            raise ZeroDivisionError

        monkeypatch.setattr(house, "dial", defect)
        with pytest.raises(ZeroDivisionError):
            next(bob.follow())
