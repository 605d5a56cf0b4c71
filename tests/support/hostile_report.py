"""The totals of the hostile fetches, for the end of a test run."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

PROPERTY = "hostile fetch"


def hostile_lines(properties: Iterable[Sequence[tuple[str, object]]]) -> Iterator[str]:
    """How many were tried, how many got through, and the longest; nothing if none was tried."""
    tried = [
        value
        for report in properties
        for name, value in report
        if name == PROPERTY and isinstance(value, dict)
    ]
    if tried:
        through = sum(value["through"] for value in tried)
        longest_s = max(value["seconds"] for value in tried)
        yield ""
        yield f"hostile fetches: {len(tried)} tried, {through} got through, the longest {longest_s:.2f} s"
