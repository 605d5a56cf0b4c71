from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import InvalidParams
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.positions import Position, Positions
from chalicelib.relay.vault import Vault
from tests.unit.relay.ports import SeededChance

BOB, CAROL = b"b" * 32, b"c" * 32
KEYS = st.builds(InboxKey, st.integers(0, 2**63), st.binary(min_size=16, max_size=16))
POSITIONS = st.builds(Position, st.none() | KEYS, st.none() | KEYS, st.booleans())


def positions() -> Positions:
    return Positions(Vault(b"i" * 32, b"s" * 32, SeededChance()))


@settings(deadline=None, max_examples=50)
@given(KEYS)
def test_an_id_names_its_key_to_its_account_only(key: InboxKey) -> None:
    text = positions().id_of(BOB, key)
    assert positions().read_id(BOB, text) == key
    with pytest.raises(InvalidParams):
        positions().read_id(CAROL, text)


@settings(deadline=None, max_examples=50)
@given(POSITIONS)
def test_a_cursor_is_a_position_of_its_account_only(position: Position) -> None:
    text = positions().cursor_of(BOB, position)
    assert positions().read_cursor(BOB, text) == position
    with pytest.raises(InvalidParams):
        positions().read_cursor(CAROL, text)


def test_no_cursor_is_the_start() -> None:
    assert positions().read_cursor(BOB, None) == Position()


@settings(deadline=None, max_examples=200)
@given(st.text(max_size=600) | st.text("ABCDwxyz0189-_", max_size=160))
def test_any_other_text_is_refused(text: str) -> None:
    with pytest.raises(InvalidParams):
        positions().read_id(BOB, text)
    with pytest.raises(InvalidParams):
        positions().read_cursor(BOB, text)


@settings(deadline=None, max_examples=50)
@given(st.data())
def test_no_character_can_be_changed(data: st.DataObject) -> None:
    key = InboxKey(1_700_000_000_000, b"m" * 16)
    for text, read in (
        (positions().id_of(BOB, key), positions().read_id),
        (positions().cursor_of(BOB, Position(key, key)), positions().read_cursor),
    ):
        place = data.draw(st.integers(0, len(text) - 1))
        other = data.draw(st.sampled_from("ABCDEFxyz0189-_".replace(text[place], "")))
        with pytest.raises(InvalidParams):
            read(BOB, text[:place] + other + text[place + 1 :])


def test_an_id_is_no_cursor_and_a_cursor_no_id() -> None:
    key = InboxKey(1, b"m" * 16)
    with pytest.raises(InvalidParams):
        positions().read_cursor(BOB, positions().id_of(BOB, key))
    with pytest.raises(InvalidParams):
        positions().read_id(BOB, positions().cursor_of(BOB, Position(key)))


@pytest.mark.parametrize("suffix", ["=", "==", "\n", " "])
def test_one_spelling_only(suffix: str) -> None:
    text = positions().id_of(BOB, InboxKey(1, b"m" * 16))
    with pytest.raises(InvalidParams):
        positions().read_id(BOB, text + suffix)
