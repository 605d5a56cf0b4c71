"""A stranger may send a number of messages until the receiver has answered.

Two counters for each pair of a receiver (one incarnation of an account) and a sender's identity, under keyed
hashes: the messages of the stranger, and the mark that an answer went through this relay. Both are forgotten
a year after they began; then the stranger has the whole number again, and the next answer marks again.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from chalicelib.protocol.errors import Spam
from chalicelib.relay.in_process import Recent
from chalicelib.relay.policy.port import Candidate
from chalicelib.relay.policy.tallies import Tally
from chalicelib.relay.ports import Charge, Clock, CounterStore
from chalicelib.relay.vault import Vault

LIFETIME_S = 365 * 86_400
# How long a process knows that it has set a mark: less than a mark lives by far.
_REMEMBER_S = 86_400


class FirstContact:
    """Makes the tally of a stranger's messages, and marks strangers as answered."""

    def __init__(self, counters: CounterStore, vault: Vault, clock: Clock) -> None:
        self._counters = counters
        self._vault = vault
        self._clock = clock
        self._marked = Recent[bytes, bool](clock, lifetime_s=_REMEMBER_S)

    def tally(self, messages: int, candidate: Candidate, *, now_s: int) -> Tally:
        """At most `messages` from the candidate's sender, unless it has been answered.

        A letter is counted once: what failed after that may be submitted again, although the count is full.
        """
        inbox, identity = candidate.receiver.inbox, candidate.sender.identity
        counter = self._vault.index("first contact", inbox, identity)
        counted = self._vault.index("counted", inbox, candidate.letter)
        end_s = now_s + LIFETIME_S
        return Tally(
            Charge(counter, 1, messages, end_s),
            Spam(
                "The receiver takes no more from a stranger before answering.",
                data={"rule": "firstContact", "messages": messages},
            ),
            waived_by=(self._mark(inbox, identity), counted),
            paid=Charge(counted, 1, 1, end_s),
        )

    def answer(self, inbox: bytes, identities: Iterable[str]) -> None:
        """The owner of `inbox` has written to whoever has one of `identities` (`Sender.identity`).

        One write for each, when this process has not made it yet. Raises Unavailable.
        """
        for identity in identities:
            mark = self._mark(inbox, identity)
            self._marked.get_or(mark, partial(self._set, mark))

    def _set(self, mark: bytes) -> bool:
        now_s = self._clock.now_ms() // 1_000
        return self._counters.charge(Charge(mark, 1, 1, now_s + LIFETIME_S), now_s=now_s)

    def _mark(self, inbox: bytes, identity: str) -> bytes:
        return self._vault.index("answered", inbox, identity)
