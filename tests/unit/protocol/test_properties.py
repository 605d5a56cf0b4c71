from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.properties import DeliveryServiceProperties, NotificationChannel
from tests.unit.protocol.strategies import accepts_or_refuses, values

NAMES = ["messageTTL", "sizeLimit", "notificationChannel", "type", "config"]
CHANNEL = NotificationChannel("PUSH", {"publicKey": "k"})


def test_they_come_back() -> None:
    for properties in (
        DeliveryServiceProperties(),
        DeliveryServiceProperties(30, 3_000_000, (CHANNEL,), {"pageMessages": 7}),
    ):
        assert DeliveryServiceProperties.parse(properties.to_json()) == properties


def test_no_lifetime_is_for_ever() -> None:
    for value in ({}, {"messageTTL": None}, {"messageTTL": 0}):
        assert DeliveryServiceProperties.parse(value) == DeliveryServiceProperties()


@pytest.mark.parametrize(
    "value",
    [
        *[
            None,
            [],
            {"messageTTL": "1"},
            {"sizeLimit": None},
            {"sizeLimit": True},
            {"notificationChannel": {}},
        ],
        *[
            {"notificationChannel": [{"type": "EMAIL"}]},
            {"notificationChannel": [{"type": "X", "config": 1}]},
        ],
        {"metricsCollectionIntervalInSeconds": "x"},
    ],
)
def test_what_are_no_properties_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidInput):
        DeliveryServiceProperties.parse(value)


@settings(deadline=None, max_examples=100)
@given(values(NAMES))
def test_any_value_is_properties_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: DeliveryServiceProperties.parse(value))
    accepts_or_refuses(lambda: NotificationChannel.parse(value))


@pytest.mark.parametrize("value", [None, 1, [], "x"])
def test_limits_of_another_form_are_somebody_elses(value: JsonValue) -> None:
    assert DeliveryServiceProperties.parse({"limits": value}).limits is None
    told = DeliveryServiceProperties.parse({"limits": {"a": 2, "b": [value]}})
    assert told.limits == {"a": 2}
