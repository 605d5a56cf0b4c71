"""The texts of a live connection: what a delivery service sends, parsed, and what a client sends, written.

The service is trusted with nothing: whatever is not one of its texts raises Unavailable, as nonsense over
REST does. Texts of a kind that is not known yet are `Unknown`, so that services may say more one day.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final, TypeAlias

from chalicelib.client import failures
from chalicelib.client.cursor import is_position
from chalicelib.client.transport import Response
from chalicelib.protocol.canonical import DEFAULT_MAX_DEPTH, canonicalize, parse_json
from chalicelib.protocol.errors import Dm3Error, ParseError, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

DEFAULT_PING_INTERVAL_S: Final = 240.0
LONGEST_PING_INTERVAL_S: Final = 600.0  # API Gateway closes connections that are idle for longer
# A message wraps its envelope a few levels deep, which may be as deep by itself as JSON may be.
_MAX_DEPTH = 2 * DEFAULT_MAX_DEPTH
_LONGEST_REF = 64


@dataclass(frozen=True, slots=True)
class Subscribed:
    """Signed in. The service pings each `ping_interval_s` seconds; what waits follows."""

    ping_interval_s: float


@dataclass(frozen=True, slots=True)
class Delivered:
    """A stored message, as the paged inbox gives it, unopened."""

    message: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Announced:
    """A message that is too large for a live connection came in."""


@dataclass(frozen=True, slots=True)
class CaughtUp:
    """All that waits was sent up to `position`, or, if there is `more`, as much as fits into one answer."""

    position: str
    more: bool


@dataclass(frozen=True, slots=True)
class Acknowledged:
    """The messages of the request called `ref` are deleted."""

    ref: str | None


@dataclass(frozen=True, slots=True)
class Ping:
    """The service asks whether its peer is there."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """What was asked for under `ref` (or anything, if there is none) was not done."""

    error: Dm3Error
    ref: str | None


@dataclass(frozen=True, slots=True)
class Unknown:
    """A text of a kind that this client does not know, or has no use for."""


Frame: TypeAlias = Subscribed | Delivered | Announced | CaughtUp | Acknowledged | Ping | Refusal | Unknown


def parse_frame(text: str) -> Frame:
    """What a text of the service says. Raises Unavailable."""
    try:
        value = parse_json(text, max_depth=_MAX_DEPTH)
    except ParseError:
        value = None
    if not isinstance(value, Mapping) or not isinstance(value.get("type"), str):
        raise _nonsense()
    read = _READERS.get(str(value["type"]))
    return Unknown() if read is None else read(value)


def subscribe(name: str, token: str, position: str | None) -> str:
    """Sign in, and ask for what waits after `position` (None: everything)."""
    return canonicalize({"type": "subscribe", "name": name, "token": token, "cursor": position})


def resume(position: str) -> str:
    """Ask for what waits after `position`."""
    return canonicalize({"type": "resume", "cursor": position})


def acknowledge(ids: Sequence[str], ref: str) -> str:
    """Ask for these messages to be deleted."""
    return canonicalize({"type": "acknowledge", "ids": list(ids), "ref": ref})


def pong() -> str:
    """The answer to a ping."""
    return canonicalize({"type": "pong"})


def _subscribed(value: JsonObject) -> Frame:
    interval = value.get("pingInterval")
    if (
        isinstance(interval, int | float)
        and not isinstance(interval, bool)
        and math.isfinite(interval)
        and 0 < interval <= LONGEST_PING_INTERVAL_S
    ):
        return Subscribed(float(interval))
    return Subscribed(DEFAULT_PING_INTERVAL_S)


def _delivered(value: JsonObject) -> Frame:
    message = value.get("message")
    if not isinstance(message, Mapping):
        raise _nonsense()
    return Delivered(message)


def _caught_up(value: JsonObject) -> Frame:
    match value:
        case {"cursor": cursor, "more": bool(more)} if is_position(cursor):
            return CaughtUp(cursor, more)
    raise _nonsense()


def _refusal(value: JsonObject) -> Frame:
    return Refusal(failures.from_rpc(value, Response(200)), _ref(value))


def _ref(value: JsonObject) -> str | None:
    ref: JsonValue = value.get("ref")
    return ref if isinstance(ref, str) and len(ref) <= _LONGEST_REF else None


def _nonsense() -> Unavailable:
    return Unavailable("The delivery service sent something over its live connection that makes no sense.")


_READERS: Mapping[str, Callable[[JsonObject], Frame]] = {
    "subscribed": _subscribed,
    "message": _delivered,
    "announcement": lambda _: Announced(),
    "caughtUp": _caught_up,
    "acknowledged": lambda value: Acknowledged(_ref(value)),
    "ping": lambda _: Ping(),
    "error": _refusal,
}
