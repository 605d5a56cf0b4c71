from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.notify.sockets.terms import BACKLOG_MESSAGES, MESSAGE_BYTES
from chalicelib.protocol.errors import TooBig, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import House
from tests.unit.relay.world import ALICE, BOB, MALLORY, limited


def say(house: House, frame: str | JsonObject, connection_id: str = "c1") -> list[dict[str, Any]]:
    return [json.loads(text) for text in house.say(connection_id, frame)]


def kinds(frames: list[Any]) -> list[str]:
    return [frame["type"] for frame in frames]


def test_a_subscriber_is_given_the_backlog() -> None:
    house = House()
    texts = [house.submit().receipt.message_id for _ in range(3)]
    frames = house.plain("c1")
    assert kinds(frames) == ["subscribed", "message", "message", "message", "caughtUp"]
    assert frames[0] == {"type": "subscribed", "pingInterval": 240}
    assert [frame["message"]["messageId"] for frame in frames[1:4]] == texts
    assert frames[4]["more"] is False


def test_a_message_has_the_form_of_the_paged_api() -> None:
    house = House()
    house.submit()
    (stored,) = house.world.mail(BOB)
    assert house.plain("c1")[1]["message"] == json.loads(json.dumps(stored.to_json()))


def test_nothing_is_repeated_after_a_while_from_the_cursor_reached() -> None:
    house = House()
    house.submit()
    cursor = house.plain("c1")[-1]["cursor"]
    house.leave("c1")
    house.world.clock.pass_s(120)
    late = house.submit().receipt.message_id
    frames = house.plain("c2", cursor=cursor)
    # The follower restarts a minute before the last message it was given.
    assert [frame["message"]["messageId"] for frame in frames[1:-1]][-1] == late


def test_a_backlog_is_given_in_bounded_parts() -> None:
    house = House()
    ids = [house.submit().receipt.message_id for _ in range(BACKLOG_MESSAGES + 30)]
    house.world.clock.pass_s(120)
    frames = house.plain("c1")
    assert len(frames) == BACKLOG_MESSAGES + 2
    assert frames[-1]["more"] is True
    rest = say(house, {"type": "resume", "cursor": frames[-1]["cursor"]})
    assert rest[-1]["more"] is False
    seen = [frame["message"]["messageId"] for frame in frames + rest if frame["type"] == "message"]
    assert seen == ids


def test_a_backlog_is_bounded_by_bytes() -> None:
    house = House()
    for _ in range(45):
        house.submit(house.world.letter(text="x" * 40_000))
    frames = house.plain("c1")
    assert frames[-1]["more"] is True
    assert len(frames) < 45


def test_a_cursor_from_the_middle_of_the_backlog_continues_there() -> None:
    house = House()
    first = house.submit().receipt.message_id
    house.world.clock.pass_s(300)
    later = [house.submit().receipt.message_id for _ in range(2)]
    middle = house.plain("c1")[2]["cursor"]
    frames = house.plain("c2", cursor=middle)
    seen = [frame["message"]["messageId"] for frame in frames[1:-1]]
    assert seen == later
    assert first not in seen


def test_what_is_too_large_is_announced_and_can_be_fetched() -> None:
    house = House()
    house.submit()
    big = house.submit(house.world.letter(text="x" * MESSAGE_BYTES)).receipt
    frames = house.plain("c1")
    announced = frames[2]
    assert announced["type"] == "announcement"
    assert (announced["messageId"], announced["storedAt"]) == (big.message_id, big.incoming_timestamp_ms)
    page = house.world.relay.inbox.page(house.world.account(BOB), announced["fetch"], 1)
    assert [message.message_id for message in page.messages] == [big.message_id]
    assert frames[-1]["type"] == "caughtUp"


@pytest.mark.parametrize(
    ("change", "code"),
    [
        ({"token": "x"}, -32003),
        ({"name": "alice.eth"}, -32003),
        ({"name": "no name"}, -32000),
        ({"name": None}, -32602),
        ({"token": 5}, -32602),
        ({"cursor": "x"}, -32602),
        ({"cursor": 5}, -32602),
    ],
)
def test_a_failed_subscription_ends_the_socket(change: JsonObject, code: int) -> None:
    house = House()
    house.connect("c1")
    frame = {
        "type": "subscribe",
        "name": "bob.eth",
        "token": house.world.token(BOB),
        "cursor": None,
        **change,
    }
    (refused,) = say(house, frame)
    assert (refused["type"], refused["code"]) == ("error", code)
    assert house.poster.closed == ["c1"]
    assert house.registry.find("c1") is None
    assert not house.registry.of_account(house.world.account(BOB).inbox)


def test_another_accounts_cursor_is_refused() -> None:
    house = House()
    cursor = house.plain("c1", MALLORY)[-1]["cursor"]
    (refused,) = house.plain("c2", BOB, cursor)
    assert refused["code"] == -32602


def test_an_expired_token_subscribes_nowhere_though_it_has_opened_a_socket() -> None:
    house = House()
    token = house.world.token(BOB)
    house.socket_io("c1", token=token)
    house.world.clock.pass_s(2 * 3_600)
    house.connect("c2")
    (refused,) = say(house, {"type": "subscribe", "name": "bob.eth", "token": token}, "c2")
    assert refused["message"] == "Sign in first."


@pytest.mark.parametrize("kind", ["resume", "acknowledge", "submit", "ping", "pong", "nonsense", None, []])
def test_nothing_goes_before_a_subscription(kind: JsonValue) -> None:
    house = House()
    house.connect("c1")
    (refused,) = say(house, {"type": kind, "envelope": house.world.letter(), "cursor": "", "ids": []})
    assert refused["code"] == -32003
    assert house.poster.closed == ["c1"]
    assert not house.world.mail(BOB)


def test_subscribing_twice_is_refused_and_changes_nothing() -> None:
    house = House()
    house.plain("c1")
    frame = {"type": "subscribe", "name": "mallory.eth", "token": house.world.token(MALLORY)}
    assert say(house, frame)[0]["code"] == -32600
    assert house.socket("c1").account == house.world.account(BOB)


def test_messages_are_acknowledged_over_the_socket() -> None:
    house = House()
    house.submit()
    message_id = house.plain("c1")[1]["message"]["id"]
    answer = say(house, {"type": "acknowledge", "ids": [message_id], "ref": "r1"})
    assert answer == [{"type": "acknowledged", "count": 1, "ref": "r1"}]
    assert not house.world.mail(BOB)


@pytest.mark.parametrize("ids", [None, "x", [5], [None], {}, ["x"]])
def test_ids_that_are_none_are_refused(ids: JsonValue) -> None:
    house = House()
    house.submit()
    house.plain("c1")
    (refused,) = say(house, {"type": "acknowledge", "ids": ids, "ref": 3})
    assert (refused["code"], refused["ref"]) == (-32602, 3)
    assert len(house.world.mail(BOB)) == 1
    assert "c1" in house.poster.open_ids


def test_an_envelope_is_submitted_over_the_socket() -> None:
    house = House()
    house.plain("c1")
    envelope = house.world.letter(BOB, ALICE)
    (first,) = say(house, {"type": "submit", "envelope": envelope, "ref": 1})
    (second,) = say(house, {"type": "submit", "envelope": json.dumps(envelope)})
    assert (first["type"], first["duplicate"], first["ref"]) == ("submitted", False, 1)
    assert (second["receipt"], second["duplicate"]) == (first["receipt"], True)
    assert len(house.world.mail(ALICE)) == 1


def test_a_refused_envelope_is_told_why() -> None:
    house = House()
    house.plain("c1")
    (refused,) = say(house, {"type": "submit", "envelope": "no JSON"})
    assert refused == {"type": "error", "code": -32602, "message": "The envelope is not valid JSON."}


def test_a_submission_is_charged_to_the_sockets_source() -> None:
    house = House(limited(source_submits_per_minute=1))
    house.plain("c1")
    say(house, {"type": "submit", "envelope": house.world.letter(BOB, ALICE)})
    (refused,) = say(house, {"type": "submit", "envelope": house.world.letter(BOB, ALICE, "again")})
    assert refused["code"] == -32005
    assert 0 < refused["data"]["retryAfter"] <= 60


def test_pings_are_answered_and_pongs_counted() -> None:
    house = House()
    house.plain("c1")
    assert say(house, {"type": "ping"}) == [{"type": "pong"}]
    assert say(house, {"type": "pong"}) == []
    row = house.world.store.connections.get(house.socket("c1").connection, now_s=0)
    assert row is not None
    assert row.pongs == 1


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("", -32700),
        ("{", -32700),
        ("NaN", -32700),
        ("42", -32600),
        ("[]", -32600),
        ("[" * 100_000, -32700),
        ("{}", -32601),
        ('{"type":"nonsense"}', -32601),
        ('{"type":["ping"]}', -32601),
        ('{"type":"ping","ref":{}}', -32602),
        ('{"type":"ping","ref":true}', -32602),
        ('{"type":"ping","ref":1e400}', -32602),
        (f'{{"type":"ping","ref":{"9" * 300}}}', -32602),
        ('{"type":"resume"}', -32602),
        ('{"type":"resume","cursor":"x"}', -32602),
        ("x" * (MESSAGE_BYTES + 1), -32011),
    ],
)
def test_a_subscriber_is_told_what_is_wrong_with_a_frame(text: str, code: int) -> None:
    house = House()
    house.plain("c1")
    assert [frame["code"] for frame in say(house, text)] == [code]
    assert "c1" in house.poster.open_ids


def test_an_outage_while_reading_the_backlog_is_told() -> None:
    house = House()
    cursor = house.plain("c1")[-1]["cursor"]

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "inbox.page":
            raise Unavailable

    house.world.store.faults = fail
    (refused,) = say(house, {"type": "resume", "cursor": cursor})
    assert (refused["code"], refused["data"]) == (-32002, {"retryAfter": 5})
    house.world.store.faults = lambda _operation, _moment: None
    assert kinds(say(house, {"type": "resume", "cursor": cursor})) == ["caughtUp"]


def test_a_subscription_whose_backlog_cannot_be_read_leaves_no_socket() -> None:
    house = House()

    def fail(operation: str, _moment: Moment) -> None:
        if operation == "inbox.page":
            raise Unavailable

    house.world.store.faults = fail
    assert [frame.get("code") for frame in house.plain("c1")] == [None, -32002]
    assert not house.registry.of_account(house.world.account(BOB).inbox)
    assert house.poster.closed == ["c1"]


def test_a_socket_that_goes_in_the_middle_of_a_backlog_is_forgotten() -> None:
    house = House()
    for _ in range(3):
        house.submit()
    house.connect("c1")
    token = house.world.token(BOB)
    post = house.poster.post

    def go(connection_id: str, text: str) -> None:
        post(connection_id, text)
        if '"type":"message"' in text:
            house.poster.open_ids.discard(connection_id)

    house.poster.post = go  # type: ignore[method-assign]
    frames = say(house, {"type": "subscribe", "name": "bob.eth", "token": token})
    assert kinds(frames) == ["subscribed", "message"]
    assert house.registry.find("c1") is None


def test_a_gateway_that_carries_less_hears_of_the_message_all_the_same() -> None:
    house = House()
    house.submit()
    post = house.poster.post

    def carry(connection_id: str, text: str) -> None:
        if '"type":"message"' in text:
            raise TooBig
        post(connection_id, text)

    house.poster.post = carry  # type: ignore[method-assign]
    assert kinds(house.plain("c1")) == ["subscribed", "announcement", "caughtUp"]


_SHARED = House()
_SHARED.plain("signed in")
_SHARED.connect("stranger")
_VALUES = st.recursive(
    st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
)
_FRAMES = st.fixed_dictionaries(
    {"type": st.sampled_from(["subscribe", "resume", "acknowledge", "submit", "ping", "pong"]) | _VALUES},
    optional=dict.fromkeys(("name", "token", "cursor", "ids", "envelope", "ref"), _VALUES),
)


@settings(max_examples=200, deadline=None)
@given(
    st.one_of(st.text(), _VALUES.map(json.dumps), _FRAMES.map(json.dumps)),
    st.sampled_from(["signed in", "stranger"]),
)
def test_no_text_raises_or_leaves_anything(text: str, connection_id: str) -> None:
    house = _SHARED
    if house.registry.find(connection_id) is None:
        house.connect(connection_id)
    standing = house.standing()
    house.say(connection_id, text)
    assert house.registry.find("signed in") is not None
    assert not house.counted["SocketDefects"]
    assert house.standing() == standing


def test_whoever_asks_for_the_backlog_too_often_is_told_to_wait_and_stays() -> None:
    """A frame of a hundred bytes may cost a hundred posts."""
    house = House()
    cursor = house.plain("c1")[-1]["cursor"]
    resume = {"type": "resume", "cursor": cursor}
    for _ in range(599):
        house.say("c1", resume)
    (text,) = house.say("c1", {**resume, "ref": 1})
    refused = json.loads(text)
    assert (refused["type"], refused["code"], refused["ref"]) == ("error", -32005, 1)
    assert refused["data"]["retryAfter"] > 0
    assert "c1" in house.poster.open_ids
