"""What an address holds and has done on the chain: the numbers that a receiver's rules ask for."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Protocol

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


@dataclass(slots=True)
class MemoryHoldings:
    """Implements `Holdings` without a chain, for tests: `numbers` by address and question, 0 where missing.

    Set `fail` to make every reading raise `Unavailable`. `readings` lists the address of each.
    """

    numbers: dict[tuple[str, Question], int] = field(default_factory=dict)
    fail: bool = False
    readings: list[str] = field(default_factory=list)

    def read(self, address: str, questions: Sequence[Question]) -> Mapping[Question, int]:
        """As `Holdings.read`."""
        self.readings.append(address)
        if self.fail:
            raise Unavailable("The chain did not answer; try again.")
        return {question: self.numbers.get((address, question), 0) for question in questions}
