"""Reading through a memory: when the chain is asked, when not, and what counts when it is down.

The policy in one place (DESIGN, decision 5): an answer lives as long as `CachePolicy` says; names without a
known profile are read under one rate for all, so that random names buy no chain requests; a known answer
outlives its time, bounded, while the chain is down; a fresh reading is granted at a limited rate. Several
threads that want the same name at once share one reading.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass, replace
from typing import Generic

from chalicelib.names.cache import Answer, AnswerCache, CachePolicy, Marks, Rate, Remembered
from chalicelib.names.counting import Counting, Event, uncounted
from chalicelib.names.directory import Toll
from chalicelib.names.flights import Flights
from chalicelib.protocol.errors import LimitExceeded, SourceUnavailable, Unavailable

# A bucket that is empty refills by at least one within this time at any sensible setting.
_RETRY_S = 5
# A reading is paid for once more for each time it has lasted so long. The gateways and links of a name are as
# slow as its owner likes, and the time of a process costs more than anything else that is asked for.
SLOW_MS = 2_000


@dataclass(frozen=True, slots=True)
class Reading(Generic[Answer]):
    """What was read from the chain. `known`: there is a usable profile; `published`: there is a record."""

    value: Answer
    known: bool
    published: bool


@dataclass(frozen=True, slots=True)
class Rates:
    """How often the chain is asked, over all names: for a fresh reading, and for names not yet known."""

    fresh: Rate
    unknown: Rate

    @classmethod
    def of(cls, policy: CachePolicy) -> Rates:
        """Full buckets as `policy` sizes them."""
        return cls(
            fresh=Rate(per_s=policy.fresh_per_s, burst=policy.fresh_burst),
            unknown=Rate(per_s=policy.unknown_per_s, burst=policy.unknown_burst),
        )


class ReadThrough(Generic[Answer]):
    """Answers by name, remembered in `cache` and otherwise read by `read`. Thread-safe."""

    def __init__(
        self,
        read: Callable[[str], Reading[Answer]],
        *,
        cache: AnswerCache[Answer],
        policy: CachePolicy,
        rates: Rates,
        clock_ms: Callable[[], int],
        count: Counting = uncounted,
    ) -> None:
        self._read = read
        self._cache = cache
        self._policy = policy
        self._rates = rates
        self._clock_ms = clock_ms
        self._count = count
        self._flights = Flights[tuple[str, bool], Answer]()
        self._failed = Marks()
        self._just_read = Marks()

    def get(self, name: str, *, fresh: bool, toll: Toll | None = None) -> Answer:
        """The answer for `name`, from memory or from the chain; `toll` is called unless memory will do.

        For a slow reading it is called several times.

        Raises what `toll` and `read` raise, and `LimitExceeded` if too many unknown names are asked for.
        """
        now_ms = self._clock_ms()
        kept = self._cache.get(name)
        lives = kept is not None and now_ms < kept.check_at_ms
        if kept is not None and lives and not (fresh and self._is_due(name, kept, now_ms)):
            return self._serve(kept, now_ms)
        # Whoever asks pays before a rate that is everybody's is touched.
        if toll is not None:
            toll()
        if kept is not None and lives and not self._rates.fresh.take(now_ms):
            if now_ms >= kept.expires_at_ms:
                # What is past its lifetime refutes nobody.
                raise LimitExceeded("Too many names are being looked up; try again.", retry_after_s=_RETRY_S)
            return kept.value
        return self._flights.share((name, fresh), lambda: self._renew(name, kept, now_ms, toll, fresh=fresh))

    def forget(self, name: str) -> None:
        """The next `get` of `name` asks the chain."""
        self._cache.drop(name)

    def _is_due(self, name: str, kept: Remembered[Answer], now_ms: int) -> bool:
        """Whether what is kept is too old to be called fresh.

        The interval begins when a reading of this process has ended: one that its owner has made slow would
        else be due again at once.
        """
        if now_ms >= kept.expires_at_ms:
            return True
        return now_ms >= kept.read_at_ms + self._policy.fresh_interval_ms and not self._just_read.has(
            name, now_ms
        )

    def _renew(
        self, name: str, kept: Remembered[Answer] | None, now_ms: int, toll: Toll | None, *, fresh: bool
    ) -> Answer:
        known = kept is not None and kept.known
        try:
            if not known and not self._rates.unknown.take(now_ms):
                raise LimitExceeded(
                    "Too many unknown names are being looked up; try again later.", retry_after_s=_RETRY_S
                )
            reading = self._attempt(name, now_ms, toll)
        except Unavailable:
            # Whoever asks for a fresh answer has no use for the old one.
            last_ms = 0 if kept is None else kept.expires_at_ms + self._policy.stale_ms
            if kept is None or not known or fresh or now_ms >= last_ms:
                raise
            check_at_ms = min(now_ms + self._policy.retry_ms, last_ms)
            self._cache.postpone(name, replace(kept, check_at_ms=check_at_ms))
            return self._serve(kept, now_ms)
        self._remember(name, reading, now_ms)
        return reading.value

    def _attempt(self, name: str, now_ms: int, toll: Toll | None) -> Reading[Answer]:
        """A reading, unless one of `name` has just failed at servers of its owner's choice.

        Waiting for these costs more than anything else that a stranger can ask for.
        """
        if self._failed.has(name, now_ms):
            raise SourceUnavailable
        try:
            return self._read(name)
        except SourceUnavailable:
            self._failed.set(name, self._clock_ms() + self._policy.retry_ms)
            raise
        finally:
            if toll is not None:
                self._pay_for_time(toll, now_ms)

    def _pay_for_time(self, toll: Toll, since_ms: int) -> None:
        """Calls `toll` again for a slow reading. It is over, so whoever cannot pay is refused next time."""
        # The reading took place, so an account that is empty, or a store that is away, changes nothing.
        with suppress(LimitExceeded, Unavailable):
            for _ in range((self._clock_ms() - since_ms) // SLOW_MS):
                toll()

    def _serve(self, kept: Remembered[Answer], now_ms: int) -> Answer:
        if now_ms >= kept.expires_at_ms:
            self._count(Event.OUTLIVED)
        return kept.value

    def _remember(self, name: str, reading: Reading[Answer], now_ms: int) -> None:
        if reading.known:
            life_ms = self._policy.positive_ms
        elif reading.published:
            life_ms = self._policy.unusable_ms
        else:
            life_ms = self._policy.negative_ms
        end_ms = now_ms + life_ms
        self._just_read.set(name, self._clock_ms() + self._policy.fresh_interval_ms)
        self._cache.put(name, Remembered(reading.value, reading.known, end_ms, end_ms, now_ms))
