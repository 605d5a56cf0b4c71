"""Which messages are still to be acknowledged at one delivery service, and which it was asked to delete.

What was asked over a connection that was lost before the answer is asked again: deleting twice does no harm.
Safe for use by several threads.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count, islice
from threading import Condition
from typing import Final

# Ids of 54 characters: well below the 32 KB that a frame may have through API Gateway.
ASKED_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True)
class Asked:
    """Ids to be named in one request, and what the request is called."""

    ref: str
    ids: tuple[str, ...]


class Acknowledgements:
    """Ids are owed until they are asked for, and then in flight until the service has answered."""

    def __init__(self) -> None:
        self._owed: dict[str, None] = {}
        self._in_flight: dict[str, tuple[str, ...]] = {}
        self._refs = count(1)
        self._changed = Condition()

    def owe(self, ids: Iterable[str]) -> None:
        """Note these as to be acknowledged."""
        with self._changed:
            self._owed.update(dict.fromkeys(ids))

    def ask(self) -> Asked | None:
        """The next request to make, from now on in flight; None if nothing is owed."""
        with self._changed:
            ids = tuple(islice(self._owed, ASKED_AT_ONCE))
            if not ids:
                return None
            for identifier in ids:
                del self._owed[identifier]
            asked = Asked(f"a{next(self._refs)}", ids)
            self._in_flight[asked.ref] = ids
            return asked

    def settle(self, ref: str | None) -> bool:
        """The request `ref` was answered for good. Whether there was such a request."""
        with self._changed:
            known = self._in_flight.pop(ref or "", None) is not None
            self._changed.notify_all()
            return known

    def owe_again(self, ref: str | None = None) -> None:
        """Nothing came of the request `ref`, or of any that is in flight."""
        with self._changed:
            refs: Sequence[str] = tuple(self._in_flight) if ref is None else (ref,)
            for one in refs:
                self._owed.update(dict.fromkeys(self._in_flight.pop(one, ())))
            self._changed.notify_all()

    def wait(self, timeout_s: float) -> bool:
        """Wait until no request is in flight, at most for so long. Whether that is so."""
        with self._changed:
            return self._changed.wait_for(lambda: not self._in_flight, timeout_s)
