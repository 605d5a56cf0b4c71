"""Where a reader stands, at each of its delivery services, as one opaque text."""

from __future__ import annotations

from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Mapping

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import InvalidParams, ParseError


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
    return {name: position for name, position in value.items() if isinstance(position, str)}
