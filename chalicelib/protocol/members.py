"""Reading members of JSON objects that somebody else made.

Every function takes the error to raise, so that a caller learns which structure did not fit. `null` is never
the same as a member left out, in the schemas of the reference as in the specification.
"""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping

from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonObject, JsonValue


def require_object(value: JsonValue, error: type[Dm3Error]) -> JsonObject:
    """`value`, if it is an object."""
    if not isinstance(value, Mapping):
        raise error
    return value


def text_member(members: JsonObject, name: str, error: type[Dm3Error]) -> str:
    """The text `members[name]`."""
    value = members.get(name)
    if not isinstance(value, str):
        raise error(f"The member {name} is missing or not a text.")
    return value


def optional_text(members: JsonObject, name: str, error: type[Dm3Error]) -> str | None:
    """The text `members[name]`, or None if there is no such member."""
    return text_member(members, name, error) if name in members else None


def number_member(members: JsonObject, name: str, error: type[Dm3Error]) -> int | float:
    """The finite number `members[name]`."""
    value = members.get(name)
    if isinstance(value, bool) or not isinstance(value, (int, float)) or not _is_finite(value):
        raise error(f"The member {name} is missing or not a number.")
    return value


def texts_member(members: JsonObject, name: str, error: type[Dm3Error]) -> tuple[str, ...]:
    """The array of texts `members[name]`."""
    value = members.get(name)
    if isinstance(value, (list, tuple)):
        texts = tuple(item for item in value if isinstance(item, str))
        if len(texts) == len(value):
            return texts
    raise error(f"The member {name} is missing or not an array of texts.")


def other_members(members: JsonObject, known: Collection[str]) -> JsonObject:
    """The members that are not `known`, kept because signatures and hashes cover them."""
    return {name: value for name, value in members.items() if name not in known}


def _is_finite(value: float) -> bool:
    try:
        return math.isfinite(value)
    except OverflowError:  # an integer beyond the doubles
        return False
