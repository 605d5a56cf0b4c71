"""Rules about what the sender's address holds and has done on the chain.

All numbers that one decision needs are read together, and only if there are such rules. They count for a
proven address only: a sender without one has nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.names.holdings import Holdings
from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.protocol.rules import ChainFailure, PublicRules, Question, Requirement


class NoHoldings:
    """Implements `Holdings` for a relay that has no chain to ask: every reading is Unavailable."""

    def read(self, _address: str, _questions: Sequence[Question]) -> Mapping[Question, int]:
        """See `Holdings.read`."""
        raise Unavailable


class ChainRules:
    """Holds senders against the requirements of receivers."""

    def __init__(self, holdings: Holdings) -> None:
        self._holdings = holdings

    def require(self, rules: PublicRules, address: str | None) -> None:
        """Raises Spam with the first requirement that the proven `address` does not meet.

        When the chain cannot be asked, `rules.on_chain_failure` decides: return, or raise Unavailable.
        """
        if not rules.requirements:
            return
        if address is None:
            raise _refusal(rules.requirements[0])
        questions = dict.fromkeys(requirement.question for requirement in rules.requirements)
        try:
            answers = self._holdings.read(address, tuple(questions))
        except Unavailable:
            if rules.on_chain_failure is ChainFailure.FAIL_OPEN:
                return
            raise Unavailable("The receiver's rules cannot be checked just now; try again.") from None
        unmet = rules.unmet(answers)
        if unmet is not None:
            raise _refusal(unmet)


def _refusal(requirement: Requirement) -> Spam:
    rule = requirement.question.asked.value
    return Spam(f"The sender does not meet the receiver's rule {rule}.", data=requirement.to_json())
