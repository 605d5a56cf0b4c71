from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.policy import account_rules
from chalicelib.relay.policy.account_rules import AccountRules, ListChanges
from chalicelib.relay.policy.lists import SenderList

ADDRESS = "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
SCHEME = "x25519-chacha20-poly1305"
FULL: dict[str, JsonValue] = {
    "rules": {"minNonce": 1, "firstContact": {"messages": 3}, "onChainFailure": "fail_open"},
    "allow": ["*.Example.eth", ADDRESS.lower()],
    "block": ["mallory.eth"],
    "onlyAllowed": True,
    "supportedMessageTypes": ["NEW", "EDIT", "NEW"],
    "encryptionScheme": ["better", SCHEME],
}


def test_rules_are_told_in_their_normal_form() -> None:
    assert AccountRules.parse(FULL).to_json() == {
        **FULL,
        "allow": ["*.example.eth", ADDRESS],
        "supportedMessageTypes": ["NEW", "EDIT"],
    }


def test_every_member_may_be_left_out() -> None:
    assert AccountRules.parse({}) == AccountRules()
    assert AccountRules().to_json() == {"rules": {}, "allow": [], "block": [], "onlyAllowed": False}


def test_without_rules_senders_are_told_the_defaults() -> None:
    assert AccountRules().extension() == ProfileExtension.default()


def test_senders_are_told_what_is_public_and_no_more() -> None:
    told = AccountRules.parse(FULL).extension().to_json()
    assert told == {
        "supportedMessageTypes": ["NEW", "EDIT"],
        "encryptionScheme": ["better", SCHEME],
        "rules": FULL["rules"],
    }


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        "rules",
        {"minNonce": 1},
        {"rules": None},
        {"rules": {"minAge": 7}},
        {"allow": None},
        {"allow": "alice.eth"},
        {"allow": [1]},
        {"allow": [""]},
        {"block": ["not a name"]},
        {"block": ["0x00000000000c2E074eC69A0dFb2997BA6C7d2e1e"]},
        {"allow": ["alice.eth"], "block": ["ALICE.eth"]},
        {"onlyAllowed": 1},
        {"onlyAllowed": None},
        {"supportedMessageTypes": None},
        {"supportedMessageTypes": []},
        {"supportedMessageTypes": ["EDIT"]},
        {"supportedMessageTypes": ["NEW", ""]},
        {"supportedMessageTypes": ["NEW", "a b"]},
        {"supportedMessageTypes": ["NEW", "\ud800"]},
        {"supportedMessageTypes": ["NEW", *(f"T{number}" for number in range(32))]},
        {"encryptionScheme": ["better"]},
        {"encryptionScheme": [SCHEME, "x" * 65]},
        {"encryptionScheme": [SCHEME, *(f"s{number}" for number in range(16))]},
    ],
)
def test_what_is_no_rules_is_refused_in_a_sentence(wrong: JsonValue) -> None:
    with pytest.raises(InvalidInput) as caught:
        AccountRules.parse(wrong)
    assert caught.value.message.endswith(".")
    assert "alice" not in caught.value.message


def names(count: int, length: int = 8) -> list[JsonValue]:
    return [f"{number:0{length - 4}d}.eth" for number in range(count)]


def test_a_thousand_entries_are_the_most() -> None:
    both: dict[str, JsonValue] = {"allow": names(1_000)[:500], "block": names(1_000)[500:]}
    rules = AccountRules.parse(both)
    assert len(rules.to_bytes()) < account_rules.MAX_DOCUMENT_BYTES
    for changes in ({"allow": ["one.more.eth"]}, {"block": ["one.more.eth"]}):
        with pytest.raises(InvalidInput, match="more than 1000"):
            ListChanges.parse(changes).applied_to(rules)
    assert (
        len(
            ListChanges.parse({"allow": ["one.more.eth"], "remove": ["0000.eth"]})
            .applied_to(rules)
            .allow.entries
        )
        == 500
    )


def test_a_thousand_addresses_fit() -> None:
    AccountRules.parse({"block": [f"0x{number:040x}" for number in range(1_000)]})


def test_long_names_are_bounded_together() -> None:
    with pytest.raises(InvalidInput, match="larger than 64 KiB"):
        AccountRules.parse({"allow": names(1_000, 67)})
    many = AccountRules.parse({"allow": names(900, 60)})
    with pytest.raises(InvalidInput, match="larger than 64 KiB"):
        ListChanges.parse({"block": [f"b{name}" for name in names(99, 250)]}).applied_to(many)


@pytest.mark.parametrize("entries", [["a.eth"] * 1_001, ["x" * 70_000]])
def test_too_much_is_refused_before_it_is_normalised(
    monkeypatch: pytest.MonkeyPatch, entries: list[JsonValue]
) -> None:
    monkeypatch.setattr(SenderList, "parse", lambda _: pytest.fail("it was normalised"))
    for parse in (AccountRules.parse, ListChanges.parse):
        with pytest.raises(InvalidInput):
            parse({"allow": entries})


def test_a_change_moves_entries_between_the_lists() -> None:
    rules = AccountRules.parse({"allow": ["a.eth", "b.eth"], "block": ["c.eth"]})
    changed = ListChanges.parse(
        {"allow": ["C.eth", "d.eth"], "block": ["a.eth"], "remove": ["b.eth", "x.eth"]}
    )
    told = changed.applied_to(rules).to_json()
    assert (told["allow"], told["block"]) == (["c.eth", "d.eth"], ["a.eth"])


def test_no_change_changes_nothing() -> None:
    rules = AccountRules.parse(FULL)
    assert ListChanges.parse({}).applied_to(rules) == rules


@pytest.mark.parametrize(
    "wrong",
    [
        None,
        [],
        {"add": []},
        {"allow": None},
        {"remove": [None]},
        {"allow": ["a.eth"], "remove": ["A.eth"]},
        {"allow": ["a.eth"], "block": ["a.eth"]},
    ],
)
def test_what_is_no_change_is_refused(wrong: JsonValue) -> None:
    with pytest.raises(InvalidInput):
        ListChanges.parse(wrong)


# Anything at all

ENTRIES = st.lists(
    st.sampled_from(["a.eth", "B.eth", "*.c.eth", ADDRESS.lower(), "d"]) | st.text(max_size=6), max_size=4
)
JSON: st.SearchStrategy[JsonValue] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)
PUBLIC = st.fixed_dictionaries(
    {},
    optional={
        "minNonce": st.integers(0, 2**53 - 1),
        "minBalance": st.integers(0, 2**256 - 1).map(str),
        "firstContact": st.fixed_dictionaries({"messages": st.integers(0, 9)}),
        "totalQuota": st.fixed_dictionaries({"kibPerDay": st.integers(0, 9)}),
        "onChainFailure": st.sampled_from(["fail_open", "fail_closed"]),
    },
)
WORDS = st.lists(st.sampled_from(["NEW", "EDIT", SCHEME, "other", ""]), max_size=4)
DOCUMENTS = st.fixed_dictionaries(
    {},
    optional={
        "rules": PUBLIC | JSON,
        "allow": ENTRIES | JSON,
        "block": ENTRIES | JSON,
        "onlyAllowed": st.booleans() | JSON,
        "supportedMessageTypes": WORDS | JSON,
        "encryptionScheme": WORDS | JSON,
    },
)


@settings(deadline=None)
@given(DOCUMENTS | JSON)
def test_any_document_is_rules_or_refused(value: JsonValue) -> None:
    try:
        rules = AccountRules.parse(value)
    except InvalidInput:
        return
    assert AccountRules.parse(rules.to_json()) == rules
    assert AccountRules.parse(json.loads(rules.to_bytes())) == rules
    assert AccountRules.from_bytes(rules.to_bytes()) == rules
    told = rules.extension()
    assert told.supports("NEW")
    assert ProfileExtension.parse(told.to_json()).rules == told.rules == rules.public


@settings(deadline=None)
@given(st.fixed_dictionaries({}, optional={"allow": ENTRIES, "block": ENTRIES, "remove": ENTRIES}) | JSON)
def test_any_change_is_applied_or_refused(value: JsonValue) -> None:
    rules = AccountRules.parse(FULL)
    try:
        changes = ListChanges.parse(value)
    except InvalidInput:
        return
    changed = changes.applied_to(rules)
    assert changes.allow.entries <= changed.allow.entries
    assert changes.block.entries <= changed.block.entries
    assert not changed.allow.entries & changed.block.entries
    assert not changes.remove.entries & (changed.allow.entries | changed.block.entries)
    assert changes.applied_to(changed) == changed
