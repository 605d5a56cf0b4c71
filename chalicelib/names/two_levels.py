"""A memory of answers in two levels: this process's own, and one that all processes of a relay share.

An answer is looked for here, then in the shared memory, and only then on the chain. The shared memory is a
memory and no more: when it fails that is counted, and the chain is asked. Only names with a profile are
written to it, so that made-up names buy no writes. A process goes by its own copy for a short time
(`CachePolicy.process_ms`), and so hears soon of what another process has read or dropped.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Generic, Protocol

from chalicelib.names.cache import Answer, MemoryCache, Remembered
from chalicelib.names.counting import Counting, Event, uncounted
from chalicelib.protocol.errors import InternalError, Unavailable

_FAILURES = (Unavailable, InternalError)


class SharedAnswers(Protocol[Answer]):
    """What the processes of a relay remember together: answers about names with a profile. Thread-safe.

    Every method raises `Unavailable` when the memory does not answer, `InternalError` when it never will.
    """

    def get(self, name: str) -> Remembered[Answer] | None:
        """What was put under `name` and may still be served, at least while the chain is down."""
        ...

    def put(self, name: str, answer: Remembered[Answer]) -> bool:
        """Remembers `answer`, unless something was read or dropped after it; whether it does."""
        ...

    def drop(self, name: str, *, now_ms: int) -> None:
        """Forgets what was read of `name` before `now_ms`, also what is put only afterwards."""
        ...


class TwoLevels(Generic[Answer]):
    """Implements `names.cache.AnswerCache` over `shared`. Thread-safe.

    `own` holds this process's copies, each for `process_ms` at most; `clock_ms` as everywhere.
    """

    def __init__(
        self,
        shared: SharedAnswers[Answer],
        *,
        process_ms: int,
        clock_ms: Callable[[], int],
        own: MemoryCache[Remembered[Answer]] | None = None,
        count: Counting = uncounted,
    ) -> None:
        self._shared = shared
        self._own = own or MemoryCache()
        self._process_ms = process_ms
        self._clock_ms = clock_ms
        self._count = count

    def get(self, name: str) -> Remembered[Answer] | None:
        """As `AnswerCache.get`: no request for a young copy, else one to the shared memory."""
        now_ms = self._clock_ms()
        copy = self._own.get(name)
        if copy is not None and now_ms < copy.check_at_ms:
            self._count(Event.HIT_PROCESS)
            return copy.value
        try:
            found = self._shared.get(name)
        except _FAILURES:
            self._count(Event.TABLE_FAILED)
            self._count(Event.MISSES)
            # What is here may have been dropped elsewhere: it will do if the chain is away as well.
            return None if copy is None else _doubted(copy.value, now_ms)
        if found is None or now_ms >= found.check_at_ms:
            self._count(Event.MISSES)
        else:
            self._count(Event.HIT_TABLE)
        if found is None:
            self._own.drop(name)
        else:
            self._copy(name, found, now_ms)
        return found

    def put(self, name: str, answer: Remembered[Answer]) -> None:
        """As `AnswerCache.put`; what is older than what others have read or dropped is not kept at all."""
        copy = self._own.get(name)
        try:
            if answer.known and not self._shared.put(name, answer):
                self._own.drop(name)
                return
            if not answer.known and copy is not None and copy.known:
                self._shared.drop(name, now_ms=answer.read_at_ms)
        except _FAILURES:
            self._count(Event.TABLE_FAILED)
        self._copy(name, answer, self._clock_ms())

    def postpone(self, name: str, answer: Remembered[Answer]) -> None:
        """As `AnswerCache.postpone`."""
        self._copy(name, answer, self._clock_ms())

    def drop(self, name: str) -> None:
        """As `AnswerCache.drop`. If the shared memory fails, others go on until the answer's life ends."""
        self._own.drop(name)
        try:
            self._shared.drop(name, now_ms=self._clock_ms())
        except _FAILURES:
            self._count(Event.TABLE_FAILED)

    def _copy(self, name: str, answer: Remembered[Answer], now_ms: int) -> None:
        until_ms = answer.check_at_ms
        if answer.known:
            until_ms = min(until_ms, now_ms + self._process_ms)
        self._own.put(name, Remembered(answer, answer.known, until_ms, answer.expires_at_ms, now_ms))


def _doubted(answer: Remembered[Answer], now_ms: int) -> Remembered[Answer]:
    return replace(answer, check_at_ms=min(answer.check_at_ms, now_ms))
