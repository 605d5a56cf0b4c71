"""Versions of the envelope, as `metadata.version` gives them: `v1`, `v1.2`, compared number by number."""

from __future__ import annotations

import re

# Bounded, since the text is a sender's.
_VERSION = re.compile(r"v\d{1,6}(?:\.\d{1,6}){0,3}", re.ASCII)


def parse_version(text: str) -> tuple[int, ...] | None:
    """The numbers of a version, without zeros at the end (`v1` is `v1.0`); None if `text` is none."""
    if not _VERSION.fullmatch(text):
        return None
    numbers = [int(number) for number in text[1:].split(".")]
    while numbers and not numbers[-1]:
        numbers.pop()
    return tuple(numbers)
