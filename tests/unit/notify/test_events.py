from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.relay.ports import InboxKey
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.strategies import EVENTS

EVENT = MessageReceived(b"o" * 32, InboxKey(1_700_000_000_000, b"m" * 16), SizeClass.SMALL)


@given(EVENTS)
def test_an_event_survives_topic_and_queue(event: MessageReceived) -> None:
    record = sqs_event(event.to_text(), channels=sorted(event.channels))["Records"][0]
    assert MessageReceived.of_record(record) == event


def test_the_text_tells_account_message_time_and_size_and_nothing_else() -> None:
    assert json.loads(EVENT.to_text()) == {
        "type": "message.received",
        "account": "6f" * 32,
        "message": "6d" * 16,
        "receivedAt": 1_700_000_000_000,
        "size": "small",
    }
    assert EVENT.message_id == "6d" * 16


@pytest.mark.parametrize(
    ("size_bytes", "expected"),
    [
        (0, SizeClass.SMALL),
        (32 * 1024, SizeClass.SMALL),
        (32 * 1024 + 1, SizeClass.MEDIUM),
        (128 * 1024, SizeClass.MEDIUM),
        (128 * 1024 + 1, SizeClass.LARGE),
    ],
)
def test_sizes_are_told_by_class(size_bytes: int, expected: SizeClass) -> None:
    assert SizeClass.of(size_bytes) is expected


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("type", "message.sent"),
        ("account", "6f" * 31),
        ("account", "xx"),
        ("account", 7),
        ("message", "6d" * 15),
        ("receivedAt", "1700000000000"),
        ("receivedAt", True),
        ("size", "huge"),
        ("size", None),
    ],
)
def test_what_this_relay_has_not_written_is_refused(member: str, value: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text of each is another's
        MessageReceived.parse(json.dumps({**json.loads(EVENT.to_text()), member: value}))


@given(st.text() | st.sampled_from(["[]", "1", "null", "{}", '"a"']))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - JSON's own, or ours
        MessageReceived.parse(text)


def test_an_unknown_channel_is_refused_and_none_at_all_is_none() -> None:
    with pytest.raises(ValueError, match="carrier pigeon"):
        MessageReceived.parse(EVENT.to_text(), ["carrier pigeon"])
    assert MessageReceived.of_record({"body": EVENT.to_text()}).channels == frozenset()
    assert MessageReceived.parse(EVENT.to_text(), ["push"]).channels == {Channel.PUSH}
