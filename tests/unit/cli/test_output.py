from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.cli.output import moment, plain


@settings(deadline=None, max_examples=100)
@given(st.text())
def test_nothing_a_terminal_obeys_gets_through(text: str) -> None:
    shown = plain(text)
    assert all(char.isprintable() or char in "\n\t" for char in shown)
    assert len(shown) == len(text)


def test_what_can_be_read_stays() -> None:
    assert plain("Grüße, 世界 👋\n\tok") == "Grüße, 世界 👋\n\tok"


@pytest.mark.parametrize(
    ("time_ms", "shown"),
    [
        (0, "1970-01-01 00:00:00 UTC"),
        (1_800_000_000_000, "2027-01-15 08:00:00 UTC"),
        (10**30, f"{10**30} ms"),
    ],
)
def test_times(time_ms: int, shown: str) -> None:
    assert moment(time_ms) == shown
