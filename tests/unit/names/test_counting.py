from __future__ import annotations

from chalicelib.names.counting import Counting, Event, uncounted


def test_no_two_events_are_counted_as_one() -> None:
    assert len({event.value for event in Event}) == len(Event)


def test_nobody_has_to_count() -> None:
    count: Counting = uncounted
    count(Event.REQUESTS, Provider="1")
