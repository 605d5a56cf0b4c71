from __future__ import annotations

from hypothesis import given

from chalicelib.notify.preference_text import from_bytes, to_bytes
from chalicelib.notify.preferences import Preferences
from tests.unit.notify.strategies import PREFERENCES


@given(PREFERENCES)
def test_preferences_survive_the_store(preferences: Preferences) -> None:
    assert from_bytes(to_bytes(preferences)) == preferences


def test_no_preferences_are_the_default() -> None:
    assert from_bytes(to_bytes(Preferences())) == Preferences()
