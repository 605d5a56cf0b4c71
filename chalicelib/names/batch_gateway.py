"""The questions and answers of a batch gateway, which a client plays itself.

Source: ENSIP-21. The Universal Resolver collects the lookups that a name needs into one, with the URL
`x-batch-gateway:true`: whoever sees it is to ask the gateways of each lookup, and to answer for all of them
as `query((address,string[],bytes)[])` returns. The questions come from contracts that owners of names chose.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from chalicelib.names import abi
from chalicelib.protocol.errors import InvalidEncoding

BATCH_URL: Final = "x-batch-gateway:true"
MAX_QUESTIONS: Final = 16

_QUERY: Final = abi.selector("query((address,string[],bytes)[])")


@dataclass(frozen=True, slots=True)
class Question:
    """What the gateways at one of `urls` are asked: `data`, on behalf of the contract `sender` (20 bytes)."""

    sender: bytes
    urls: tuple[str, ...]
    data: bytes


@dataclass(frozen=True, slots=True)
class Failure:
    """A question nobody answered: with the HTTP `status` of a gateway, or None if asking makes no sense."""

    status: int | None
    message: str

    def to_error(self) -> bytes:
        """The error that stands in the place of an answer: `HttpError(uint16,string)` or `Error(string)`."""
        message = abi.Dynamic(self.message.encode())
        if self.status is None:
            return abi.encode_call("Error(string)", message)
        return abi.encode_call("HttpError(uint16,string)", _word(self.status), message)


def questions_in(data: bytes, *, urls_at_most: int) -> tuple[Question, ...]:
    """The questions of a call of `query`, with the first `urls_at_most` URLs of each.

    Raises `InvalidEncoding` for everything else, and for more than `MAX_QUESTIONS`.
    """
    if data[: abi.SELECTOR_BYTES] != _QUERY:
        raise InvalidEncoding("A batch is no list of questions.")
    elements = abi.read_elements(data[abi.SELECTOR_BYTES :], 0, at_most=MAX_QUESTIONS)
    return tuple(
        Question(
            sender=abi.read_address(element, 0),
            urls=abi.read_strings(element, 1, at_most=urls_at_most),
            data=abi.read_bytes(element, 2),
        )
        for element in elements
    )


def answer_to_all(outcomes: Sequence[bytes | Failure]) -> bytes:
    """What `query` returns: for each question whether it failed, and the answer or the error."""
    failed = b"".join(_word(isinstance(outcome, Failure)) for outcome in outcomes)
    answers = abi.encode_arguments(
        *(
            abi.Dynamic(outcome.to_error() if isinstance(outcome, Failure) else outcome)
            for outcome in outcomes
        )
    )
    # Two arrays behind two words that say where they begin.
    count, first = _word(len(outcomes)), 2 * abi.WORD_BYTES
    second = first + abi.WORD_BYTES + len(failed)
    return _word(first) + _word(second) + count + failed + count + answers


def _word(number: int) -> bytes:
    return number.to_bytes(abi.WORD_BYTES, "big")
