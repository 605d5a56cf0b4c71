from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.sockets.open_socket import Dialect
from chalicelib.notify.sockets.terms import MESSAGE_BYTES
from chalicelib.notify.sockets.voices import VOICES, before, fetch_cursor, fits
from chalicelib.relay.ports import InboxKey
from tests.unit.notify.sockets.house import House

_KEYS = st.builds(InboxKey, st.integers(1, 2**62), st.binary(min_size=16, max_size=16))


@pytest.mark.parametrize("dialect", Dialect)
def test_every_dialect_has_a_voice(dialect: Dialect) -> None:
    assert VOICES[dialect].ping
    assert VOICES[dialect].farewell()


def test_what_the_gateway_carries_is_counted_in_bytes() -> None:
    assert fits("x" * MESSAGE_BYTES)
    assert not fits("x" * MESSAGE_BYTES + "x")
    assert not fits("ü" * (MESSAGE_BYTES // 2 + 1))


@given(_KEYS, _KEYS)
def test_nothing_lies_between_a_key_and_the_one_before(key: InboxKey, other: InboxKey) -> None:
    assert before(key) < key
    assert not before(key) < other < key


def test_before_the_first_key_of_a_moment_lies_the_last_of_the_moment_before() -> None:
    assert before(InboxKey(5, bytes(16))) == InboxKey(4, b"\xff" * 16)
    assert before(InboxKey(0, bytes(16))) == InboxKey(0, bytes(16))


@given(_KEYS)
def test_a_message_is_fetched_from_just_before_it(key: InboxKey) -> None:
    text = fetch_cursor(_HOUSE.positions, b"o" * 32, key)
    position = _HOUSE.positions.read_cursor(b"o" * 32, text)
    assert position.after == before(key)
    assert not position.at_end


_HOUSE = House()
