"""Rules about what the sender's address holds and has done on the chain.

All numbers that one decision needs are read together, and only if there are such rules. They count for a
proven address only: a sender without one has nothing to show.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from chalicelib.names.directory import Toll
from chalicelib.names.holdings import RememberingHoldings
from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.protocol.rules import ChainFailure, PublicRules, Question, Requirement


class NoHoldings:
    """Implements `RememberingHoldings` for a relay that has no chain to ask: every reading is Unavailable."""

    def read(
        self, _address: str, _questions: Sequence[Question], *, toll: Toll | None = None
    ) -> Mapping[Question, int]:
        """See `RememberingHoldings.read`."""
        del toll  # Nothing is asked, so nothing is paid.
        raise Unavailable


class ChainRules:
    """Holds senders against the requirements of receivers."""

    def __init__(self, holdings: RememberingHoldings) -> None:
        self._holdings = holdings

    def require(self, rules: PublicRules, address: str | None, *, toll: Toll | None = None) -> None:
        """Raises Spam with the first requirement that the proven `address` does not meet.

        `toll` is paid unless the answers are remembered; what it raises is raised, whatever the rules say.
        When the chain cannot be asked, `rules.on_chain_failure` decides: return, or raise Unavailable.
        """
        if not rules.requirements:
            return
        if address is None:
            raise _refusal(rules.requirements[0])
        questions = dict.fromkeys(requirement.question for requirement in rules.requirements)
        try:
            answers = self._holdings.read(address, tuple(questions), toll=toll)
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
