"""Days of an account in the hands of hypothesis: mail, reading, quiet hours, faults; and what must hold.

- Whoever has mail that nobody read or saw is told after it came, sooner or later.
- Nobody is woken in quiet hours, nor twice within a pause, nor without unread mail.
"""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.notify.events import Channel
from chalicelib.notify.plan import quiet
from chalicelib.notify.preferences import QuietHours, WakeUpChannel
from chalicelib.relay.ports import InboxKey
from tests.unit.notify.faults import Nth
from tests.unit.notify.wake_up_world import MAILED, OWNER, WakeUpWorld

HOUR_S = 3_600


class Days(RuleBasedStateMachine):
    """One account with mail by e-mail; its events come late, doubled and out of order."""

    def __init__(self) -> None:
        super().__init__()
        self.world = WakeUpWorld()
        self.world.carrier.wake = self._wake  # type: ignore[method-assign]
        self.woken_at_ms: list[int] = []
        self.unread: list[InboxKey] = []
        self.unshown: list[InboxKey] = []
        self.untold: list[InboxKey] = []
        self.told: list[InboxKey] = []
        self.hours: QuietHours | None = None
        self.minutes = 1
        self.may_double = False
        self.broken: list[str] = []

    def _wake(self, owner: bytes, channel: WakeUpChannel) -> None:
        world = self.world
        with world.guard.operation("carrier.wake"):
            now_ms = world.clock.at_ms
            since_ms = now_ms - self.woken_at_ms[-1] if self.woken_at_ms else 10**12
            broken = {
                "somebody else": owner != OWNER or channel not in MAILED.channels,
                "in quiet hours": quiet(self.hours, now_ms) is not None,
                "without unread mail": not set(self.unread) & set(self.unshown),
                "in a pause": since_ms < self.minutes * 60_000 and not self.may_double,
            }
            # The worker would take an assertion for a failure of the carrier.
            self.broken += [name for name, is_broken in broken.items() if is_broken]
            self.woken_at_ms.append(now_ms)

    @rule(messages=st.integers(1, 4))
    def mail_comes(self, messages: int) -> None:
        for _ in range(messages):
            key = self.world.receive()
            for keys in (self.unread, self.unshown, self.untold):
                keys.append(key)

    @precondition(lambda self: self.untold)
    @rule(data=st.data(), again=st.booleans())
    def an_event_comes(self, data: st.DataObject, *, again: bool) -> None:
        key = data.draw(st.sampled_from(self.untold))
        self.world.until_taken(self.world.record(key), *([self.world.record(key)] if again else []))
        self.untold.remove(key)
        self.told.append(key)

    @precondition(lambda self: self.unread)
    @rule(data=st.data())
    def somebody_reads(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.unread))
        self.unread.remove(key)
        self.world.acknowledge(key)

    @precondition(lambda self: self.unshown)
    @rule(data=st.data())
    def a_socket_shows(self, data: st.DataObject) -> None:
        key = data.draw(st.sampled_from(self.unshown))
        self.unshown.remove(key)
        self.world.show(key)

    @rule(minutes=st.integers(1, 300))
    def time_passes(self, minutes: int) -> None:
        self.world.pass_time(minutes * 60, step_s=300)

    @rule(start=st.integers(0, 23), end=st.integers(0, 23))
    def quiet_hours_are_set(self, start: int, end: int) -> None:
        self.hours = QuietHours(start * 60, end * 60, "UTC")
        self.world.prefer(quiet_hours=self.hours)

    @precondition(lambda self: not self.woken_at_ms or self._pause_is_over())
    @rule(minutes=st.integers(1, 600))
    def another_pause_is_set(self, minutes: int) -> None:
        # While no pause runs, since one that runs keeps its length.
        self.minutes = minutes
        self.world.prefer(minutes_between={Channel.EMAIL: minutes})

    @rule(n=st.integers(0, 40))
    def a_call_will_fail(self, n: int) -> None:
        self.may_double = True
        self.world.strike(Nth(n))

    @invariant()
    def nobody_was_woken_against_a_rule(self) -> None:
        assert self.broken == []
        self.world.clock.pass_s(1)

    def teardown(self) -> None:
        world = self.world
        world.strike(None)
        while self.untold:
            world.until_taken(world.record(self.untold.pop()))
        world.pass_time(14 * 24 * HOUR_S, step_s=HOUR_S // 2)
        assert self.broken == []
        waiting = set(self.unread) & set(self.unshown)
        last_ms = self.woken_at_ms[-1] if self.woken_at_ms else 0
        assert all(key.stored_at_ms <= last_ms for key in waiting)
        in_two_days_ms = world.clock.at_ms + 2 * 86_400_000
        for shard in range(8):
            assert world.store.schedule.due(shard, now_ms=in_two_days_ms, limit=1) == ()

    def _pause_is_over(self) -> bool:
        return self.world.clock.at_ms - self.woken_at_ms[-1] > (self.minutes + 1) * 60_000


TestDays = Days.TestCase
TestDays.settings = settings(max_examples=25, stateful_step_count=30, deadline=None)
