from __future__ import annotations

from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.values import Account, Export, Page, StoredMessage
from tests.unit.relay.world import BOB

MESSAGE = StoredMessage("id", "0a", 1, 2, verified=True, envelope={"message": "m"})


def test_a_stored_message_in_the_paged_api() -> None:
    assert MESSAGE.to_json() == {
        "id": "id",
        "messageId": "0a",
        "storedAt": 1,
        "expiresAt": 2,
        "verified": True,
        "envelope": {"message": "m"},
    }


def test_an_export_holds_all_of_an_account() -> None:
    page = Page((MESSAGE,), "cursor", more=True)
    rules = AccountRules(only_allowed=True)
    export = Export(BOB.address, BOB.signed_profile, ("bob.eth",), 7, rules, page)
    assert export.to_json() == {
        "address": BOB.address,
        "profile": BOB.signed_profile.to_json(),
        "names": ["bob.eth"],
        "createdAt": 7,
        "rules": {"rules": {}, "allow": [], "block": [], "onlyAllowed": True},
        "messages": [MESSAGE.to_json()],
        "cursor": "cursor",
        "more": True,
    }


def test_accounts_with_the_same_key_are_told_apart_by_name_only() -> None:
    assert Account(b"k", b"i", BOB.address, "bob.eth") != Account(b"k", b"i", BOB.address, "robert.eth")
