"""Doing the same at each of one's own delivery services, so that a bad one does not keep one from the others.

A profile may name a service that is gone, was never there, is down or answers nonsense. What the others give
counts; only if nobody gives anything is that an error.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import TypeVar

from chalicelib.client.values import Unreached
from chalicelib.protocol.errors import Dm3Error, NotFound

Result = TypeVar("Result")


def at_each(
    services: Iterable[str], act: Callable[[str], Result]
) -> tuple[dict[str, Result], tuple[Unreached, ...]]:
    """What `act` returns for each name of `services`, by name, and for which it failed.

    Raises NotFound if there are no services. If all of them failed it raises an error that may pass, if there
    is one among them, so that whoever waits out outages goes on; otherwise that of the preferred service.
    """
    results: dict[str, Result] = {}
    unreached: list[Unreached] = []
    for name in dict.fromkeys(services):
        try:
            results[name] = act(name)
        except Dm3Error as error:
            unreached.append(Unreached(name, error))
    if not results:
        raise of_all([failure.reason for failure in unreached])
    return results, tuple(unreached)


def of_all(errors: Sequence[Dm3Error]) -> Dm3Error:
    """The one error to raise when each service failed: one that may pass, else that of the first.

    NotFound if there are none, since then there is no service.
    """
    if not errors:
        return NotFound("The profile names no delivery service.")
    return next((error for error in errors if error.retry), errors[0])
