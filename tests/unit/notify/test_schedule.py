from __future__ import annotations

from collections import Counter
from collections.abc import Callable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.ports import DueRow, Queue
from chalicelib.notify.schedule import KEPT_S, MOVED, PAGE_ROWS, POSTPONED, POSTPONED_S, RUN_S, Schedule
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from chalicelib.store.memory_guard import Faults, Guard
from tests.unit.notify.faults import Died, FaultyQueues, Nth, every_strike
from tests.unit.relay.ports import START_MS, HandClock, SeededChance

HOUR_S = 3_600


class ScheduleWorld:
    """A schedule over rows and queues in memory, on a clock in the test's hands."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.guard = Guard()
        self.queues = FaultyQueues(guard=self.guard)
        self.clock = HandClock()
        self.counts = Counter[str]()
        self.schedule = self.over(Vault(b"x" * 32, b"s" * 32, SeededChance()))

    def over(self, vault: Vault) -> Schedule:
        return Schedule(
            store=self.store.schedule, queues=self.queues, vault=vault, clock=self.clock, count=self.count
        )

    def count(self, event: str, /, **_dimensions: str) -> None:
        self.counts[event] += 1

    def strike(self, faults: Faults | None) -> None:
        self.store.faults = self.guard.faults = faults

    def put(self, number: int, *, delay_s: int = HOUR_S, queue: Queue = Queue.EMAIL) -> None:
        self.schedule.put(queue, f"text {number}", delay_s=delay_s, key=number.to_bytes(16, "little"))

    def due(self) -> list[DueRow]:
        """All rows of the next 150 days, due or not."""
        moments = [self.clock.at_ms + days * 86_400_000 for days in range(0, 160, 20)]
        rows = (
            row
            for shard in range(8)
            for now_ms in moments
            for row in self.store.schedule.due(shard, now_ms=now_ms, limit=9_999)
        )
        return list(dict.fromkeys(rows))

    def sent(self, queue: Queue = Queue.EMAIL) -> Counter[str]:
        return Counter(text for text, _ in self.queues.take(queue))


def test_what_is_due_soon_waits_in_the_queue_itself() -> None:
    world = ScheduleWorld()
    world.put(1, delay_s=0)
    world.put(2, delay_s=900)
    assert world.queues.take(Queue.EMAIL) == [("text 1", 0), ("text 2", 900)]
    world.clock.pass_s(HOUR_S)
    world.schedule.run()
    assert world.queues.sent == []


def test_what_is_due_later_comes_at_its_time_once() -> None:
    world = ScheduleWorld()
    world.put(1, delay_s=901)
    world.put(2, delay_s=3 * 86_400, queue=Queue.WEBHOOKS)
    world.clock.pass_s(840)
    world.schedule.run()
    assert world.sent() == {}
    world.clock.pass_s(61)
    world.schedule.run()
    world.schedule.run()
    assert world.queues.take(Queue.EMAIL) == [("text 1", 0)]
    world.clock.pass_s(3 * 86_400)
    world.schedule.run()
    assert world.sent(Queue.WEBHOOKS) == {"text 2": 1}
    assert world.due() == []
    assert world.counts == {MOVED: 2}


@given(st.integers(901, 10**7), st.integers(0, 10**7))
def test_a_row_comes_due_at_a_full_minute_at_most_one_too_early(delay_s: int, passed_ms: int) -> None:
    world = ScheduleWorld()
    world.clock.at_ms += passed_ms
    world.put(1, delay_s=delay_s)
    (row,) = world.due()
    assert row.due_at_ms % 60_000 == 0
    assert 0 <= world.clock.at_ms + delay_s * 1_000 - row.due_at_ms < 60_000
    assert row.expires_at_s == row.due_at_ms // 1_000 + KEPT_S


def test_what_means_the_same_minute_with_the_same_key_is_one() -> None:
    world = ScheduleWorld()
    end_ms = (START_MS // 60_000 + 120) * 60_000
    for _ in range(50):
        world.clock.pass_s(7.3)
        world.put(1, delay_s=-(-(end_ms - world.clock.at_ms) // 1_000))
    assert len(world.due()) == 1
    world.clock.at_ms = end_ms
    world.schedule.run()
    assert world.sent() == {"text 1": 1}


def test_rows_are_spread_over_shards_and_their_texts_are_sealed() -> None:
    world = ScheduleWorld()
    for number in range(64):
        world.put(number)
    assert Counter(row.shard for row in world.due()) == dict.fromkeys(range(8), 8)
    assert not any(b"text" in row.sealed for row in world.due())


def test_a_row_opens_for_its_own_queue_and_key_only() -> None:
    world = ScheduleWorld()
    world.put(1)
    (row,) = world.due()
    world.store.schedule.delete(row)
    world.store.schedule.put(
        DueRow(row.shard, row.due_at_ms, row.key, Queue.SMS, row.sealed, row.expires_at_s)
    )
    world.clock.pass_s(HOUR_S)
    world.schedule.run()
    assert world.queues.sent == []
    assert world.counts == {POSTPONED: 1}


def test_much_that_is_due_is_moved_shard_by_shard_in_turn() -> None:
    world = ScheduleWorld()
    for number in range(0, 8 * 3 * PAGE_ROWS, 8):
        world.put(number)  # all in one shard
    world.put(1)
    world.clock.pass_s(HOUR_S)
    order: list[int] = []
    world.strike(
        lambda name, moment: (
            order.append(len(world.queues.sent))
            if (name, moment) == ("schedule.due", Moment.BEFORE)
            else None
        )
    )
    world.schedule.run()
    assert sum(world.sent().values()) == 3 * PAGE_ROWS + 1
    # The full shard had a page, then each of the others its turn, then it again.
    assert order == [0, *[PAGE_ROWS] + [PAGE_ROWS + 1] * 7, *[2 * PAGE_ROWS + 1, 3 * PAGE_ROWS + 1]]


def test_a_run_ends_in_time_and_the_next_goes_on() -> None:
    world = ScheduleWorld()
    for number in range(0, 8 * 4 * PAGE_ROWS, 8):
        world.put(number)
    world.clock.pass_s(HOUR_S)

    def slow(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("queues.send", Moment.BEFORE):
            world.clock.pass_s(RUN_S / PAGE_ROWS)

    world.strike(slow)
    world.schedule.run()
    assert sum(world.sent().values()) == PAGE_ROWS
    for _ in range(3):
        world.schedule.run()
    assert sum(world.sent().values()) == 3 * PAGE_ROWS
    assert world.due() == []


@pytest.mark.parametrize("failure", [Unavailable, InternalError, TypeError])
def test_what_a_queue_does_not_take_is_put_off_and_stands_before_nobody(failure: type[Exception]) -> None:
    world = ScheduleWorld()
    for number in range(0, 8 * 2 * PAGE_ROWS, 8):
        world.put(number, queue=Queue.SMS)
    world.clock.pass_s(60)
    world.put(0, queue=Queue.EMAIL)  # behind all of them, in the same shard
    world.queues = _Broken(world.queues, Queue.SMS, failure)
    world.schedule = world.over(Vault(b"x" * 32, b"s" * 32, SeededChance()))
    world.clock.pass_s(HOUR_S)
    world.schedule.run()
    assert world.sent() == {"text 0": 1}
    assert world.counts == {POSTPONED: 2 * PAGE_ROWS, MOVED: 1}
    world.queues.broken = None
    world.schedule.run()
    assert world.sent(Queue.SMS) == {}
    world.clock.pass_s(POSTPONED_S)
    world.schedule.run()
    assert sum(world.sent(Queue.SMS).values()) == 2 * PAGE_ROWS
    assert world.due() == []


def test_a_row_whose_storage_key_is_gone_waits_for_it_until_it_expires() -> None:
    world = ScheduleWorld()
    world.put(1)
    world.clock.pass_s(HOUR_S)
    world.over(Vault(b"x" * 32, b"t" * 32, SeededChance())).run()
    assert world.counts == {POSTPONED: 1}
    world.clock.pass_s(POSTPONED_S)
    world.schedule.run()
    assert world.sent() == {"text 1": 1}


def test_a_shard_that_does_not_answer_keeps_no_other_from_its_turn() -> None:
    world = ScheduleWorld()
    for number in range(8):
        world.put(number)
    world.clock.pass_s(HOUR_S)
    world.strike(Nth(4))  # the first row has been sent, and cannot be deleted
    with pytest.raises(Unavailable):
        world.schedule.run()
    world.strike(None)
    assert len(world.sent()) >= 7
    world.schedule.run()
    assert world.due() == []


def test_every_call_may_fail_or_be_the_last_before_and_after() -> None:
    def run(faults: Nth) -> None:
        world = ScheduleWorld()
        world.strike(faults)
        for number in range(5):
            _until_it_is_kept(lambda number=number: world.put(number))  # type: ignore[misc]
        for _ in range(3):
            world.clock.pass_s(HOUR_S)
            _whatever_happens(world.schedule.run)
        world.strike(None)
        sent = world.sent()
        assert set(sent) == {f"text {number}" for number in range(5)}
        assert max(sent.values()) <= 2
        assert world.due() == []

    assert every_strike(run) > 40


def test_every_call_of_putting_off_may_fail_or_be_the_last_before_and_after() -> None:
    def run(faults: Nth) -> None:
        world = ScheduleWorld()
        for number in range(3):
            world.put(number, queue=Queue.SMS)
        world.queues = _Broken(world.queues, Queue.SMS, Unavailable)
        world.schedule = world.over(Vault(b"x" * 32, b"s" * 32, SeededChance()))
        world.clock.pass_s(HOUR_S)
        world.strike(faults)
        _whatever_happens(world.schedule.run)
        world.queues.broken = None
        for _ in range(3):
            world.clock.pass_s(HOUR_S)
            _whatever_happens(world.schedule.run)
        world.strike(None)
        sent = world.sent(Queue.SMS)
        assert set(sent) == {f"text {number}" for number in range(3)}
        assert max(sent.values()) <= 2
        assert world.due() == []

    assert every_strike(run) > 40


def _until_it_is_kept(put: Callable[[], None]) -> None:
    while True:
        try:
            put()
        except (Unavailable, Died):
            continue
        return


def _whatever_happens(run: Callable[[], None]) -> None:
    try:
        run()
    except (Unavailable, Died):
        return


class _Broken(FaultyQueues):
    """Queues of which one takes nothing while it is `broken`."""

    def __init__(self, queues: FaultyQueues, broken: Queue, failure: type[Exception]) -> None:
        super().__init__(sent=queues.sent, guard=queues.guard)
        self.broken: Queue | None = broken
        self._reason = failure

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        if queue is self.broken:
            raise self._reason
        super().send(queue, text, delay_s=delay_s)
