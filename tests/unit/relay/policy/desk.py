"""The policy of receivers over a store in memory, and candidates to hold against it."""

from __future__ import annotations

import os
from collections import Counter
from dataclasses import dataclass, field

from chalicelib.names.holdings import MemoryHoldings
from chalicelib.protocol.json_types import JsonValue
from chalicelib.relay.account_book import AccountRecord
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.policy.chain_rules import ChainRules
from chalicelib.relay.policy.day_quotas import DayQuotas
from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.port import Candidate
from chalicelib.relay.policy.receiver_policy import ReceiverPolicy
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.policy.tallies import Tallies
from chalicelib.relay.residents import Resident
from chalicelib.relay.senders import Sender
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import HandClock, SeededChance
from tests.unit.relay.world import ALICE, BOB

INBOX = b"i" * 32
PROVEN = Sender("alice.eth", ALICE.address, verified=True)
BARE = Sender("alice.eth", None, verified=True)
CLAIM = Sender("alice.eth", None, verified=False)


def resident(inbox: bytes = INBOX) -> Resident:
    """Bob."""
    record = AccountRecord(BOB.address, BOB.signed_profile, (BOB.name,), 1, b"n" * 16, b"e" * 16)
    return Resident(b"k" * 32, inbox, record)


def candidate(sender: Sender = PROVEN, size_bytes: int = 3_000, inbox: bytes = INBOX) -> Candidate:
    """A message to Bob, another one each time."""
    return Candidate(resident(inbox), BOB.name, sender, size_bytes, os.urandom(16))


@dataclass
class Desk:
    """One process with its policy."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: HandClock = field(default_factory=HandClock)
    holdings: MemoryHoldings = field(default_factory=MemoryHoldings)
    calls: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.vault = Vault(b"1" * 32, b"2" * 32, SeededChance())
        self.store.faults = self._count
        self.rules = RuleBook(self.store.rules, self.vault, self.clock, remember_s=30)
        self.first_contact = FirstContact(self.store.counters, self.vault, self.clock)
        self.policy = ReceiverPolicy(
            rules=self.rules,
            chain=ChainRules(self.holdings),
            first_contact=self.first_contact,
            quotas=DayQuotas(self.vault),
            tallies=Tallies(self.store.counters),
            clock=self.clock,
        )

    def rule(self, inbox: bytes = INBOX, **document: JsonValue) -> None:
        """Give Bob these rules and no others."""
        self.rules.update(inbox, lambda _: AccountRules.parse(document))

    def admit(self, sender: Sender = PROVEN, size_bytes: int = 3_000, inbox: bytes = INBOX) -> None:
        """Hold a message against Bob's rules."""
        self.policy.admit(candidate(sender, size_bytes, inbox))()

    def _count(self, operation: str, moment: Moment) -> None:
        if moment is Moment.BEFORE:
            self.calls[operation] += 1
