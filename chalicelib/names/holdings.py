"""What an address holds and has done on the chain: the numbers that a receiver's rules ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from chalicelib.names.directory import Toll
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.rules import Question


class Holdings(Protocol):
    """Answers questions about addresses (`chalicelib.protocol.rules`)."""

    def read(self, address: str, questions: Sequence[Question]) -> Mapping[Question, int]:
        """The answer to each question about the checksummed `address`, in one round trip to the node.

        What a contract does not answer (there is none, it reverts, or says no number) is 0. Raises
        `Unavailable` when the chain cannot be asked.
        """
        ...


class RememberingHoldings(Holdings, Protocol):
    """Holdings of which some are remembered, so that not everybody who asks costs a round trip."""

    def read(
        self, address: str, questions: Sequence[Question], *, toll: Toll | None = None
    ) -> Mapping[Question, int]:
        """As `Holdings.read`. `toll` is called if no remembered answer will do; raises what it raises."""
        ...


@dataclass(slots=True)
class MemoryHoldings:
    """Implements `RememberingHoldings` without a chain and a memory, for tests.

    `numbers` by address and question, 0 where missing. Set `fail` to make every reading raise `Unavailable`.
    `readings` lists the address of each.
    """

    numbers: dict[tuple[str, Question], int] = field(default_factory=dict)
    fail: bool = False
    readings: list[str] = field(default_factory=list)

    def read(
        self, address: str, questions: Sequence[Question], *, toll: Toll | None = None
    ) -> Mapping[Question, int]:
        """As `RememberingHoldings.read`."""
        if toll is not None:
            toll()
        self.readings.append(address)
        if self.fail:
            raise Unavailable("The chain did not answer; try again.")
        return {question: self.numbers.get((address, question), 0) for question in questions}
