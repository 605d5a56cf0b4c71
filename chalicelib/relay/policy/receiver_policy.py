"""The policy of receivers: each one's own rules, those that cost nothing first.

    1  allow list            no I/O       wins, and skips the rest
    2  block, onlyAllowed    no I/O       Spam {"rule": "receiver"}, whichever it was
    3  the chain             one reading  Spam with the requirement; Unavailable, if the receiver chose so
    4  first contact         one read     Spam; charged exactly
    5  quotas                (the same)   Spam with the seconds to wait; charged exactly

What is charged counts accepted messages, every one of them: also those that come in under a signature that
has been used before, since the rules protect the receiver, whoever made the message.
"""

from __future__ import annotations

from functools import partial

from chalicelib.protocol.errors import Spam
from chalicelib.protocol.rules import PublicRules
from chalicelib.relay.policy.chain_rules import ChainRules
from chalicelib.relay.policy.day_quotas import DayQuotas
from chalicelib.relay.policy.first_contact import FirstContact
from chalicelib.relay.policy.port import Candidate, Dues, nothing_due
from chalicelib.relay.policy.private_rules import Welcome, judge
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.policy.tallies import Tallies, Tally
from chalicelib.relay.ports import Clock


class ReceiverPolicy:
    """Implements `policy.port.Policy`."""

    def __init__(
        self,
        *,
        rules: RuleBook,
        chain: ChainRules,
        first_contact: FirstContact,
        quotas: DayQuotas,
        tallies: Tallies,
        clock: Clock,
    ) -> None:
        self._rules = rules
        self._chain = chain
        self._first_contact = first_contact
        self._quotas = quotas
        self._tallies = tallies
        self._clock = clock

    def admit(self, candidate: Candidate) -> Dues:
        """See `Policy.admit`. One read when cold, and nothing more for receivers without rules."""
        rules = self._rules.of(candidate.receiver.inbox)
        welcome = judge(rules, candidate.sender)
        if welcome is Welcome.REFUSED:
            raise Spam(data={"rule": "receiver"})
        if welcome is not Welcome.OPEN:
            return nothing_due
        self._chain.require(rules.public, candidate.sender.address, toll=candidate.toll)
        now_s = self._clock.now_ms() // 1_000
        due = self._tallies.due(self._counted(rules.public, candidate, now_s), now_s=now_s)
        return partial(self._tallies.charge, due, now_s=now_s)

    def _counted(self, rules: PublicRules, candidate: Candidate, now_s: int) -> list[Tally]:
        messages = rules.first_contact_messages
        contact = [] if messages is None else [self._first_contact.tally(messages, candidate, now_s=now_s)]
        return [*contact, *self._quotas.tallies(rules, candidate, now_s=now_s)]
