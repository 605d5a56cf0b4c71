"""Quiet hours and pauses between wake-ups, as their owner reads and writes them.

    {quietHours: null or {from: "22:00", to: "07:00", timeZone: "Europe/Berlin"},
     minutesBetween: {EMAIL: 15, PUSH: 1, SMS: 60}}     1 to 1440

Both members may be left out; then, and for a channel left out, the default holds. There is always a pause:
without one, whoever writes a thousand messages would decide how often a mailbox or a push endpoint is called.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from chalicelib.notify.events import WAKING, Channel
from chalicelib.notify.preferences import Preferences, QuietHours
from chalicelib.notify.refusals import api_type
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object, text_member

DEFAULT_MINUTES_BETWEEN: Final[Mapping[Channel, int]] = MappingProxyType(
    {Channel.EMAIL: 15, Channel.PUSH: 1, Channel.SMS: 60}
)
LEAST_MINUTES_BETWEEN, MOST_MINUTES_BETWEEN = 1, 1_440
_MEMBERS: Final = frozenset({"quietHours", "minutesBetween"})
_QUIET_MEMBERS: Final = frozenset({"from", "to", "timeZone"})
_TYPES: Final = {api_type(channel): channel for channel in WAKING}
_TIME: Final = re.compile(r"([01][0-9]|2[0-3]):([0-5][0-9])", re.ASCII)
_ZONE: Final = re.compile(r"[A-Za-z0-9_+-]{1,32}(/[A-Za-z0-9_+-]{1,32}){0,2}", re.ASCII)


def with_defaults(preferences: Preferences) -> Preferences:
    """The preferences with a pause for every channel: what is applied stands in the document."""
    return replace(
        preferences, minutes_between={**DEFAULT_MINUTES_BETWEEN, **dict(preferences.minutes_between)}
    )


def to_json(preferences: Preferences) -> JsonObject:
    """The settings among the preferences."""
    quiet = preferences.quiet_hours
    between = with_defaults(preferences).minutes_between
    return {
        "quietHours": None
        if quiet is None
        else {
            "from": _time(quiet.start_minute),
            "to": _time(quiet.end_minute),
            "timeZone": quiet.time_zone,
        },
        "minutesBetween": {api_type(channel): between[channel] for channel in WAKING},
    }


def applied_to(preferences: Preferences, document: JsonValue) -> Preferences:
    """The preferences with the settings of `document` in place of their own. Raises InvalidInput."""
    members = require_object(document, InvalidInput)
    if not members.keys() <= _MEMBERS:
        raise InvalidInput("The settings have a member that is not known here.")
    return replace(
        preferences,
        quiet_hours=_quiet_hours(members.get("quietHours")),
        minutes_between=_minutes_between(members.get("minutesBetween", {})),
    )


def _quiet_hours(value: JsonValue) -> QuietHours | None:
    if value is None:
        return None
    members = require_object(value, InvalidInput)
    if members.keys() != _QUIET_MEMBERS:
        raise InvalidInput("The quiet hours have the members from, to and timeZone.")
    start, end = (_minute(text_member(members, name, InvalidInput)) for name in ("from", "to"))
    if start == end:
        raise InvalidInput("The quiet hours begin and end at the same minute.")
    zone = text_member(members, "timeZone", InvalidInput)
    _require_zone(zone)
    return QuietHours(start, end, zone)


def _minute(text: str) -> int:
    found = _TIME.fullmatch(text)
    if found is None:
        raise InvalidInput("A time of the quiet hours is not of the form HH:MM.")
    return int(found[1]) * 60 + int(found[2])


def _time(minute: int) -> str:
    return f"{minute // 60:02}:{minute % 60:02}"


def _require_zone(name: str) -> None:
    try:
        # A name is looked up as a file: nothing but a name gets there, and folders are none.
        if _ZONE.fullmatch(name):
            ZoneInfo(name)
            return
    except (ZoneInfoNotFoundError, ValueError, OSError):
        pass
    raise InvalidInput("The time zone is not one of the IANA database.")


def _minutes_between(value: JsonValue) -> Mapping[Channel, int]:
    members = require_object(value, InvalidInput)
    if not members.keys() <= _TYPES.keys():
        raise InvalidInput("The pauses between wake-ups are for EMAIL, PUSH and SMS.")
    given: dict[Channel, int] = dict(DEFAULT_MINUTES_BETWEEN)
    for name, minutes in members.items():
        if not isinstance(minutes, int) or isinstance(minutes, bool):
            raise InvalidInput("A pause between wake-ups is a whole number of minutes.")
        if not LEAST_MINUTES_BETWEEN <= minutes <= MOST_MINUTES_BETWEEN:
            raise InvalidInput("A pause between wake-ups has 1 to 1440 minutes.")
        given[_TYPES[name]] = minutes
    return given
