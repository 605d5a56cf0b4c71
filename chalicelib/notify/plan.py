"""What an account's preferences mean at a moment: which channels, whether it is quiet, how long a pause is.

Nothing here asks anybody: preferences and time come in, a decision goes out.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from chalicelib.notify.events import WAKING, Channel
from chalicelib.notify.preferences import EndpointState, Preferences, QuietHours, WakeUpChannel

LEAST_PAUSE_MINUTES = 1
"""Between two wake-ups of a channel, if its owner has not set more: a burst of mail wakes once."""

MOST_PAUSE_MINUTES = 7 * 1_440

MINUTE_MS = 60_000
# A day in which clocks are put back is longer than others; none was ever twice as long.
_MOST_MINUTES = 2 * 1_440
# A paused endpoint keeps what it misses in its log, from which it can be replayed.
_TOLD = (EndpointState.ACTIVE, EndpointState.PAUSED)


@dataclass(frozen=True, slots=True)
class Quiet:
    """A stretch of quiet hours: full minutes, in ms since the epoch. At `until_ms` it is over."""

    since_ms: int
    until_ms: int


def wanted(preferences: Preferences, *, has_sockets: bool) -> frozenset[Channel]:
    """The channels by which a message is to be told. Quiet hours and pauses delay, so they change nothing."""
    channels = {channel for channel in WAKING if to_wake(preferences, channel)}
    if has_sockets:
        channels.add(Channel.SOCKET)
    if any(endpoint.state in _TOLD for endpoint in preferences.endpoints):
        channels.add(Channel.WEBHOOK)
    return frozenset(channels)


def to_wake(preferences: Preferences, channel: Channel) -> tuple[WakeUpChannel, ...]:
    """The person's channels of one kind that may be used: enabled and verified, the global switch on."""
    if not preferences.enabled:
        return ()
    return tuple(one for one in preferences.of(channel) if one.enabled and one.verified)


def pause_minutes(preferences: Preferences, channel: Channel) -> int:
    """The least time between two wake-ups of `channel`."""
    minutes = preferences.minutes_between.get(channel, LEAST_PAUSE_MINUTES)
    return min(max(LEAST_PAUSE_MINUTES, minutes), MOST_PAUSE_MINUTES)


def quiet(hours: QuietHours | None, at_ms: int) -> Quiet | None:
    """The stretch of quiet hours in which `at_ms` lies, None if it lies in none.

    It is quiet whenever a clock on the wall shows a time from the start up to the end. The clock is read
    minute by minute, so that it may jump: an hour that is left out is not waited for, and one that comes
    twice counts twice. Hours that start and end at the same minute are no hours.
    """
    minute = at_ms // MINUTE_MS
    if hours is None or not _is_quiet(hours, minute):
        return None
    before, after = range(minute - 1, minute - _MOST_MINUTES, -1), range(minute + 1, minute + _MOST_MINUTES)
    since = next((one + 1 for one in before if not _is_quiet(hours, one)), before.stop)
    until = next((one for one in after if not _is_quiet(hours, one)), after.stop)
    return Quiet(since * MINUTE_MS, until * MINUTE_MS)


def full_minute_ms(at_ms: int) -> int:
    """The first full minute that is not before `at_ms`."""
    return -(-at_ms // MINUTE_MS) * MINUTE_MS


def _is_quiet(hours: QuietHours, minute: int) -> bool:
    wall = datetime.fromtimestamp(minute * 60, _zone(hours.time_zone))
    shown = wall.hour * 60 + wall.minute
    if hours.start_minute <= hours.end_minute:
        return hours.start_minute <= shown < hours.end_minute
    return shown >= hours.start_minute or shown < hours.end_minute


def _zone(name: str) -> ZoneInfo:
    """The zone of that name. One that exists no more is read as UTC: it was known when it was chosen."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):
        return ZoneInfo("UTC")
