from __future__ import annotations

from contextlib import suppress

import pytest
from eth_abi.abi import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.batch_gateway import (
    MAX_QUESTIONS,
    Failure,
    Question,
    answer_to_all,
    questions_in,
)
from chalicelib.protocol.errors import InvalidEncoding
from tests.unit.names.simulated_chain import selector

QUERY = selector("query((address,string[],bytes)[])")
TYPES = ["(address,string[],bytes)[]"]


def query(*questions: Question) -> bytes:
    """The call of `query`, as eth_abi writes it."""
    return QUERY + encode(TYPES, [[(q.sender, list(q.urls), q.data) for q in questions]])


def test_the_selector_is_the_standard_s() -> None:
    assert QUERY.hex() == "a780bab6"


_questions = st.lists(
    st.builds(
        Question,
        sender=st.binary(min_size=20, max_size=20),
        urls=st.lists(st.text("ab{}", max_size=40), max_size=4).map(tuple),
        data=st.binary(max_size=100),
    ),
    max_size=5,
)


@given(_questions)
@settings(max_examples=100)
def test_questions_that_eth_abi_writes_are_read(questions: list[Question]) -> None:
    assert questions_in(query(*questions), urls_at_most=8) == tuple(questions)


_outcomes = st.lists(
    st.binary(max_size=100)
    | st.builds(Failure, status=st.none() | st.integers(100, 599), message=st.text("abc .", max_size=80)),
    max_size=6,
)


@given(_outcomes)
@settings(max_examples=100)
def test_answers_equal_eth_abi(outcomes: list[bytes | Failure]) -> None:
    failed = [isinstance(outcome, Failure) for outcome in outcomes]
    responses = [outcome.to_error() if isinstance(outcome, Failure) else outcome for outcome in outcomes]
    assert answer_to_all(outcomes) == encode(["bool[]", "bytes[]"], [failed, responses])


def test_failures_are_the_errors_of_the_standard() -> None:
    http, other = Failure(404, "No.").to_error(), Failure(None, "Why?").to_error()
    assert http[:4] == selector("HttpError(uint16,string)")
    assert decode(["uint16", "string"], http[4:]) == (404, "No.")
    assert other[:4] == selector("Error(string)")
    assert decode(["string"], other[4:]) == ("Why?",)


def test_too_many_questions_are_refused_and_further_urls_left_out() -> None:
    question = Question(bytes(20), ("a", "b", "c"), b"")
    assert len(questions_in(query(*[question] * MAX_QUESTIONS), urls_at_most=8)) == MAX_QUESTIONS
    with pytest.raises(InvalidEncoding):
        questions_in(query(*[question] * (MAX_QUESTIONS + 1)), urls_at_most=8)
    assert questions_in(query(question), urls_at_most=2)[0].urls == ("a", "b")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        QUERY,
        QUERY[:3],
        b"\x01\x02\x03\x04" + query()[4:],
        QUERY + b"\xff" * 320,
        QUERY + (32).to_bytes(32, "big") + b"\xff" * 32,
        query(Question(bytes(20), ("a",), b"data"))[:-64],
    ],
)
def test_what_is_no_batch_is_refused(data: bytes) -> None:
    with pytest.raises(InvalidEncoding):
        questions_in(data, urls_at_most=8)


@given(st.integers(0, 700), st.integers(0, 255), st.integers(4, 700))
@settings(max_examples=300)
def test_any_bytes_are_questions_or_refused(at: int, value: int, end: int) -> None:
    data = bytearray(query(Question(b"\x11" * 20, ("one", "two"), b"data"), Question(bytes(20), (), b"")))
    data[at % len(data)] = value
    with suppress(InvalidEncoding):
        assert len(questions_in(bytes(data[:end]), urls_at_most=8)) <= MAX_QUESTIONS
