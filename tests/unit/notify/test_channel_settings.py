from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.channel_settings import DEFAULT_MINUTES_BETWEEN, applied_to, to_json, with_defaults
from chalicelib.notify.events import WAKING, Channel
from chalicelib.notify.preferences import Preferences, QuietHours
from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from tests.unit.protocol.strategies import values

BERLIN: dict[str, JsonValue] = {"from": "22:00", "to": "07:30", "timeZone": "Europe/Berlin"}
DEFAULTS = {"EMAIL": 15, "PUSH": 1, "SMS": 60}


def test_without_settings_the_defaults_hold() -> None:
    assert to_json(Preferences()) == {"quietHours": None, "minutesBetween": DEFAULTS}
    assert with_defaults(Preferences()).minutes_between == DEFAULT_MINUTES_BETWEEN


def test_what_is_set_is_kept_and_what_is_left_out_is_at_its_default() -> None:
    document: JsonValue = {"quietHours": BERLIN, "minutesBetween": {"EMAIL": 1, "SMS": 1440}}
    changed = applied_to(Preferences(enabled=True), document)
    assert changed.enabled
    assert changed.quiet_hours == QuietHours(1_320, 450, "Europe/Berlin")
    assert changed.minutes_between == {Channel.EMAIL: 1, Channel.PUSH: 1, Channel.SMS: 1_440}
    assert to_json(changed) == {
        "quietHours": BERLIN,
        "minutesBetween": {"EMAIL": 1, "PUSH": 1, "SMS": 1_440},
    }
    assert to_json(applied_to(changed, {})) == to_json(Preferences())


def test_a_pause_that_was_set_is_no_default() -> None:
    assert with_defaults(Preferences(minutes_between={Channel.EMAIL: 5})).minutes_between[Channel.EMAIL] == 5


@pytest.mark.parametrize("zone", ["UTC", "Europe/Berlin", "America/Argentina/Buenos_Aires", "Etc/GMT+5"])
def test_time_zones(zone: str) -> None:
    changed = applied_to(Preferences(), {"quietHours": {**BERLIN, "timeZone": zone}})
    assert changed.quiet_hours is not None
    assert changed.quiet_hours.time_zone == zone


@pytest.mark.parametrize(
    "document",
    [
        *(None, [], 5, {"quiet": None}, {"quietHours": []}, {"quietHours": {"from": "22:00", "to": "07:00"}}),
        *(
            {"quietHours": {**BERLIN, "from": text}}
            for text in ("24:00", "7:00", "07:60", "07:30", "\u0660\u0667:00", 7)
        ),
        *(
            {"quietHours": {**BERLIN, "timeZone": zone}}
            for zone in (
                "",
                "Europe",
                "Mars/Base",
                "../../etc/passwd",
                "/etc/passwd",
                "Europe/Berlin\0",
                "a" * 40,
                1,
            )
        ),
        {"quietHours": {**BERLIN, "days": "all"}},
        *({"minutesBetween": {"EMAIL": minutes}} for minutes in (-1, 0, 1_441, 1.5, "5", True, None)),
        *({"minutesBetween": value} for value in (None, 5, {"email": 5}, {"WEBHOOK": 5})),
    ],
)
def test_settings_that_are_none(document: JsonValue) -> None:
    with pytest.raises(InvalidInput):
        applied_to(Preferences(), document)


_times = st.builds("{:02}:{:02}".format, st.integers(0, 24), st.integers(0, 60))
_zones = st.sampled_from(["UTC", "Europe/Berlin", "Mars/Base"])
_documents = st.fixed_dictionaries(
    {},
    optional={
        "quietHours": st.none() | st.fixed_dictionaries({"from": _times, "to": _times, "timeZone": _zones}),
        "minutesBetween": st.dictionaries(st.sampled_from(["EMAIL", "PUSH", "SMS"]), st.integers(-1, 1_500)),
    },
)


@given(_documents | values(["quietHours", "minutesBetween"]))
def test_what_is_taken_is_read_back_and_the_rest_refused(document: JsonValue) -> None:
    try:
        changed = applied_to(Preferences(), document)
    except InvalidInput:
        return
    assert set(changed.minutes_between) == set(WAKING)
    assert applied_to(Preferences(), to_json(changed)) == changed
