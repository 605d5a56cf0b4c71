"""Receivers' rules on every backend: the largest document, and quotas while 32 senders write at once."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest

from chalicelib.protocol.errors import Spam
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.rules import PublicRules
from chalicelib.relay.policy.account_rules import MAX_DOCUMENT_BYTES, AccountRules
from chalicelib.relay.policy.day_quotas import DayQuotas
from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.policy.tallies import Tallies
from chalicelib.relay.senders import Sender
from chalicelib.relay.vault import Vault
from tests.support.stores import NOW_S, Backend, new_key
from tests.unit.relay.policy.desk import candidate
from tests.unit.relay.ports import HandClock, SeededChance

EACH = 5


def vault() -> Vault:
    return Vault(new_key(), b"2" * 32, SeededChance())


def test_the_largest_rules_are_stored_and_read(backend: Backend) -> None:
    book = RuleBook(backend.store.rules, vault(), HandClock(), remember_s=0)
    names: list[JsonValue] = [f"{number:057d}.eth" for number in range(1_000)]
    rules = AccountRules.parse({"block": names})
    assert MAX_DOCUMENT_BYTES * 0.97 < len(rules.to_bytes()) <= MAX_DOCUMENT_BYTES
    inbox = new_key()
    for standing in (rules, AccountRules()):
        book.update(inbox, lambda _, standing=standing: standing)  # type: ignore[misc]
        assert book.load(inbox) == standing


@pytest.mark.parametrize(
    ("document", "most"),
    [
        ({"totalQuota": {"messagesPerDay": 40}}, 40),
        ({"senderQuota": {"messagesPerDay": 2}}, 64),
        ({"totalQuota": {"kibPerDay": 100}}, 33),
        ({"firstContact": {"messages": 2}}, 64),
        ({"firstContact": {"messages": 3}, "totalQuota": {"messagesPerDay": 50}}, 50),
    ],
)
def test_32_senders_at_once_get_in_what_the_rule_says(
    atomic_backend: Backend, document: JsonValue, most: int
) -> None:
    store, rules, keys, clock = atomic_backend.store, PublicRules.parse(document), vault(), HandClock()
    first_contact, quotas = FirstContact(store.counters, keys, clock), DayQuotas(keys)
    messages = rules.first_contact_messages

    def write(number: int) -> bool:
        letter = candidate(Sender(f"{number % 32}.eth", None, verified=True), size_bytes=3_000)
        contact = [] if messages is None else [first_contact.tally(messages, letter, now_s=NOW_S)]
        try:
            wanted = [*contact, *quotas.tallies(rules, letter, now_s=NOW_S)]
            tallies = Tallies(store.counters)
            tallies.charge(tallies.due(wanted, now_s=NOW_S), now_s=NOW_S)
        except Spam:
            return False
        return True

    with ThreadPoolExecutor(32) as pool:
        accepted = sum(pool.map(write, range(32 * EACH)))
    print(f"\n{atomic_backend.name}: {document}: {accepted} of {32 * EACH} accepted, at most {most}")  # noqa: T201
    assert accepted == most
