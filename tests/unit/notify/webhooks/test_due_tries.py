from __future__ import annotations

import json
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.webhooks.due_tries import DueTry

DUE = DueTry(b"o" * 32, "endpoint", b"e" * 24, 3)


@given(
    st.binary(min_size=32, max_size=32), st.text(), st.binary(min_size=24, max_size=24), st.integers(1, 10**6)
)
def test_text_and_back(owner: bytes, endpoint_id: str, entry: bytes, number: int) -> None:
    due = DueTry(owner, endpoint_id, entry, number)
    assert DueTry.read(due.to_text()) == due


@pytest.mark.parametrize(
    "change",
    [
        {"account": "00"},
        {"account": "zz" * 32},
        {"account": 7},
        {"endpoint": None},
        {"entry": ""},
        {"try": 0},
        {"try": "1"},
        {"try": True},
        {"try": None},
    ],
)
def test_what_this_relay_has_not_written_is_refused(change: dict[str, Any]) -> None:
    with pytest.raises(ValueError):  # noqa: PT011 - of whatever kind
        DueTry.read(json.dumps({**json.loads(DUE.to_text()), **change}))


def test_another_type_is_left_to_others() -> None:
    assert DueTry.read('{"type":"message.received"}') is None


@given(st.text() | st.recursive(st.none() | st.integers() | st.text(), st.lists).map(json.dumps))
def test_any_text_is_read_or_a_value_error(text: str) -> None:
    with suppress(ValueError):
        assert DueTry.read(text) is None
