from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.notify.ports import Queue
from chalicelib.notify.sockets.desk import SocketDesk, gateway_source
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import ENGINE, House, event
from tests.unit.relay.world import ALICE, BOB, limited


class Crash(Exception):
    """Nobody expects this one."""


def test_opening_writes_a_row_and_asks_for_a_greeting() -> None:
    house = House()
    assert house.connect("c1", ENGINE) == 200
    ((text, delay_s),) = house.queues.take(Queue.GREETINGS)
    assert (text, delay_s) == (house.socket("c1").connection.hex(), 0)
    assert "c1" not in text


@pytest.mark.parametrize(
    "query",
    [
        {"EIO": "3", "transport": "websocket"},
        {"EIO": "4", "transport": "polling"},
        {"EIO": "4"},
        {"EIO": "", "transport": "websocket"},
        {"EIO": "4", "transport": "websocket", "sid": "x"},
    ],
)
def test_an_engine_that_is_not_spoken_here_opens_nothing(query: dict[str, str]) -> None:
    house = House()
    assert house.connect("c1", query) == 400
    assert house.registry.find("c1") is None


def test_openings_are_limited_by_source() -> None:
    house = House(limited(source_sockets_per_minute=2))
    assert [house.connect(f"c{n}") for n in range(3)] == [200, 200, 429]
    assert house.connect("c4", source="198.51.100.1") == 200
    house.world.clock.pass_s(60)
    assert house.connect("c5") == 200


def test_the_source_is_what_the_operator_trusts() -> None:
    house = House(limited(source_sockets_per_minute=1))
    world = house.world
    desk = SocketDesk(
        relay=world.relay,
        registry=house.registry,
        queues=house.queues,
        counters=world.store.counters,
        vault=house.vault,
        clock=world.clock,
        chance=world.chance,
        count=house.count,
        limits=world.settings.limits,
        source_of=lambda event: str(event["headers"]["CloudFront-Viewer-Address"]),
    )
    for number, status in ((1, 200), (2, 200)):
        opened = {**event(f"c{number}"), "headers": {"CloudFront-Viewer-Address": f"192.0.2.{number}"}}
        assert desk.connect(opened) == {"statusCode": status}
    assert house.socket("c2").source == "192.0.2.2"


def test_a_source_that_the_gateway_does_not_tell_is_none() -> None:
    assert gateway_source({"requestContext": {}}) == ""


@pytest.mark.parametrize("operation", ["counters.charge", "connections.put"])
def test_a_store_that_does_not_answer_refuses_the_opening(operation: str) -> None:
    house = House(limited(source_sockets_per_minute=999))

    def fail(called: str, _moment: Moment) -> None:
        if called == operation:
            raise Unavailable

    house.world.store.faults = fail
    assert house.connect("c1", ENGINE) == 503


@pytest.mark.parametrize("removable", [True, False])
def test_a_socket_that_cannot_be_greeted_is_not_opened(removable: bool) -> None:
    house = House()
    house.queues.failure = Unavailable()

    def fail(called: str, _moment: Moment) -> None:
        if called == "connections.remove" and not removable:
            raise Unavailable

    house.world.store.faults = fail
    assert house.connect("c1", ENGINE) == 503
    assert (house.registry.find("c1") is None) is removable


def test_a_frame_of_an_unknown_socket_ends_it() -> None:
    house = House()
    house.poster.open_ids.add("c1")
    assert house.say("c1", {"type": "ping"}) == []
    assert house.poster.closed == ["c1"]


@pytest.mark.parametrize("body", [{"body": None}, {"body": "AAAA", "isBase64Encoded": True}, {"body": 5}])
def test_a_binary_frame_ends_the_socket(body: dict[str, Any]) -> None:
    house = House()
    house.plain("c1")
    assert house.desk.message({**event("c1"), **body}) == {"statusCode": 200}
    assert house.poster.closed == ["c1"]
    assert house.registry.find("c1") is None


def test_frames_are_limited_by_source() -> None:
    house = House(limited(socket_frames_per_minute=3))
    house.plain("c1")
    assert [house.say("c1", {"type": "ping"}) for _ in range(2)] == [['{"type":"pong"}']] * 2
    (text,) = house.say("c1", {"type": "ping"})
    assert json.loads(text)["code"] == -32005
    assert house.poster.closed == ["c1"]
    assert house.counted["SocketsRefused"] == 1


def test_frames_are_limited_by_account_wherever_they_come_from() -> None:
    house = House(limited(socket_frames_per_minute=3))
    for number in range(4):
        connection_id = f"c{number}"
        house.connect(connection_id, source=f"192.0.2.{number}")
        subscription = {"type": "subscribe", "name": "bob.eth", "token": house.world.token(BOB)}
        house.say(connection_id, subscription)
        answer = house.say(connection_id, {"type": "ping"})
        assert (answer == ['{"type":"pong"}']) is (number < 3)


def test_an_event_beyond_the_limit_is_acknowledged_with_the_reason() -> None:
    house = House(limited(socket_frames_per_minute=1))
    house.socket_io("c1")
    assert house.say("c1", '427["submitMessage",{}]') == [
        '437[{"error":"Too many requests; try again later."}]'
    ]
    assert house.poster.closed == ["c1"]
    for frame in ("3", "nonsense", '42["submitMessage",{}]'):
        house.connect("c2", ENGINE)
        assert house.say("c2", frame) == []
        assert "c2" not in house.poster.open_ids


def test_frames_pass_while_nobody_can_count_them() -> None:
    house = House(limited(socket_frames_per_minute=100))
    house.plain("c1")

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "counters.charge":
            raise Unavailable

    house.world.store.faults = fail
    assert house.say("c1", {"type": "ping"}) == ['{"type":"pong"}']


def test_leaving_forgets_and_an_unknown_one_is_no_error() -> None:
    house = House()
    house.plain("c1")
    house.leave("c1")
    assert house.registry.of_account(house.world.account(BOB).inbox) == ()
    house.leave("c1")


def test_no_store_that_fails_makes_any_route_raise() -> None:
    """Each call of the store fails in turn; whatever happens, mail is neither lost nor doubled."""
    operations = [
        "connections.get",
        "connections.put",
        "connections.of_account",
        "connections.remove",
        "accounts.get",
        "counters.charge",
        "inbox.page",
    ]
    for failing in operations:
        for error in (Unavailable, Crash):
            house = House(limited(source_sockets_per_minute=999))
            token = house.world.token(BOB)
            receipt = house.submit().receipt

            def fail(
                operation: str,
                _moment: Moment,
                failing: str = failing,
                error: type[Exception] = error,
            ) -> None:
                if operation == failing:
                    raise error

            house.world.store.faults = fail
            status = house.connect("c1")
            house.say("c1", {"type": "subscribe", "name": "bob.eth", "token": token})
            house.leave("c1")
            house.world.store.faults = lambda _operation, _moment: None
            assert status in (200, 500, 503)
            assert [message.message_id for message in house.world.mail(BOB)] == [receipt.message_id]
            frames = house.plain("c2")
            assert [frame["type"] for frame in frames] == ["subscribed", "message", "caughtUp"]


@pytest.mark.parametrize("error", [Unavailable, Crash])
def test_whatever_call_fails_while_a_socket_opens_its_client_comes_back(error: type[Exception]) -> None:
    """At every call of the store, before it and after it: refused or cut off, never left deaf."""
    calls = next(at for at in range(200) if not _failed_at(at, error))
    assert calls > 10


def _failed_at(at: int, error: type[Exception]) -> bool:
    """Let the call of that number fail; False if opening and subscribing make no such call."""
    house = House()
    token = house.world.token(BOB)
    receipt = house.submit().receipt
    calls = 0

    def fail(_operation: str, _moment: Moment) -> None:
        nonlocal calls
        calls += 1
        if calls == at + 1:
            raise error

    house.world.store.faults = fail
    status = house.connect("c1")
    subscription = {"type": "subscribe", "name": "bob.eth", "token": token}
    heard = [json.loads(text)["type"] for text in house.say("c1", subscription)] if status == 200 else []
    house.world.store.faults = lambda _operation, _moment: None
    served = heard == ["subscribed", "message", "caughtUp"]
    assert served or status != 200 or "c1" not in house.poster.open_ids
    (message,) = [frame for frame in house.plain("c2") if frame["type"] == "message"]
    assert message["message"]["messageId"] == receipt.message_id
    return calls > at


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
_MEMBERS = ("requestContext", "queryStringParameters", "headers", "body", "isBase64Encoded")


@settings(deadline=None, max_examples=200)
@given(st.dictionaries(st.sampled_from(_MEMBERS), _JSON))
def test_no_event_makes_any_route_raise(broken: dict[str, Any]) -> None:
    house = _HOUSE
    standing = house.standing()
    assert house.desk.connect(broken)["statusCode"] in (200, 400, 500)
    assert house.desk.message(broken) == {"statusCode": 200}
    assert house.desk.disconnect(broken) == {"statusCode": 200}
    assert house.standing() == standing


_HOUSE = House()


def test_no_poster_that_fails_makes_any_route_raise() -> None:
    for error in (Unavailable(), Crash()):
        house = House()
        house.submit()
        house.connect("c1")
        house.poster.failure = error
        subscription = {"type": "subscribe", "name": "bob.eth", "token": house.world.token(BOB)}
        house.say("c1", subscription)
        house.say("c1", "nonsense")
        house.say("unknown", "nonsense")
        house.poster.failure = None
        assert [frame["type"] for frame in house.plain("c2")] == ["subscribed", "message", "caughtUp"]


@pytest.mark.parametrize("broken", [{}, {"requestContext": {}}, {"requestContext": None}])
def test_a_broken_event_is_answered_all_the_same(broken: dict[str, Any]) -> None:
    house = House()
    assert house.desk.connect(broken) == {"statusCode": 500}
    assert house.desk.message(broken) == {"statusCode": 200}
    assert house.desk.disconnect(broken) == {"statusCode": 200}
    assert house.counted["SocketDefects"]


def test_a_defect_is_logged_by_its_type_alone(caplog: pytest.LogCaptureFixture) -> None:
    house = House()
    house.plain("the-connection-id")

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "connections.get":
            raise Crash("secret")

    house.world.store.faults = fail
    with caplog.at_level(logging.DEBUG):
        house.say("the-connection-id", {"type": "ping"})
    (record,) = [one for one in caplog.records if one.getMessage() == "defect"][:1]
    assert record.__dict__["fields"] == {"part": "sockets", "type": "Crash"}
    assert "secret" not in caplog.text
    assert "the-connection-id" not in caplog.text


def test_an_answer_that_is_lost_closes_the_socket_and_keeps_what_was_accepted() -> None:
    house = House()
    house.plain("c1")
    letter = house.world.letter(BOB, ALICE)
    house.poster.failure = Unavailable()
    house.say("c1", {"type": "submit", "envelope": letter})
    house.poster.failure = None
    assert len(house.world.mail(ALICE)) == 1
    house.plain("c2")
    (text,) = house.say("c2", {"type": "submit", "envelope": letter})
    assert json.loads(text)["duplicate"] is True
