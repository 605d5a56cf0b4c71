"""What is remembered of the chain, and how much is asked of it: bounded memories and rates.

Names that turned out to be unknown are kept apart from the known ones, so that a stream of random names
pushes no genuine one out.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from threading import Lock
from typing import Generic, Protocol, TypeVar

Answer = TypeVar("Answer")


@dataclass(frozen=True, slots=True)
class CachePolicy:
    """How long answers live, and how often the chain is asked. The defaults suit one small relay.

    ENS text records have no lifetime of their own, so the operator sets one: `positive_ms` for a name with
    a usable profile, `negative_ms` for one without, `unusable_ms` for one whose record is rubbish (its
    owner is likely to be mending it). A positive answer may be served for `stale_ms` beyond its life while
    the chain is down, which is then asked again every `retry_ms`; a name whose own servers have failed is not
    read again before that, for whatever reason. `process_ms` bounds how long a process goes
    by its own copy of a positive answer before it looks at what it shares with others (`names.two_levels`).
    """

    positive_ms: int = 300_000
    negative_ms: int = 60_000
    unusable_ms: int = 15_000
    stale_ms: int = 3_600_000
    retry_ms: int = 5_000
    process_ms: int = 60_000
    # A reading this young is fresh, so that one name is read at most this often, for whatever reason. Fresh
    # readings of all names together have a rate; the bursts are larger than what a relay lets one source ask
    # for, so that no one uses up what is there for all.
    fresh_interval_ms: int = 10_000
    fresh_per_s: float = 20.0
    fresh_burst: int = 1_500
    # Readings of names that are not known yet, all together.
    unknown_per_s: float = 50.0
    unknown_burst: int = 1_500


@dataclass(frozen=True, slots=True)
class Remembered(Generic[Answer]):
    """One answer of the chain. Times are milliseconds since the Unix epoch.

    `known` says that the name has a usable profile. `check_at_ms` is when the chain is to be asked again,
    `expires_at_ms` when the answer ends, and `read_at_ms` when it was read.
    """

    value: Answer
    known: bool
    check_at_ms: int
    expires_at_ms: int
    read_at_ms: int


class AnswerCache(Protocol[Answer]):
    """Where answers are remembered; thread-safe. `names.two_levels` is one that several processes share."""

    def get(self, name: str) -> Remembered[Answer] | None:
        """What was put under `name`, unless it was dropped or pushed out since."""
        ...

    def put(self, name: str, answer: Remembered[Answer]) -> None:
        """Remembers `answer`, which has just been read, under `name`, in place of what was there."""
        ...

    def postpone(self, name: str, answer: Remembered[Answer]) -> None:
        """Remembers, in this process alone, that `answer` has to do until another time.

        Nothing was read, so nothing that others have read or dropped meanwhile may be replaced by it.
        """
        ...

    def drop(self, name: str) -> None:
        """Forgets `name`; it is no error if it was not there."""
        ...


class MemoryCache(Generic[Answer]):
    """An `AnswerCache` in this process: at most `known` names with profiles and `unknown` without.

    When it is full, the answer that was not used for longest goes.
    """

    def __init__(self, *, known: int = 10_000, unknown: int = 10_000) -> None:
        self._known: OrderedDict[str, Remembered[Answer]] = OrderedDict()
        self._unknown: OrderedDict[str, Remembered[Answer]] = OrderedDict()
        self._sizes = known, unknown
        self._lock = Lock()

    def get(self, name: str) -> Remembered[Answer] | None:
        """As `AnswerCache.get`."""
        with self._lock:
            for answers in (self._known, self._unknown):
                if name in answers:
                    answers.move_to_end(name)
                    return answers[name]
        return None

    def put(self, name: str, answer: Remembered[Answer]) -> None:
        """As `AnswerCache.put`."""
        with self._lock:
            self._forget(name)
            answers = self._known if answer.known else self._unknown
            answers[name] = answer
            for kept, size in zip((self._known, self._unknown), self._sizes, strict=True):
                while len(kept) > size:
                    kept.popitem(last=False)

    def postpone(self, name: str, answer: Remembered[Answer]) -> None:
        """As `AnswerCache.postpone`."""
        self.put(name, answer)

    def drop(self, name: str) -> None:
        """As `AnswerCache.drop`."""
        with self._lock:
            self._forget(name)

    def _forget(self, name: str) -> None:
        self._known.pop(name, None)
        self._unknown.pop(name, None)


class Marks:
    """Names that carry a mark until some moment: at most `size`, of which the oldest go. Thread-safe."""

    def __init__(self, *, size: int = 10_000) -> None:
        self._until_ms: OrderedDict[str, int] = OrderedDict()
        self._size = size
        self._lock = Lock()

    def has(self, name: str, now_ms: int) -> bool:
        """Whether `name` carries a mark at `now_ms`."""
        with self._lock:
            return now_ms < self._until_ms.get(name, 0)

    def set(self, name: str, until_ms: int) -> None:
        """Marks `name` until `until_ms`."""
        with self._lock:
            self._until_ms.pop(name, None)
            self._until_ms[name] = until_ms
            if len(self._until_ms) > self._size:
                self._until_ms.popitem(last=False)


class Rate:
    """A token bucket: `burst` at once, then `per_s` each second. Thread-safe."""

    def __init__(self, *, per_s: float, burst: int) -> None:
        self._per_ms = per_s / 1000
        self._burst = burst
        self._tokens = float(burst)
        self._at_ms: int | None = None
        self._lock = Lock()

    def take(self, now_ms: int) -> bool:
        """Whether one more is allowed at `now_ms`; if so, it is counted. Time never runs backwards here."""
        with self._lock:
            before_ms = now_ms if self._at_ms is None else self._at_ms
            self._at_ms = max(before_ms, now_ms)
            elapsed_ms = self._at_ms - before_ms
            self._tokens = min(self._burst, self._tokens + elapsed_ms * self._per_ms)
            if self._tokens < 1:
                return False
            self._tokens -= 1
            return True
