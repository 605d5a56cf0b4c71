from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.errors import InvalidEnvelope
from chalicelib.protocol.json_types import JsonValue
from tests.unit.protocol.strategies import accepts_or_refuses, values

INFORMATION = DeliveryInformation("bob.eth", "alice.eth", "topic 7", {"later": 1})


def test_it_comes_back() -> None:
    assert DeliveryInformation.parse(INFORMATION.to_json()) == INFORMATION
    assert DeliveryInformation("b", "a").to_json() == {"to": "b", "from": "a"}


@pytest.mark.parametrize("value", [None, "x", [], {}, {"to": "b"}, {"from": "a"}, {"to": "b", "from": 1}])
def test_both_names_are_needed(value: JsonValue) -> None:
    with pytest.raises(InvalidEnvelope):
        DeliveryInformation.parse(value)


def test_an_instruction_is_a_text() -> None:
    with pytest.raises(InvalidEnvelope):
        DeliveryInformation.parse({"to": "b", "from": "a", "deliveryInstruction": None})


@settings(deadline=None, max_examples=100)
@given(values(["to", "from", "deliveryInstruction"]))
def test_any_value_is_delivery_information_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: DeliveryInformation.parse(value))
