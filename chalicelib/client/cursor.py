"""Where a reader stands, at each of its delivery services, as one opaque text."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping
from typing import TypeGuard

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import InvalidParams, ParseError, Unavailable

LONGEST_POSITION = 4_096
_MOST_EMPTY_PAGES = 100


class Progress:
    """Keeps a service from leading its reader round in circles, or on for ever over nothing.

    The relay may answer a page with nothing on it that leads on (expired mail), but not many in a row.
    """

    def __init__(self) -> None:
        self._empty_pages = 0

    def step(self, before: str | None, after: str, *, found: bool) -> None:
        """Take note of one page. Raises Unavailable if this cannot be a page of an honest service."""
        self._empty_pages = 0 if found else self._empty_pages + 1
        if before == after or self._empty_pages > _MOST_EMPTY_PAGES:
            raise Unavailable("The delivery service gave pages that lead nowhere.")


def is_position(value: object) -> TypeGuard[str]:
    """Whether a delivery service may have given this as a position."""
    return isinstance(value, str) and value.isascii() and len(value) <= LONGEST_POSITION


def write_cursor(positions: Mapping[str, str]) -> str:
    """The cursor for a position at each delivery service."""
    return urlsafe_b64encode(canonicalize(dict(positions)).encode()).rstrip(b"=").decode()


def read_cursor(text: str | None) -> dict[str, str]:
    """Inverse of `write_cursor`; None is the start of the inbox. Raises InvalidParams."""
    if text is None:
        return {}
    try:
        value = parse_json(urlsafe_b64decode(text.encode() + b"=" * (-len(text) % 4)))
    except (ParseError, ValueError):
        value = None
    if not isinstance(value, dict):
        raise InvalidParams("The cursor is not one of this client.")
    return {name: position for name, position in value.items() if is_position(position)}
