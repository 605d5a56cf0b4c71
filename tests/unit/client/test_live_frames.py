from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.client import live_frames as frames
from chalicelib.protocol.errors import (
    InvalidInput,
    InvalidParams,
    LimitExceeded,
    Unauthorized,
    Unavailable,
)

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=10,
)
KINDS = ["subscribed", "message", "announcement", "caughtUp", "acknowledged", "ping", "pong", "error", "new"]
MEMBERS = ["pingInterval", "message", "cursor", "more", "ref", "code", "data", "messageId", "count"]


@given(st.text() | JSON.map(json.dumps))
def test_whatever_is_sent_is_a_frame_or_nonsense(text: str) -> None:
    try:
        frame = frames.parse_frame(text)
    except Unavailable:
        return
    assert isinstance(json.loads(text)["type"], str)
    assert frame is not None


@given(st.sampled_from(KINDS), st.dictionaries(st.sampled_from(MEMBERS), JSON))
def test_known_kinds_with_any_members(kind: str, members: dict[str, object]) -> None:
    try:
        frame = frames.parse_frame(json.dumps({"type": kind, **members}))
    except Unavailable:
        return
    match frame:
        case frames.Subscribed(ping_interval_s):
            assert 0 < ping_interval_s <= 600
        case frames.CaughtUp(position, more):
            assert (position, more) == (members["cursor"], members["more"])
        case frames.Delivered(message):
            assert message == members["message"]
        case frames.Acknowledged(ref):
            assert ref in (None, members.get("ref"))


@pytest.mark.parametrize("interval", [None, True, 0, -1, 601, 1e308, "240", [240]])
def test_an_interval_that_is_none_is_the_usual_one(interval: object) -> None:
    text = json.dumps({"type": "subscribed", "pingInterval": interval})
    assert frames.parse_frame(text) == frames.Subscribed(240.0)


def test_numbers_out_of_range() -> None:
    assert frames.parse_frame('{"type":"subscribed","pingInterval":1e999}') == frames.Subscribed(240.0)


@pytest.mark.parametrize(
    ("text", "frame"),
    [
        ('{"type":"subscribed","pingInterval":0.5}', frames.Subscribed(0.5)),
        ('{"type":"announcement","messageId":"00","storedAt":1,"cursor":"c"}', frames.Announced()),
        ('{"type":"caughtUp","cursor":"c","more":false}', frames.CaughtUp("c", more=False)),
        ('{"type":"acknowledged","count":1,"ref":"a1"}', frames.Acknowledged("a1")),
        ('{"type":"acknowledged","count":1}', frames.Acknowledged(None)),
        ('{"type":"ping"}', frames.Ping()),
        ('{"type":"pong"}', frames.Unknown()),
        ('{"type":"weather"}', frames.Unknown()),
    ],
)
def test_what_a_service_says(text: str, frame: frames.Frame) -> None:
    assert frames.parse_frame(text) == frame


@pytest.mark.parametrize(
    "text",
    [
        "",
        "null",
        "[]",
        '"ping"',
        "{}",
        '{"type":null}',
        '{"type":"message"}',
        '{"type":"message","message":[]}',
        '{"type":"caughtUp"}',
        '{"type":"caughtUp","cursor":1,"more":false}',
        '{"type":"caughtUp","cursor":"c","more":0}',
        '{"type":"caughtUp","cursor":"' + "c" * 5_000 + '","more":false}',
        '{"type":"message","message":' + '{"a":' * 200 + "1" + "}" * 201,
    ],
)
def test_nonsense(text: str) -> None:
    with pytest.raises(Unavailable):
        frames.parse_frame(text)


@pytest.mark.parametrize(
    ("code", "kind"),
    [(-32003, Unauthorized), (-32002, Unavailable), (-32602, InvalidParams), (1, InvalidInput)],
)
def test_errors_are_those_of_the_tree(code: int, kind: type[Exception]) -> None:
    frame = frames.parse_frame(
        json.dumps({"type": "error", "code": code, "message": "no\x1b[2J", "ref": "r"})
    )
    assert isinstance(frame, frames.Refusal)
    assert type(frame.error) is kind
    assert (frame.error.message, frame.ref) == ("no[2J", "r")


def test_how_long_to_wait_is_kept() -> None:
    text = json.dumps({"type": "error", "code": -32005, "message": "no", "data": {"retryAfter": 7}})
    frame = frames.parse_frame(text)
    assert isinstance(frame, frames.Refusal)
    assert isinstance(frame.error, LimitExceeded)
    assert frame.error.data["retryAfter"] == 7


def test_what_a_client_says() -> None:
    assert json.loads(frames.subscribe("bob.eth", "t", None)) == {
        "type": "subscribe",
        "name": "bob.eth",
        "token": "t",
        "cursor": None,
    }
    assert json.loads(frames.resume("c")) == {"type": "resume", "cursor": "c"}
    assert json.loads(frames.acknowledge(["a", "b"], "r")) == {
        "type": "acknowledge",
        "ids": ["a", "b"],
        "ref": "r",
    }
    assert json.loads(frames.pong()) == {"type": "pong"}


def test_a_message_is_not_shown_by_repr() -> None:
    assert "secret" not in repr(frames.parse_frame('{"type":"message","message":{"x":"secret"}}'))
