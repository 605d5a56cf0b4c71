"""Holdings remembered for seconds, so that a talkative sender does not cost a reading for each message.

What is remembered is the answer to a set of questions as a whole. Each receiver chooses the contracts that
are asked, and one that burns gas spoils the answers beside it (`chain_holdings`): kept question by question,
one receiver's contract would refuse senders to others.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Mapping, Sequence
from threading import Lock
from typing import Final

from chalicelib.names.directory import Toll
from chalicelib.names.flights import Flights
from chalicelib.names.holdings import Holdings
from chalicelib.protocol.rules import Question

LIFETIME_MS: Final = 15_000
SIZE: Final = 10_000

_Key = tuple[str, tuple[Question, ...]]
_Answers = Mapping[Question, int]


class RememberedHoldings:
    """Implements `names.holdings.RememberingHoldings`: what `inner` read, for `lifetime_ms`. Thread-safe.

    At most `size` sets of answers are kept; the one that was not used for longest goes. Errors are not
    remembered. Threads that ask the same at once share one reading. `clock_ms` tells milliseconds since the
    Unix epoch.
    """

    def __init__(
        self,
        inner: Holdings,
        clock_ms: Callable[[], int],
        *,
        lifetime_ms: int = LIFETIME_MS,
        size: int = SIZE,
    ) -> None:
        self._inner = inner
        self._clock_ms = clock_ms
        self._lifetime_ms = lifetime_ms
        self._size = size
        self._lock = Lock()
        self._kept: OrderedDict[_Key, tuple[int, _Answers]] = OrderedDict()
        self._flights: Flights[_Key, _Answers] = Flights()

    def read(
        self, address: str, questions: Sequence[Question], *, toll: Toll | None = None
    ) -> Mapping[Question, int]:
        """As `RememberingHoldings.read`; no round trip if the same was asked lately."""
        key = address, tuple(dict.fromkeys(questions))
        remembered = self._remembered(key)
        if remembered is not None:
            return remembered
        if toll is not None:
            toll()
        return self._flights.share(key, lambda: self._renew(key))

    def _remembered(self, key: _Key) -> _Answers | None:
        now_ms = self._clock_ms()
        with self._lock:
            kept = self._kept.get(key)
            if kept is None or not 0 <= now_ms - kept[0] < self._lifetime_ms:
                return None
            self._kept.move_to_end(key)
            return kept[1]

    def _renew(self, key: _Key) -> _Answers:
        # Another thread's reading may have ended between a look at the memory and this one.
        remembered = self._remembered(key)
        if remembered is not None:
            return remembered
        read_at_ms = self._clock_ms()
        answers = self._inner.read(*key)
        with self._lock:
            self._kept[key] = read_at_ms, answers
            self._kept.move_to_end(key)
            while len(self._kept) > self._size:
                self._kept.popitem(last=False)
        return answers
