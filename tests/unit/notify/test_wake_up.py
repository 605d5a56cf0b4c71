from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import MessageReceived
from chalicelib.notify.wake_up import WakeUp
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.strategies import EVENTS

OWNERS = st.binary(min_size=32, max_size=32)


def _record(text: str) -> dict[str, object]:
    record: dict[str, object] = sqs_event(text)["Records"][0]
    return record


@given(OWNERS, st.integers(-1, 2**45))
def test_a_wish_survives_the_queue(owner: bytes, since_ms: int) -> None:
    wake_up = WakeUp(owner, since_ms)
    assert WakeUp.of_record(_record(wake_up.to_text())) == wake_up


@given(EVENTS)
def test_an_event_is_the_wish_to_wake_for_its_message(event: MessageReceived) -> None:
    wake_up = WakeUp.of_record(_record(event.to_text()))
    assert wake_up == WakeUp(event.owner, event.key.stored_at_ms - 1, event.key)


@pytest.mark.parametrize(
    "members",
    [
        [],
        {},
        {"type": "wake-up"},
        {"type": "wake-up", "account": "6f" * 31, "since": 1},
        {"type": "wake-up", "account": "6f" * 32, "since": "1"},
        {"type": "wake-up", "account": "6f" * 32, "since": True},
        {"type": "wake-up", "account": None, "since": 1},
        {"type": "wake-up", "account": "xx", "since": 1},
        {"type": "good morning", "account": "6f" * 32, "since": 1},
    ],
)
def test_what_this_relay_has_not_written_is_refused(members: object) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - the text of each is another's
        WakeUp.of_record(_record(json.dumps(members)))
