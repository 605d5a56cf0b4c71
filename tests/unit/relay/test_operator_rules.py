from __future__ import annotations

from dataclasses import fields

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.protocol.errors import InvalidInput, Spam, VersionNotSupported
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.operator_rules import MAX_ENTRIES, MAX_LIMIT, SOURCE_LIMITS, OperatorRules
from chalicelib.relay.settings import Limits
from tests.unit.relay.world import ALICE, BOB

DOCUMENT: dict[str, JsonValue] = {
    "block": ["*.Spam.eth", "Spam.eth", ALICE.address.lower()],
    "minimumVersion": "v1.2",
    "limits": {"sourceSubmitsPerMinute": 10, "sourceKibPerDay": 0},
}


def test_a_document_comes_back_in_its_normal_form() -> None:
    rules = OperatorRules.parse(DOCUMENT)
    assert rules.to_json() == {**DOCUMENT, "block": sorted([ALICE.address, "spam.eth", "*.spam.eth"])}
    assert OperatorRules.parse(rules.to_json()) == rules
    assert OperatorRules.restore(dict(rules.to_json())) == rules


@pytest.mark.parametrize(
    "document", [{}, {"block": [], "minimumVersion": None, "limits": {"sourceKibPerDay": None}}]
)
def test_what_is_missing_says_nothing(document: JsonValue) -> None:
    rules = OperatorRules.parse(document)
    assert rules == OperatorRules()
    assert rules.to_json() == {"block": [], "limits": {}}
    rules.require_version("rubbish")
    rules.require_welcome(["anybody.eth"], BOB.address)
    assert rules.in_force(Limits()) == Limits()


@pytest.mark.parametrize(
    "document",
    [
        None,
        [],
        "v1",
        {"unknown": 1},
        {"block": None},
        {"block": "spam.eth"},
        {"block": [1]},
        {"block": ["a b"]},
        {"block": ["*."]},
        {"block": ["0x12"] * (MAX_ENTRIES + 1)},
        {"minimumVersion": 1},
        {"minimumVersion": "1"},
        {"minimumVersion": ""},
        {"limits": None},
        {"limits": []},
        {"limits": {"senderMessagesPerHour": 1}},
        {"limits": {"sourceKibPerDay": -1}},
        {"limits": {"sourceKibPerDay": True}},
        {"limits": {"sourceKibPerDay": 1.0}},
        {"limits": {"sourceKibPerDay": "1"}},
        {"limits": {"sourceKibPerDay": MAX_LIMIT + 1}},
    ],
)
def test_what_is_no_document_is_refused_with_one_sentence(document: JsonValue) -> None:
    with pytest.raises(InvalidInput) as caught:
        OperatorRules.parse(document)
    assert caught.value.message.endswith(".")
    assert "spam" not in caught.value.message


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["block", "minimumVersion", "limits", "x", *SOURCE_LIMITS]), inner, max_size=4
            )
        ),
        max_leaves=12,
    )
)
def test_no_document_is_too_odd(document: JsonValue) -> None:
    try:
        rules = OperatorRules.parse(document)
    except InvalidInput:
        return
    assert OperatorRules.parse(rules.to_json()) == OperatorRules.restore(dict(rules.to_json())) == rules


@pytest.mark.parametrize(
    ("version", "fits"),
    [
        ("v1.2", True),
        ("v1.10", True),
        ("v2", True),
        ("v1.1", False),
        ("v1", False),
        ("1.2", False),
        ("", False),
    ],
)
def test_older_versions_are_refused_and_so_is_what_cannot_be_compared(version: str, fits: bool) -> None:
    rules = OperatorRules.parse(DOCUMENT)
    if fits:
        rules.require_version(version)
    else:
        with pytest.raises(VersionNotSupported):
            rules.require_version(version)


def test_the_least_version_of_all_still_asks_for_one() -> None:
    rules = OperatorRules(minimum_version="v0")
    rules.require_version("v0")
    with pytest.raises(VersionNotSupported):
        rules.require_version("new")


@pytest.mark.parametrize(
    ("name", "address"),
    [("spam.eth", None), ("deep.down.spam.eth", None), ("alice.eth", ALICE.address)],
)
def test_the_blocked_are_refused_as_a_receivers_private_list_does(name: str, address: str | None) -> None:
    with pytest.raises(Spam) as caught:
        OperatorRules.parse(DOCUMENT).require_welcome([name], address)
    assert caught.value.data == {"rule": "receiver"}
    assert caught.value.message == Spam().message


@pytest.mark.parametrize(
    ("name", "address"), [("nospam.eth", None), ("alice.eth", None), ("eth", BOB.address)]
)
def test_everybody_else_is_welcome(name: str, address: str | None) -> None:
    OperatorRules.parse(DOCUMENT).require_welcome([name], address)


def test_limits_are_replaced_one_by_one() -> None:
    limits = OperatorRules.parse(DOCUMENT).in_force(Limits())
    assert (limits.source_submits_per_minute, limits.source_kib_per_day) == (10, 0)
    assert limits.source_lookups_per_minute == Limits().source_lookups_per_minute


def test_every_limit_that_can_be_replaced_is_advertised_under_its_name() -> None:
    advertised = Limits().advertised()
    members = {one.name for one in fields(Limits)}
    for told, name in SOURCE_LIMITS.items():
        assert told in advertised
        assert name in members
