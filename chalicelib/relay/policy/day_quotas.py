"""How much a receiver takes on one day (UTC), from one sender and from all together."""

from __future__ import annotations

from collections.abc import Iterator

from chalicelib.protocol.errors import Spam
from chalicelib.protocol.rules import Allowance, PublicRules
from chalicelib.relay.policy.port import Candidate
from chalicelib.relay.policy.tallies import Tally
from chalicelib.relay.ports import Charge
from chalicelib.relay.vault import Vault

_DAY_S = 86_400
_SENTENCES = {
    "senderQuota": "The receiver takes no more from this sender today.",
    "totalQuota": "The receiver takes no more messages today.",
}
_NEVER = "The message is larger than what the receiver takes in a day."


class DayQuotas:
    """Makes the tallies of the receivers' quotas."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def tallies(self, rules: PublicRules, candidate: Candidate, *, now_s: int) -> Iterator[Tally]:
        """Those of the sender, then those in all."""
        inbox = candidate.receiver.inbox
        if rules.sender_quota is not None:
            subject = (inbox, candidate.sender.identity)
            yield from self._of("senderQuota", rules.sender_quota, subject, candidate.kib, now_s)
        if rules.total_quota is not None:
            yield from self._of("totalQuota", rules.total_quota, (inbox,), candidate.kib, now_s)

    def _of(
        self, rule: str, quota: Allowance, subject: tuple[bytes | str, ...], kib: int, now_s: int
    ) -> Iterator[Tally]:
        end_s = (now_s // _DAY_S + 1) * _DAY_S
        for unit, amount, limit in (
            ("messages", 1, quota.messages_per_day),
            ("KiB", kib, quota.kib_per_day),
        ):
            if limit is not None:
                counter = self._vault.index("receiver's quota", rule, unit, str(end_s), *subject)
                fits = amount <= limit
                yield Tally(Charge(counter, amount, limit, end_s), _refusal(rule, fits, end_s - now_s))


def _refusal(rule: str, fits: bool, retry_after_s: int) -> Spam:
    """Without the time of the next day for what will not fit then either."""
    if not fits:
        return Spam(_NEVER, data={"rule": rule})
    return Spam(_SENTENCES[rule], data={"rule": rule, "retryAfter": retry_after_s})
