"""When a server asks to be tried again: `Retry-After` (RFC 9110, section 10.2.3), a stranger's text."""

from __future__ import annotations

import math
from collections.abc import Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from typing import Final

LONGEST_S: Final = 86_400
"""No server can put a try off for longer than the longest pause of the schedule."""
_MAX_DIGITS = 9


def retry_after_s(headers: Mapping[str, str], now_ms: int) -> int | None:
    """Seconds to wait, from 0 to `LONGEST_S`; None if the header is missing or says nothing.

    A date counts by the server's own clock, if its answer tells the time: only the difference matters.
    """
    text = headers.get("retry-after", "").strip()
    if text.isascii() and text.isdigit():
        seconds: float = int(text) if len(text) <= _MAX_DIGITS else LONGEST_S
    elif (moment := _date(text)) is not None:
        now = _date(headers.get("date", "")) or datetime.fromtimestamp(now_ms / 1_000, UTC)
        seconds = (moment - now).total_seconds()
    else:
        return None
    return min(max(math.ceil(seconds), 0), LONGEST_S)


def _date(text: str) -> datetime | None:
    try:
        moment = parsedate_to_datetime(text)
        return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)
    except (ValueError, TypeError, IndexError, OverflowError):
        return None
