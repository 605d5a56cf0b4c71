from __future__ import annotations

import pytest

from chalicelib.client.patience import Patience
from chalicelib.protocol.errors import Dm3Error, LimitExceeded, TooBig, Unavailable


def run(errors: list[Dm3Error], **settings: float) -> tuple[list[float], int]:
    """What was slept, and how many tries it took; raises when patience ends."""
    slept: list[float] = []
    tries = [0]

    def attempt() -> int:
        tries[0] += 1
        if errors:
            raise errors.pop(0)
        return tries[0]

    patience = Patience(sleep=slept.append, **settings)  # type: ignore[arg-type]
    return slept, patience.run(attempt)


def test_no_error_no_wait() -> None:
    assert run([]) == ([], 1)


def test_pauses_double() -> None:
    assert run([Unavailable(), Unavailable(), Unavailable()], attempts=4) == ([0.5, 1.0, 2.0], 4)


def test_a_service_that_says_how_long_is_obeyed() -> None:
    assert run([LimitExceeded(retry_after_s=9), Unavailable(data={"retryAfter": 2})]) == ([9.0, 2.0], 3)


def test_the_last_error_is_raised_after_the_last_try() -> None:
    errors: list[Dm3Error] = [Unavailable("one"), Unavailable("two"), Unavailable("three")]
    with pytest.raises(Unavailable, match="three"):
        run(errors)


def test_a_longer_wait_than_we_are_willing_to_is_not_begun() -> None:
    errors: list[Dm3Error] = [LimitExceeded(retry_after_s=31)]
    with pytest.raises(LimitExceeded):
        run(errors)
    assert errors == []
    assert run([LimitExceeded(retry_after_s=31)], longest_wait_s=31) == ([31.0], 2)


def test_what_cannot_pass_is_not_tried_again() -> None:
    errors: list[Dm3Error] = [TooBig(), TooBig()]
    with pytest.raises(TooBig):
        run(errors)
    assert len(errors) == 1
