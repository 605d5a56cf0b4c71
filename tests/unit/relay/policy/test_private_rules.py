from __future__ import annotations

import pytest

from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.policy.lists import SenderList
from chalicelib.relay.policy.private_rules import Welcome, judge
from chalicelib.relay.senders import Sender
from tests.unit.relay.policy.desk import BARE, CLAIM, PROVEN
from tests.unit.relay.world import ALICE

ALLOWED, OPEN, REFUSED = Welcome.ALLOWED, Welcome.OPEN, Welcome.REFUSED
NAMED, SUBTREE, ADDRESSED = ["alice.eth"], ["*.eth"], [ALICE.address]


@pytest.mark.parametrize(
    ("document", "proven", "bare", "claim"),
    [
        ({}, OPEN, OPEN, OPEN),
        ({"allow": NAMED}, ALLOWED, ALLOWED, OPEN),
        ({"allow": SUBTREE}, ALLOWED, ALLOWED, OPEN),
        ({"allow": ADDRESSED}, ALLOWED, OPEN, OPEN),
        ({"block": NAMED}, REFUSED, REFUSED, REFUSED),
        ({"block": SUBTREE}, REFUSED, REFUSED, REFUSED),
        ({"block": ADDRESSED}, REFUSED, OPEN, OPEN),
        ({"allow": NAMED, "block": SUBTREE}, ALLOWED, ALLOWED, REFUSED),
        ({"allow": ADDRESSED, "block": NAMED}, ALLOWED, REFUSED, REFUSED),
        ({"onlyAllowed": True}, REFUSED, REFUSED, REFUSED),
        ({"onlyAllowed": True, "allow": NAMED}, ALLOWED, ALLOWED, REFUSED),
        ({"onlyAllowed": True, "allow": ADDRESSED}, ALLOWED, REFUSED, REFUSED),
    ],
)
def test_what_the_private_rules_say(
    document: dict[str, JsonValue], proven: Welcome, bare: Welcome, claim: Welcome
) -> None:
    rules = AccountRules.parse(document)
    assert [judge(rules, sender) for sender in (PROVEN, BARE, CLAIM)] == [proven, bare, claim]


def test_a_name_that_is_pointed_at_an_address_is_not_on_its_lists() -> None:
    """Anyone can point evil.eth at Alice's address; only her wallet's signature proves that it is hers."""
    rules = AccountRules.parse({"allow": ADDRESSED, "onlyAllowed": True})
    assert judge(rules, Sender("evil.eth", None, verified=True)) is REFUSED


@pytest.mark.parametrize(
    "document", [{}, {"allow": NAMED}, {"block": NAMED}, {"onlyAllowed": True}, {"block": ADDRESSED}]
)
def test_both_lists_are_asked_whatever_the_first_one_says(
    document: dict[str, JsonValue], monkeypatch: pytest.MonkeyPatch
) -> None:
    rules, asked = AccountRules.parse(document), []
    genuine = SenderList.has

    def has(self: SenderList, names: tuple[str, ...], address: str | None) -> bool:
        asked.append((names, address))
        return genuine(self, names, address)

    monkeypatch.setattr(SenderList, "has", has)
    judge(rules, PROVEN)
    assert asked == [(PROVEN.names, PROVEN.address)] * 2
