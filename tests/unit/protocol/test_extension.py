from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.message import MessageType
from chalicelib.protocol.rules import Allowance, Asked, PublicRules, Question, Requirement
from tests.unit.protocol.strategies import accepts_or_refuses, values

NAMES = [
    "supportedMessageTypes",
    "notSupportedMessageTypes",
    "encryptionScheme",
    "encryptionAlgorithm",
    "rules",
    "minNonce",
    "minTokenBalance",
]
RULES = PublicRules(
    requirements=(Requirement(Question(Asked.NONCE), 5),), first_contact_messages=3, total_quota=Allowance(9)
)


def test_it_comes_back() -> None:
    for extension in (
        ProfileExtension.default(),
        ProfileExtension(("NEW",), ("x", "y")),
        ProfileExtension(("NEW",), None, RULES),
    ):
        assert ProfileExtension.parse(extension.to_json()) == extension


def test_new_is_always_supported() -> None:
    assert ProfileExtension.parse({}).supported_message_types == ("NEW",)
    assert ProfileExtension.parse({"supportedMessageTypes": []}).supports("NEW")
    # What the reference answers for everybody.
    mistaken = ProfileExtension.parse({"notSupportedMessageTypes": ["NEW"]})
    assert mistaken.supports("NEW")
    assert mistaken.supports("EDIT")
    assert not mistaken.supports(MessageType.READ_RECEIPT)


def test_the_negative_list_of_the_reference() -> None:
    value: JsonValue = {"notSupportedMessageTypes": ["EDIT"], "encryptionAlgorithm": ["x"], "other": 1}
    extension = ProfileExtension.parse(value)
    assert not extension.supports("EDIT")
    assert extension.supports("REPLY")
    assert extension.encryption_scheme == ("x",)


def test_rules_that_say_nothing_are_left_out() -> None:
    assert "rules" not in ProfileExtension().to_json()
    assert ProfileExtension.parse({}).rules == PublicRules()
    assert ProfileExtension(rules=RULES).to_json()["rules"] == RULES.to_json()


@pytest.mark.parametrize(
    ("rules", "read"),
    [
        (None, PublicRules()),
        ([{"minNonce": 5}], PublicRules()),
        ("no spam", PublicRules()),
        ({"minNonce": "5"}, PublicRules()),
        (
            {"minNonce": 5, "proofOfWork": 20, "minBalance": 1e18},
            PublicRules(requirements=RULES.requirements),
        ),
    ],
)
def test_rules_of_a_foreign_form_are_ignored(rules: JsonValue, read: PublicRules) -> None:
    """They are another service's, which enforces them itself."""
    extension = ProfileExtension.parse({"supportedMessageTypes": ["NEW"], "rules": rules})
    assert extension == ProfileExtension(("NEW",), None, read)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        {"supportedMessageTypes": "NEW"},
        {"notSupportedMessageTypes": ["new"]},
        {"encryptionScheme": 1},
    ],
)
def test_what_is_no_extension_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidInput):
        ProfileExtension.parse(value)


@settings(deadline=None, max_examples=100)
@given(values(NAMES))
def test_any_value_is_an_extension_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: ProfileExtension.parse(value))
