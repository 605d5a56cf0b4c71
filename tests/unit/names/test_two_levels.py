from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field

import pytest

from chalicelib.names.cache import CachePolicy, Remembered
from chalicelib.names.read_through import Rates, Reading, ReadThrough
from chalicelib.names.two_levels import TwoLevels
from chalicelib.protocol.errors import Dm3Error, InternalError, Unavailable

POLICY = CachePolicy(positive_ms=1_000, negative_ms=300, unusable_ms=50, stale_ms=5_000, process_ms=100)


@dataclass
class Shared:
    """What processes share, in a dictionary; `fail` is raised by everything."""

    rows: dict[str, tuple[int, Remembered[str | None] | None]] = field(default_factory=dict)
    fail: Dm3Error | None = None
    calls: Counter[str] = field(default_factory=Counter)

    def _begin(self, what: str) -> None:
        self.calls[what] += 1
        if self.fail is not None:
            raise self.fail

    def get(self, name: str) -> Remembered[str | None] | None:
        self._begin("get")
        return self.rows.get(name, (0, None))[1]

    def put(self, name: str, answer: Remembered[str | None]) -> bool:
        self._begin("put")
        return self._write(name, answer.read_at_ms, answer)

    def drop(self, name: str, *, now_ms: int) -> None:
        self._begin("drop")
        self._write(name, now_ms, None)

    def _write(self, name: str, at_ms: int, answer: Remembered[str | None] | None) -> bool:
        if name in self.rows and self.rows[name][0] > at_ms:
            return False
        self.rows[name] = at_ms, answer
        return True


class Process:
    """A process of the relay: its own copies, over what all share."""

    def __init__(self, world: World) -> None:
        self.counted: Counter[str] = Counter()
        self.levels = TwoLevels(
            world.shared,
            process_ms=POLICY.process_ms,
            clock_ms=lambda: world.now_ms,
            count=lambda event, /, **_: self.counted.update([event]),
        )
        self.through = ReadThrough(
            world.read,
            cache=self.levels,
            policy=POLICY,
            rates=Rates.of(POLICY),
            clock_ms=lambda: world.now_ms,
        )

    def get(self, name: str = "known") -> str | None:
        return self.through.get(name, fresh=False)


class World:
    def __init__(self) -> None:
        self.now_ms = 1_000_000
        self.shared = Shared()
        self.chain: dict[str, str] = {"known": "1"}
        self.rubbish: set[str] = set()
        self.down = False
        self.reads = 0

    def read(self, name: str) -> Reading[str | None]:
        self.reads += 1
        if self.down:
            raise Unavailable
        value = self.chain.get(name)
        return Reading(value, known=value is not None, published=value is not None or name in self.rubbish)

    def answer(self, value: str, read_at_ms: int) -> Remembered[str | None]:
        end_ms = read_at_ms + POLICY.positive_ms
        return Remembered(value, known=True, check_at_ms=end_ms, expires_at_ms=end_ms, read_at_ms=read_at_ms)

    def process(self) -> Process:
        return Process(self)


@pytest.fixture
def world() -> World:
    return World()


def test_the_own_copy_comes_first_then_what_is_shared_and_the_chain_last(world: World) -> None:
    first, second = world.process(), world.process()
    assert first.get() == second.get() == second.get() == "1"
    assert world.reads == 1
    assert first.counted == {"NamesFromChain": 1}
    assert second.counted == {"NamesFromTable": 1, "NamesFromProcess": 1}


def test_a_cold_process_with_a_warm_table_asks_nobody(world: World) -> None:
    world.process().get()
    world.down = True
    assert [world.process().get() for _ in range(3)] == ["1"] * 3
    assert world.reads == 1


def test_the_shared_memory_is_looked_at_once_in_a_while_only(world: World) -> None:
    process = world.process()
    for _ in range(5):
        process.get()
    assert world.shared.calls == {"get": 1, "put": 1}
    world.now_ms += POLICY.process_ms
    process.get()
    assert world.shared.calls == {"get": 2, "put": 1}


@pytest.mark.parametrize("name", ["unknown", "rubbish"])
def test_names_without_a_profile_buy_no_writes(world: World, name: str) -> None:
    world.rubbish.add("rubbish")
    process = world.process()
    for _ in range(3):
        assert process.get(name) is None
    assert world.shared.calls == {"get": 1}
    assert world.reads == 1


@pytest.mark.parametrize(
    ("name", "life_ms"), [("known", 1_000), ("unknown", 300), ("rubbish", 50)], ids=lambda value: str(value)
)
def test_an_answer_lives_as_long_as_its_kind_whichever_process_read_it(
    world: World, name: str, life_ms: int
) -> None:
    world.rubbish.add("rubbish")
    first = world.process()
    first.get(name)
    world.now_ms += life_ms - 1
    first.get(name)
    assert world.reads == 1
    if name == "known":
        world.process().get(name)
        assert world.reads == 1
    world.now_ms += 1
    first.get(name)
    assert world.reads == 2


def test_a_changed_key_is_honoured_within_the_lifetime_by_every_process(world: World) -> None:
    first, second = world.process(), world.process()
    first.get()
    world.now_ms += POLICY.positive_ms - 1
    second.get()
    world.chain["known"] = "2"
    world.now_ms += 1
    assert first.get() == second.get() == "2"


def test_what_one_process_drops_the_others_drop_within_the_life_of_their_copies(world: World) -> None:
    first, second, third = world.process(), world.process(), world.process()
    first.get()
    second.get()
    world.chain["known"] = "2"
    first.levels.drop("known")
    assert first.get() == third.get() == "2"
    assert second.get() == "1"
    world.now_ms += POLICY.process_ms
    assert second.get() == "2"
    assert world.reads == 2


def test_a_reading_that_began_before_the_name_was_dropped_is_not_remembered(world: World) -> None:
    slow, quick = world.process(), world.process()
    read_at_ms = world.now_ms
    world.now_ms += 10
    quick.levels.drop("known")
    world.chain["known"] = "2"
    slow.levels.put("known", world.answer("1", read_at_ms))
    assert slow.get() == quick.get() == "2"
    assert world.reads == 1


def test_a_profile_that_is_gone_is_gone_for_every_process(world: World) -> None:
    first, second = world.process(), world.process()
    first.get()
    second.get()
    world.now_ms += POLICY.positive_ms
    del world.chain["known"]
    assert first.get() is None
    world.down = True
    with pytest.raises(Unavailable):
        second.get()


def test_past_its_lifetime_an_answer_is_served_for_a_bounded_time_also_by_a_new_process(world: World) -> None:
    old = world.process()
    old.get()
    world.down = True
    world.now_ms += POLICY.positive_ms + POLICY.stale_ms - 1
    assert old.get() == world.process().get() == "1"
    assert world.shared.calls["put"] == 1, "what is only postponed is not written again"
    world.now_ms += 1
    for process in (old, world.process()):
        with pytest.raises(Unavailable):
            process.get()


def test_what_is_postponed_replaces_nothing_that_was_dropped_meanwhile(world: World) -> None:
    first, second = world.process(), world.process()
    first.get()
    world.now_ms += POLICY.positive_ms
    second.levels.drop("known")
    world.down = True
    first.levels.postpone("known", world.answer("1", 0))
    with pytest.raises(Unavailable):
        second.get()


@pytest.mark.parametrize("error", [Unavailable(), InternalError()], ids=lambda error: type(error).__name__)
def test_when_the_shared_memory_fails_the_chain_is_asked(world: World, error: Dm3Error) -> None:
    process = world.process()
    world.shared.fail = error
    assert process.get() == "1"
    assert process.get() == "1"
    process.levels.drop("known")
    assert process.get() == "1"
    assert world.reads == 2
    assert process.counted["NamesTableFailed"] == 5
    world.shared.fail = None
    world.process().get()
    assert world.reads == 3


def test_when_shared_memory_and_chain_fail_the_own_copy_will_do(world: World) -> None:
    process = world.process()
    process.get()
    world.shared.fail = Unavailable()
    world.chain["known"] = "2"
    world.now_ms += POLICY.process_ms
    assert process.get() == "2", "the chain comes first"
    world.down = True
    world.now_ms += POLICY.process_ms
    assert process.get() == "2"


def test_a_name_that_gets_a_profile_is_known_when_its_negative_answer_ends(world: World) -> None:
    first, second = world.process(), world.process()
    assert first.get("new") is None
    world.chain["new"] = "1"
    assert second.get("new") == "1"
    world.now_ms += POLICY.negative_ms - 1
    assert first.get("new") is None
    world.now_ms += 1
    assert first.get("new") == "1"
    assert world.reads == 2
