"""Asks the gateways of names whose records live off chain.

Sources: ERC-3668 (CCIP-Read), ENSIP-21 (batches, see `names.batch_gateway`). A gateway is a URL that a
contract of the name's owner chose, so it is asked through the guarded fetcher; what it answers is opaque
here, and checked by the contract. One deadline, and one bound on questions and requests, hold for a lookup
with all its gateways and batches, whatever is in it.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from threading import Lock
from typing import Final

from chalicelib.fetching.deadline import Clock, Deadline
from chalicelib.fetching.ports import Fetcher
from chalicelib.fetching.urls import MAX_URL_CHARACTERS
from chalicelib.names.batch_gateway import BATCH_URL, Failure, Question, answer_to_all, questions_in
from chalicelib.names.ports import OffchainLookup
from chalicelib.names.rpc_answers import MAX_GATEWAY_URLS
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidEncoding,
    ParseError,
    SourceUnavailable,
    Unavailable,
    UnsafeLink,
)

GATEWAY_DEADLINE_S: Final = 4.0
MAX_ANSWER_BYTES: Final = 524_288
# Questions of batches count as well. Two records with a few gateways each take less than half of it; a name
# could otherwise have the relay send so many requests to whomever its owner likes.
MAX_REQUESTS: Final = 32
MAX_BATCH_DEPTH: Final = 3

_SENDER, _DATA = "{sender}", "{data}"
_HEX: Final = re.compile(r"0x(?:[0-9a-fA-F]{2})*")
_BAD_GATEWAY: Final = 502
_GATEWAY_TIMEOUT: Final = 504
_TOO_MANY: Final = Failure(None, "There are too many questions.")


class CcipGateway:
    """Implements `names.ports.OffchainGateway`. Safe for use by several threads.

    One lookup takes `deadline_s` seconds at most.
    """

    def __init__(
        self, fetcher: Fetcher, *, deadline_s: float = GATEWAY_DEADLINE_S, clock: Clock = time.monotonic
    ) -> None:
        self._fetcher = fetcher
        self._deadline_s = deadline_s
        self._clock = clock

    def answer(self, lookup: OffchainLookup) -> bytes:
        """As `OffchainGateway.answer`."""
        asking = _Asking(self._fetcher, Deadline(self._deadline_s, self._clock))
        outcome = asking.ask(Question(lookup.sender, lookup.urls, lookup.call_data), depth=0)
        if isinstance(outcome, Failure):
            raise SourceUnavailable(
                "The gateway that keeps the records of the name did not answer; try again."
            )
        return outcome


class _Asking:
    """One lookup under way, with what is left of its time and of its requests."""

    def __init__(self, fetcher: Fetcher, deadline: Deadline) -> None:
        self._fetcher = fetcher
        self._deadline = deadline
        self._left = MAX_REQUESTS
        self._lock = Lock()

    def ask(self, question: Question, *, depth: int) -> bytes | Failure:
        """The answer of the first gateway that gives one; ERC-3668 ends the search at a status of 4xx."""
        if BATCH_URL in question.urls:
            return self._ask_each(question.data, depth + 1)
        failure = Failure(None, "There is no gateway that may be asked.")
        templates = question.urls[:MAX_GATEWAY_URLS]
        for left, template in zip(range(len(templates), 0, -1), templates, strict=True):
            outcome = self._request(template, question, left)
            if not isinstance(outcome, Failure):
                return outcome
            if outcome.status is not None:
                failure = outcome
                if 400 <= outcome.status < 500:
                    break
        return failure

    def _ask_each(self, data: bytes, depth: int) -> bytes | Failure:
        """Plays the batch gateway: the questions are asked side by side."""
        try:
            if depth > MAX_BATCH_DEPTH:
                raise InvalidEncoding("The batches are too deep.")
            questions = questions_in(data, urls_at_most=MAX_GATEWAY_URLS)
        except InvalidEncoding as error:
            return Failure(None, error.message)
        return answer_to_all(self._side_by_side(questions, depth))

    def _side_by_side(self, questions: Sequence[Question], depth: int) -> list[bytes | Failure]:
        # A question counts, also one that is a batch: batches that contain each other many times are cheap to
        # write, and would be dear to read.
        asked = questions[: self._take(len(questions))]
        refused = [_TOO_MANY] * (len(questions) - len(asked))
        if len(asked) <= 1:
            return [self.ask(question, depth=depth) for question in asked] + refused
        with ThreadPoolExecutor(len(asked)) as threads:
            return [*threads.map(lambda question: self.ask(question, depth=depth), asked), *refused]

    def _request(self, template: str, question: Question, left: int) -> bytes | Failure:
        """What one gateway answers, in its share of the time among `left` gateways."""
        if not self._take(1):
            return _TOO_MANY
        sender, data = "0x" + question.sender.hex(), "0x" + question.data.hex()
        post = _DATA not in template
        try:
            answer = self._fetcher.fetch(
                _filled(template, {_SENDER: sender, _DATA: data}),
                method="POST" if post else "GET",
                headers={
                    "accept": "application/json",
                    **({"content-type": "application/json"} if post else {}),
                },
                body=json.dumps({"data": data, "sender": sender}).encode() if post else None,
                max_bytes=MAX_ANSWER_BYTES,
                deadline_s=self._deadline.share_s(left),
            )
        except UnsafeLink as error:
            return Failure(None, error.message)
        except Unavailable as error:
            return Failure(_GATEWAY_TIMEOUT, error.message)
        except Dm3Error as error:
            return Failure(_BAD_GATEWAY, error.message)
        if not 200 <= answer.status < 300:
            return Failure(answer.status, "A gateway refused.")
        return _data_in(answer.body)

    def _take(self, wanted: int) -> int:
        """How many of `wanted` questions or requests may still be made; they are counted."""
        with self._lock:
            granted = min(wanted, self._left)
            self._left -= granted
            return granted


def _filled(template: str, values: Mapping[str, str]) -> str:
    """`template` with the values in the places of their names. Raises `UnsafeLink` if it gets too long.

    It is counted before it is made: a template is long, the data is, and may be wanted ten thousand times.
    """
    size = len(template) + sum(
        template.count(name) * (len(value) - len(name)) for name, value in values.items()
    )
    if size > MAX_URL_CHARACTERS:
        raise UnsafeLink("The link is too long.")
    for name, value in values.items():
        template = template.replace(name, value)
    return template


def _data_in(body: bytes) -> bytes | Failure:
    """The bytes in `{"data": "0x…"}`."""
    try:
        value = parse_json(body)
    except ParseError:
        value = None
    data = value.get("data") if isinstance(value, dict) else None
    if isinstance(data, str) and _HEX.fullmatch(data):
        return bytes.fromhex(data[2:])
    return Failure(_BAD_GATEWAY, "A gateway gave an answer that makes no sense.")
