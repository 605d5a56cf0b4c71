from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client.cursor import read_cursor, write_cursor
from chalicelib.protocol.errors import InvalidParams


@settings(deadline=None, max_examples=50)
@given(st.dictionaries(st.text(st.characters(exclude_categories=["Cs"])), st.text(alphabet="aB-_9")))
def test_it_comes_back_as_it_was(positions: dict[str, str]) -> None:
    assert read_cursor(write_cursor(positions)) == positions


def test_none_is_the_start() -> None:
    assert read_cursor(None) == {}


@settings(deadline=None, max_examples=100)
@given(st.text(max_size=30))
def test_any_text_is_a_cursor_or_refused(text: str) -> None:
    try:
        assert isinstance(read_cursor(text), dict)
    except InvalidParams:
        return


@pytest.mark.parametrize("text", ["", "x", "W10", "é"])
def test_what_is_no_cursor(text: str) -> None:
    with pytest.raises(InvalidParams):
        read_cursor(text)
