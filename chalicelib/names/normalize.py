"""ENS names in the one form in which they are compared, hashed and stored (ENSIP-15).

The tables of ENSIP-15 take about 300 ms to load, so plain ASCII names, nearly all of them, are normalised
without: for those the standard is lower-casing and three rules. A test holds that path against the library.
"""

from __future__ import annotations

import re

from chalicelib.names.encoding import MAX_NAME_BYTES, dns_encode
from chalicelib.protocol.errors import InvalidName

# ENSIP-15, ASCII: no hyphens at the third and fourth place, underscores at the front only.
_ASCII_LABEL = r"(?![^.]{2}--)(?:_+|_*[a-z0-9$-]+)"
_ASCII_NAME = re.compile(rf"{_ASCII_LABEL}(?:\.{_ASCII_LABEL})*")
_CONTROL = re.compile(r"[\x00-\x20\x7f]")


def normalize(name: str) -> str:
    """The ENSIP-15 normal form of `name`, with every label DNS-encodable (1 to 255 bytes of UTF-8).

    Raises `InvalidName` for anything the standard refuses, and for names longer than `MAX_NAME_BYTES`.
    """
    # Bounded before any work: the standard's algorithm takes time in proportion to the input.
    if not 0 < len(name) <= MAX_NAME_BYTES:
        raise InvalidName("The name is empty or too long.")
    lowered = name.lower() if name.isascii() else name
    normal = lowered if _ASCII_NAME.fullmatch(lowered) else _normalize_by_table(name)
    dns_encode(normal)
    return normal


def _normalize_by_table(name: str) -> str:
    # The library lets a trailing line feed through, which the standard disallows.
    if _CONTROL.search(name):
        raise InvalidName
    from ens_normalize import DisallowedSequence, ens_normalize

    try:
        return str(ens_normalize(name))
    except DisallowedSequence:
        # Its text quotes the name.
        raise InvalidName from None
