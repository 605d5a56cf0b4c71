from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.webhooks.retry_after import LONGEST_S, retry_after_s

NOON_MS = 1_700_049_600_000  # 2023-11-15 12:00:00 GMT
AT_NOON = "Wed, 15 Nov 2023 12:00:00 GMT"


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("0", 0),
        (" 120 ", 120),
        ("86400", 86_400),
        ("86401", LONGEST_S),
        ("9" * 5_000, LONGEST_S),
        ("Wed, 15 Nov 2023 12:10:00 GMT", 600),
        ("Wednesday, 15-Nov-23 12:10:00 GMT", 600),
        ("Wed Nov 15 12:10:00 2023", 600),
        ("Wed, 15 Nov 2023 11:00:00 GMT", 0),
        ("Wed, 15 Nov 2099 11:00:00 GMT", LONGEST_S),
        ("", None),
        ("-5", None),
        ("1.5", None),
        ("٣", None),
        ("soon", None),
        ("Wed, 99 Nov 2023 12:10:00 GMT", None),
    ],
)
def test_seconds_and_dates(text: str, seconds: int | None) -> None:
    assert retry_after_s({"retry-after": text}, NOON_MS) == seconds


def test_a_date_counts_by_the_clock_of_the_server() -> None:
    headers = {"retry-after": "Wed, 15 Nov 2023 13:00:00 GMT", "date": "Wed, 15 Nov 2023 12:59:00 GMT"}
    assert retry_after_s(headers, NOON_MS) == 60
    assert retry_after_s({**headers, "date": "rubbish"}, NOON_MS) == 3_600
    assert retry_after_s({"date": AT_NOON}, NOON_MS) is None


@given(st.text(), st.text())
def test_any_text_is_nothing_or_within_bounds(text: str, date: str) -> None:
    seconds = retry_after_s({"retry-after": text, "date": date}, NOON_MS)
    assert seconds is None or 0 <= seconds <= LONGEST_S
