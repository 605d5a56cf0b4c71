from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel
from chalicelib.notify.plan import (
    LEAST_PAUSE_MINUTES,
    MOST_PAUSE_MINUTES,
    Quiet,
    full_minute_ms,
    pause_minutes,
    quiet,
    to_wake,
    wanted,
)
from chalicelib.notify.preferences import Endpoint, EndpointState, Preferences, QuietHours, WakeUpChannel
from tests.unit.notify.strategies import MOMENTS_MS, QUIET_HOURS

MAIL = WakeUpChannel(Channel.EMAIL, "bob@example.org", verified=True)
PUSH = WakeUpChannel(Channel.PUSH, "browser", verified=True)
NIGHT = QuietHours(22 * 60, 7 * 60, "Europe/Berlin")


def _ms(zone: str, *parts: int, fold: int = 0) -> int:
    return int(datetime(*parts, tzinfo=ZoneInfo(zone), fold=fold).timestamp() * 1_000)  # type: ignore[arg-type, misc]


def _endpoint(state: EndpointState) -> Endpoint:
    return Endpoint("e", "https://hooks.example/", state, (), 1)


def test_whoever_has_set_nothing_is_told_nothing() -> None:
    assert wanted(Preferences(), has_sockets=False) == frozenset()
    assert wanted(Preferences(), has_sockets=True) == {Channel.SOCKET}


def test_people_are_told_by_what_is_enabled_and_verified_while_the_switch_is_on() -> None:
    preferences = Preferences(enabled=True, channels=(MAIL, PUSH, replace(PUSH, recipient="other")))
    assert wanted(preferences, has_sockets=True) == {Channel.EMAIL, Channel.PUSH, Channel.SOCKET}
    assert to_wake(preferences, Channel.PUSH) == preferences.channels[1:]
    assert wanted(replace(preferences, enabled=False), has_sockets=False) == frozenset()
    for off in (replace(MAIL, enabled=False), replace(MAIL, verified=False)):
        assert wanted(replace(preferences, channels=(off,)), has_sockets=False) == frozenset()
        assert to_wake(replace(preferences, channels=(off, PUSH)), Channel.EMAIL) == ()


@pytest.mark.parametrize(
    ("state", "told"),
    [
        (EndpointState.ACTIVE, True),
        (EndpointState.PAUSED, True),
        (EndpointState.UNVERIFIED, False),
        (EndpointState.GONE, False),
    ],
)
def test_webhooks_ask_for_no_switch_and_a_paused_one_is_told_for_its_log(
    state: EndpointState, *, told: bool
) -> None:
    preferences = Preferences(enabled=False, endpoints=(_endpoint(state),))
    assert (Channel.WEBHOOK in wanted(preferences, has_sockets=False)) is told


def test_a_pause_is_never_shorter_than_a_minute_nor_longer_than_a_week() -> None:
    preferences = Preferences(minutes_between={Channel.EMAIL: 15, Channel.PUSH: 0, Channel.SMS: 10**9})
    assert pause_minutes(preferences, Channel.EMAIL) == 15
    assert pause_minutes(preferences, Channel.PUSH) == LEAST_PAUSE_MINUTES
    assert pause_minutes(preferences, Channel.SMS) == MOST_PAUSE_MINUTES
    assert pause_minutes(Preferences(), Channel.EMAIL) == LEAST_PAUSE_MINUTES


def test_a_night_goes_past_midnight() -> None:
    night = Quiet(_ms("Europe/Berlin", 2026, 1, 9, 22), _ms("Europe/Berlin", 2026, 1, 10, 7))
    for hour, minute, day in ((22, 0, 9), (23, 59, 9), (0, 0, 10), (6, 59, 10)):
        assert quiet(NIGHT, _ms("Europe/Berlin", 2026, 1, day, hour, minute)) == night
    assert quiet(NIGHT, _ms("Europe/Berlin", 2026, 1, 9, 21, 59)) is None
    assert quiet(NIGHT, night.until_ms) is None
    assert quiet(None, night.since_ms) is None


def test_hours_within_a_day() -> None:
    lunch = QuietHours(12 * 60, 13 * 60 + 30, "Asia/Kolkata")
    assert _quiet_until_ms(lunch, _ms("Asia/Kolkata", 2026, 5, 1, 13)) == _ms(
        "Asia/Kolkata", 2026, 5, 1, 13, 30
    )
    assert _quiet_until_ms(lunch, _ms("Asia/Kolkata", 2026, 5, 1, 13, 30)) is None
    assert _quiet_until_ms(replace(lunch, end_minute=lunch.start_minute), _ms("UTC", 2026, 5, 1)) is None


def test_a_night_in_which_the_clocks_go_forward_is_an_hour_shorter() -> None:
    night = quiet(NIGHT, _ms("Europe/Berlin", 2026, 3, 29, 1))
    assert night == Quiet(_ms("UTC", 2026, 3, 28, 21), _ms("UTC", 2026, 3, 29, 5))


def test_a_night_in_which_the_clocks_go_back_is_an_hour_longer() -> None:
    night = quiet(NIGHT, _ms("Europe/Berlin", 2026, 10, 25, 1))
    assert night == Quiet(_ms("UTC", 2026, 10, 24, 20), _ms("UTC", 2026, 10, 25, 6))


def test_an_end_that_is_left_out_is_not_waited_for() -> None:
    hours = replace(NIGHT, end_minute=2 * 60 + 30)  # clocks go from 2:00 to 3:00
    assert _quiet_until_ms(hours, _ms("Europe/Berlin", 2026, 3, 29, 1)) == _ms("UTC", 2026, 3, 29, 1)


def test_an_end_that_comes_twice_counts_twice() -> None:
    hours = replace(NIGHT, end_minute=2 * 60 + 30)  # clocks go from 3:00 back to 2:00
    zone = "Europe/Berlin"
    first = _ms(zone, 2026, 10, 25, 2, 30)
    assert _quiet_until_ms(hours, _ms(zone, 2026, 10, 25, 1)) == first
    assert _quiet_until_ms(hours, first) is None
    second = _ms(zone, 2026, 10, 25, 2, 30, fold=1)
    assert quiet(hours, second - 1) == Quiet(second - 30 * 60_000, second)


def test_a_zone_that_is_no_more_is_read_as_utc() -> None:
    at_ms = _ms("UTC", 2026, 1, 9, 23)
    for zone in ("Atlantis/Capital", "", "../etc/passwd", "Europe"):
        assert quiet(replace(NIGHT, time_zone=zone), at_ms) == quiet(replace(NIGHT, time_zone="UTC"), at_ms)


@given(QUIET_HOURS, MOMENTS_MS)
def test_quiet_hours_are_what_a_clock_on_the_wall_shows(hours: QuietHours, at_ms: int) -> None:
    stretch = quiet(hours, at_ms)
    assert (stretch is not None) is _shows_quiet(hours, at_ms)
    if stretch is not None:
        assert stretch.since_ms <= at_ms < stretch.until_ms <= at_ms + 26 * 3_600_000
        assert not _shows_quiet(hours, stretch.since_ms - 1)
        assert not _shows_quiet(hours, stretch.until_ms)
        assert _shows_quiet(hours, stretch.since_ms)
        assert _shows_quiet(hours, stretch.until_ms - 1)
        assert quiet(hours, (stretch.since_ms + stretch.until_ms) // 2) == stretch


@given(st.integers(0, 2**45))
def test_a_full_minute_is_not_before_and_less_than_a_minute_after(at_ms: int) -> None:
    full = full_minute_ms(at_ms)
    assert full % 60_000 == 0
    assert 0 <= full - at_ms < 60_000


def _shows_quiet(hours: QuietHours, at_ms: int) -> bool:
    """As somebody would say it who looks at a clock."""
    wall = datetime.fromtimestamp(at_ms / 1_000, UTC).astimezone(ZoneInfo(hours.time_zone))
    minute = wall.hour * 60 + wall.minute
    if hours.start_minute == hours.end_minute:
        return False
    return (minute - hours.start_minute) % 1_440 < (hours.end_minute - hours.start_minute) % 1_440


def _quiet_until_ms(hours: QuietHours, at_ms: int) -> int | None:
    stretch = quiet(hours, at_ms)
    return None if stretch is None else stretch.until_ms
