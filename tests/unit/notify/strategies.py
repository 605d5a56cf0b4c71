"""What hypothesis draws of this layer: preferences of every form, and events."""

from __future__ import annotations

from zoneinfo import available_timezones

from hypothesis import strategies as st

from chalicelib.notify.events import WAKING, Channel, MessageReceived, SizeClass
from chalicelib.notify.preferences import (
    Endpoint,
    EndpointState,
    PendingCode,
    Preferences,
    QuietHours,
    Secret,
    WakeUpChannel,
)
from chalicelib.relay.ports import InboxKey

# From 1990 to 2060: the rules of every zone that people live by, and what is foreseen of them.
MOMENTS_MS = st.integers(631_152_000_000, 2_840_140_800_000)
MINUTES_OF_A_DAY = st.integers(0, 1_439)
ZONES = st.sampled_from(sorted(available_timezones()))
_TIMES_MS = st.integers(0, 2**45)

QUIET_HOURS = st.builds(QuietHours, MINUTES_OF_A_DAY, MINUTES_OF_A_DAY, ZONES)
CODES = st.builds(
    PendingCode, st.binary(min_size=32, max_size=32), expires_at_ms=_TIMES_MS, tries_left=st.integers(0, 5)
)
CHANNELS = st.builds(
    WakeUpChannel,
    channel=st.sampled_from(WAKING),
    recipient=st.text(max_size=50),
    enabled=st.booleans(),
    verified=st.booleans(),
    code=st.none() | CODES,
)
SECRETS = st.builds(
    Secret, st.text(max_size=50), created_at_ms=_TIMES_MS, expires_at_ms=st.none() | _TIMES_MS
)
ENDPOINTS = st.builds(
    Endpoint,
    endpoint_id=st.text(max_size=20),
    url=st.text(max_size=50),
    state=st.sampled_from(EndpointState),
    secrets=st.lists(SECRETS, max_size=2).map(tuple),
    created_at_ms=_TIMES_MS,
    failing_since_ms=st.none() | _TIMES_MS,
)
PREFERENCES = st.builds(
    Preferences,
    enabled=st.booleans(),
    channels=st.lists(CHANNELS, max_size=4).map(tuple),
    quiet_hours=st.none() | QUIET_HOURS,
    minutes_between=st.dictionaries(st.sampled_from(WAKING), st.integers(0, 10_000)),
    endpoints=st.lists(ENDPOINTS, max_size=3).map(tuple),
)
EVENTS = st.builds(
    MessageReceived,
    owner=st.binary(min_size=32, max_size=32),
    key=st.builds(InboxKey, _TIMES_MS, st.binary(min_size=16, max_size=16)),
    size=st.sampled_from(SizeClass),
    channels=st.frozensets(st.sampled_from(Channel)),
)
