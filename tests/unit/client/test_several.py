from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.client.several import at_each
from chalicelib.protocol.errors import Dm3Error, InvalidInput, NotFound, Unavailable


def failing(errors: dict[str, Dm3Error]) -> Callable[[str], str]:
    def act(name: str) -> str:
        if name in errors:
            raise errors[name]
        return name.upper()

    return act


def test_what_fails_is_told_beside_what_succeeds() -> None:
    gone = NotFound()
    results, unreached = at_each(["a", "b", "c"], failing({"b": gone}))
    assert results == {"a": "A", "c": "C"}
    assert [(failure.delivery_service, failure.reason) for failure in unreached] == [("b", gone)]


def test_a_service_that_is_named_twice_is_asked_once() -> None:
    asked: list[str] = []
    at_each(["a", "a"], asked.append)
    assert asked == ["a"]


def test_if_all_fail_it_is_the_preferred_ones_error() -> None:
    errors: dict[str, Dm3Error] = {"a": NotFound("first"), "b": InvalidInput("second")}
    with pytest.raises(NotFound, match="first"):
        at_each(errors, failing(errors))


def test_an_outage_among_them_may_pass_so_it_is_told() -> None:
    errors: dict[str, Dm3Error] = {"a": NotFound("first"), "b": Unavailable("second")}
    with pytest.raises(Unavailable, match="second"):
        at_each(errors, failing(errors))


def test_nobody_to_ask() -> None:
    with pytest.raises(NotFound, match="names no delivery service"):
        at_each([], str)
