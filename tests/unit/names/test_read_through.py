from __future__ import annotations

import threading
from contextlib import suppress
from dataclasses import dataclass, field

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.names.cache import CachePolicy, MemoryCache
from chalicelib.names.counting import Event
from chalicelib.names.read_through import SLOW_MS, Rates, Reading, ReadThrough
from chalicelib.protocol.errors import LimitExceeded, SourceUnavailable, Unavailable
from chalicelib.relay.settings import Limits

POLICY = CachePolicy(
    positive_ms=1_000,
    negative_ms=100,
    unusable_ms=10,
    stale_ms=5_000,
    retry_ms=50,
    fresh_interval_ms=200,
    fresh_per_s=1.0,
    fresh_burst=3,
    unknown_per_s=1.0,
    unknown_burst=5,
)


@dataclass
class Source:
    """What is read, the clock, and how often it was read."""

    names: dict[str, str] = field(default_factory=lambda: {"known": "1"})
    rubbish: set[str] = field(default_factory=set)
    now_ms: int = 1_000_000
    down: bool = False
    failure: type[Unavailable] = Unavailable
    reads: int = 0
    takes_ms: int = 0

    def read(self, name: str) -> Reading[str | None]:
        self.reads += 1
        self.now_ms += self.takes_ms
        if self.down:
            raise self.failure
        value = self.names.get(name)
        return Reading(value, known=value is not None, published=value is not None or name in self.rubbish)

    def through(self, policy: CachePolicy = POLICY) -> ReadThrough[str | None]:
        return ReadThrough(
            self.read,
            cache=MemoryCache(),
            policy=policy,
            rates=Rates.of(policy),
            clock_ms=lambda: self.now_ms,
        )


@pytest.mark.parametrize(
    ("name", "life_ms"), [("known", 1_000), ("unknown", 100), ("rubbish", 10)], ids=lambda value: str(value)
)
def test_an_answer_lives_as_long_as_its_kind(name: str, life_ms: int) -> None:
    source = Source(rubbish={"rubbish"})
    through = source.through()
    through.get(name, fresh=False)
    source.now_ms += life_ms - 1
    through.get(name, fresh=False)
    assert source.reads == 1
    source.now_ms += 1
    through.get(name, fresh=False)
    assert source.reads == 2


def test_forgetting_reads_again() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    source.names["known"] = "2"
    assert through.get("known", fresh=False) == "1"
    through.forget("known")
    assert through.get("known", fresh=False) == "2"


def test_a_fresh_reading_is_granted_once_per_interval_and_name() -> None:
    source = Source()
    through = source.through()
    assert through.get("known", fresh=False) == "1"
    source.names["known"] = "2"
    source.now_ms += POLICY.fresh_interval_ms
    assert through.get("known", fresh=True) == "2"
    source.names["known"] = "3"
    source.now_ms += POLICY.fresh_interval_ms - 1
    assert through.get("known", fresh=True) == "2"
    source.now_ms += 1
    assert through.get("known", fresh=True) == "3"
    assert source.reads == 3


@pytest.mark.parametrize("name", ["known", "unknown"])
def test_what_has_just_been_read_is_fresh(name: str) -> None:
    """A forged letter asks for its sender twice: as remembered, and afresh since the key does not fit."""
    source = Source()
    through = source.through()
    paid: list[int] = []
    for fresh in (False, True):
        through.get(name, fresh=fresh, toll=lambda: paid.append(1))
    assert (source.reads, len(paid)) == (1, 1)


def test_a_name_that_is_slow_to_read_is_not_read_again_at_once() -> None:
    source = Source(takes_ms=POLICY.fresh_interval_ms + 1)
    through = source.through()
    through.get("known", fresh=False)
    through.get("known", fresh=True)
    assert source.reads == 1
    source.now_ms += POLICY.fresh_interval_ms
    through.get("known", fresh=True)
    assert source.reads == 2


def test_forgeries_in_one_name_take_nothing_from_the_key_rotation_of_another() -> None:
    source = Source(names={"forged": "1", "rotated": "1"})
    through = source.through()
    for name in source.names:
        through.get(name, fresh=False)
    source.now_ms += POLICY.fresh_interval_ms
    for _ in range(100):
        through.get("forged", fresh=True)
    source.names["rotated"] = "2"
    assert through.get("rotated", fresh=True) == "2"
    assert source.reads == 4


def test_fresh_readings_of_all_names_share_a_rate() -> None:
    names = {f"n{number}": "1" for number in range(5)}
    source = Source(names=names)
    through = source.through()
    for name in names:
        through.get(name, fresh=False)
    source.now_ms += POLICY.fresh_interval_ms
    for name in names:
        through.get(name, fresh=True)
    assert source.reads == len(names) + POLICY.fresh_burst


def test_random_names_buy_no_readings_and_known_ones_stay_served() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    refused = 0
    for number in range(50):
        try:
            assert through.get(f"random-{number}", fresh=number % 2 == 0) is None
        except LimitExceeded:
            refused += 1
    assert source.reads == POLICY.unknown_burst
    assert refused == 50 - (POLICY.unknown_burst - 1)
    source.now_ms += POLICY.positive_ms
    assert through.get("known", fresh=False) == "1"
    assert source.reads == POLICY.unknown_burst + 1


def test_whoever_asks_pays_before_what_is_there_for_all_is_touched() -> None:
    source = Source()
    through = source.through()
    paid: list[str] = []

    def broke() -> None:
        raise LimitExceeded(retry_after_s=1)

    for number in range(50):
        with pytest.raises(LimitExceeded):
            through.get(f"random-{number}", fresh=False, toll=broke)
    for _ in range(3):
        assert through.get("known", fresh=False, toll=lambda: paid.append("first")) == "1"
    assert (paid, source.reads) == (["first"], 1)
    source.now_ms += POLICY.fresh_interval_ms
    for _ in range(50):
        with pytest.raises(LimitExceeded):
            through.get("known", fresh=True, toll=broke)
    source.names["known"] = "2"
    assert through.get("known", fresh=True, toll=lambda: paid.append("fresh")) == "2"
    assert paid == ["first", "fresh"]


@pytest.mark.parametrize("down", [False, True])
def test_a_slow_reading_is_paid_for_by_its_time(down: bool) -> None:
    source, paid = Source(takes_ms=3 * SLOW_MS, down=down), list[int]()

    def toll() -> None:
        if len(paid) == 6:
            raise LimitExceeded(retry_after_s=1)
        paid.append(source.now_ms)

    through = source.through()
    for number in range(2):
        with suppress(Unavailable):
            through.get(f"{number}", fresh=False, toll=toll)
    assert (source.reads, len(paid)) == (2, 6)
    with pytest.raises(LimitExceeded):
        through.get("2", fresh=False, toll=toll)
    assert source.reads == 2


def test_no_source_alone_uses_up_what_is_there_for_all() -> None:
    """A window may end as a source has used it up, and the next one begin."""
    at_once = 2 * Limits().source_lookups_per_minute
    assert min(CachePolicy().unknown_burst, CachePolicy().fresh_burst) > at_once
    assert Limits().unknown_names_per_minute > at_once


def test_a_known_answer_is_served_while_the_chain_is_down_but_not_for_ever() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    source.down = True
    source.now_ms += POLICY.positive_ms + POLICY.stale_ms - 1
    assert through.get("known", fresh=False) == "1"
    source.now_ms += POLICY.retry_ms
    with pytest.raises(Unavailable):
        through.get("known", fresh=False)


def test_the_bound_is_kept_to_the_millisecond() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    source.down = True
    source.now_ms += POLICY.positive_ms + POLICY.stale_ms - 1
    through.get("known", fresh=False)
    source.now_ms += 1
    with pytest.raises(Unavailable):
        through.get("known", fresh=False)


def test_answers_past_their_lifetime_are_counted() -> None:
    source, counted = Source(), list[str]()
    through = ReadThrough(
        source.read,
        cache=MemoryCache(),
        policy=POLICY,
        rates=Rates.of(POLICY),
        clock_ms=lambda: source.now_ms,
        count=lambda event, /, **_: counted.append(event),
    )
    through.get("known", fresh=False)
    through.get("known", fresh=False)
    assert counted == []
    source.down = True
    source.now_ms += POLICY.positive_ms
    for _ in range(3):
        through.get("known", fresh=False)
    assert counted == [Event.OUTLIVED] * 3


def test_a_chain_that_is_down_is_not_asked_each_time() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    source.down = True
    source.now_ms += POLICY.positive_ms
    for _ in range(5):
        assert through.get("known", fresh=False) == "1"
    assert source.reads == 2
    source.down = False
    source.names["known"] = "2"
    source.now_ms += POLICY.retry_ms
    assert through.get("known", fresh=False) == "2"


def test_a_fresh_reading_that_fails_is_not_answered_from_memory() -> None:
    source = Source()
    through = source.through()
    through.get("known", fresh=False)
    source.down = True
    source.now_ms += POLICY.fresh_interval_ms
    with pytest.raises(Unavailable):
        through.get("known", fresh=True)
    assert through.get("known", fresh=False) == "1"


def test_what_is_past_its_lifetime_refutes_nobody_when_fresh_readings_are_used_up() -> None:
    source = Source(names={f"n{number}": "1" for number in range(POLICY.fresh_burst + 1)})
    through = source.through()
    for name in source.names:
        through.get(name, fresh=False)
    source.down = True
    source.now_ms += POLICY.positive_ms
    for name in source.names:
        assert through.get(name, fresh=False) == "1"
        with pytest.raises((Unavailable, LimitExceeded)):
            through.get(name, fresh=True)


def test_that_a_name_is_unknown_is_not_believed_beyond_its_life() -> None:
    source = Source()
    through = source.through()
    through.get("unknown", fresh=False)
    source.down = True
    source.now_ms += POLICY.negative_ms
    with pytest.raises(Unavailable):
        through.get("unknown", fresh=False)


def test_threads_that_want_the_same_name_share_one_reading() -> None:
    started, go = threading.Event(), threading.Event()
    source = Source()

    def slow(name: str) -> Reading[str | None]:
        started.set()
        assert go.wait(5)
        return source.read(name)

    through: ReadThrough[str | None] = ReadThrough(
        slow, cache=MemoryCache(), policy=POLICY, rates=Rates.of(POLICY), clock_ms=lambda: source.now_ms
    )
    found: list[str | None] = []
    threads = [
        threading.Thread(target=lambda: found.append(through.get("known", fresh=False))) for _ in range(8)
    ]
    for thread in threads:
        thread.start()
    assert started.wait(5)
    go.set()
    for thread in threads:
        thread.join()
    assert found == ["1"] * 8
    assert source.reads == 1


def test_threads_share_a_failure_of_the_chain_and_the_next_one_reads_again() -> None:
    source = Source(down=True)
    through = source.through()
    for _ in range(2):
        with pytest.raises(Unavailable):
            through.get("known", fresh=False)
    assert source.reads == 2
    source.down = False
    assert through.get("known", fresh=False) == "1"


def test_a_name_whose_own_servers_have_just_failed_is_not_read_again_for_a_moment() -> None:
    source = Source(down=True, failure=SourceUnavailable)
    through = source.through(CachePolicy(retry_ms=5_000))
    for fresh in (False, True, False):
        with pytest.raises(Unavailable):
            through.get("known", fresh=fresh)
    assert source.reads == 1
    with pytest.raises(Unavailable):
        through.get("another", fresh=False)
    assert source.reads == 2
    source.down = False
    source.now_ms += 4_999
    with pytest.raises(Unavailable):
        through.get("known", fresh=False)
    source.now_ms += 1
    assert through.get("known", fresh=False) == "1"


class Model(RuleBasedStateMachine):
    """Whatever happens, an answer was true at some moment within its life, and the rates hold."""

    def __init__(self) -> None:
        super().__init__()
        self.source = Source(names={})
        self.start_ms = self.source.now_ms
        self.through = self.source.through()
        self.history: dict[str, list[tuple[int, str | None]]] = {
            name: [(self.start_ms, None)] for name in ("a", "b", "c")
        }

    names = st.sampled_from(["a", "b", "c"])

    @rule(name=names, value=st.sampled_from([None, "1", "2"]))
    def publish(self, name: str, value: str | None) -> None:
        self.source.names.pop(name, None)
        if value is not None:
            self.source.names[name] = value
        self.history[name].append((self.source.now_ms, value))

    @rule(step_ms=st.sampled_from([1, 60, 300, 2_000]))
    def wait(self, step_ms: int) -> None:
        self.source.now_ms += step_ms

    @rule(down=st.booleans())
    def outage(self, down: bool) -> None:
        self.source.down = down

    @rule(name=names, fresh=st.booleans())
    def get(self, name: str, fresh: bool) -> None:
        try:
            value = self.through.get(name, fresh=fresh)
        except (Unavailable, LimitExceeded):
            return
        oldest_ms = self.source.now_ms - POLICY.positive_ms - POLICY.stale_ms - POLICY.retry_ms
        history = self.history[name]
        ends = [begun for begun, _ in history[1:]] + [self.source.now_ms + 1]
        assert any(was == value and end >= oldest_ms for (_, was), end in zip(history, ends, strict=True)), (
            "an answer that was never true, or not for too long"
        )

    @invariant()
    def rates_hold(self) -> None:
        elapsed_s = (self.source.now_ms - self.start_ms) / 1000
        known_names = elapsed_s * 1000 / POLICY.retry_ms * 3 + 3
        assert self.source.reads <= POLICY.unknown_burst + POLICY.fresh_burst + 2 * elapsed_s + known_names


TestModel = Model.TestCase
TestModel.settings = settings(deadline=None, max_examples=30, stateful_step_count=30)
