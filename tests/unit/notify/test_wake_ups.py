from __future__ import annotations

import json
import logging
from dataclasses import replace
from threading import Barrier

import pytest

from chalicelib.notify.batches import FAILED
from chalicelib.notify.channels.carrier import Withheld
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Gone, Queue, Refused
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.wake_ups import DROPPED, PUT_OFF, SENT, SPARED, WITHHELD
from chalicelib.protocol.errors import InternalError, Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.faults import Nth, every_strike
from tests.unit.notify.outbox_world import owner
from tests.unit.notify.wake_up_world import BOB, MAILED, OWNER, WakeUpWorld

MINUTE_S, HOUR_S = 60, 3_600
NOON_MS = 1_700_049_600_000
MAIL = BOB.recipient
LAPTOP, TELEPHONE = (WakeUpChannel(Channel.PUSH, name, verified=True) for name in ("laptop", "telephone"))
PUSHED = replace(MAILED, channels=(LAPTOP, TELEPHONE))


def test_a_person_is_woken_for_a_message() -> None:
    world = WakeUpWorld()
    assert world.tell(world.receive()) == []
    assert world.carrier.woken == [MAIL]
    assert world.counts == {SENT: 1}


@pytest.mark.parametrize(
    "changes",
    [
        {"enabled": False},
        {"channels": ()},
        {"channels": (replace(BOB, enabled=False),)},
        {"channels": (replace(BOB, verified=False),)},
        {"channels": (LAPTOP,)},
    ],
)
def test_what_was_turned_off_since_the_event_wakes_nobody(changes: dict[str, object]) -> None:
    world = WakeUpWorld()
    key = world.receive()
    world.prefer(**changes)
    assert world.tell(key) == []
    assert world.carrier.woken == []
    assert world.counts == {SPARED: 1}


def test_whoever_has_read_it_or_seen_it_is_not_woken() -> None:
    world = WakeUpWorld()
    read, seen = world.receive(), world.receive()
    world.acknowledge(read)
    world.show(seen)
    assert world.tell(read, seen) == []
    assert world.carrier.woken == []
    assert world.counts == {SPARED: 2}


def test_a_burst_wakes_once_and_a_double_never() -> None:
    world = WakeUpWorld()
    keys = [world.receive() for _ in range(20)]
    world.tell(*keys)
    world.tell(*keys)
    world.pass_time(2 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_mail_in_a_pause_wakes_once_at_its_end() -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 60}))
    world.tell(world.receive())
    for _ in range(10):
        world.pass_time(4 * MINUTE_S)
        world.tell(world.receive())
    assert world.carrier.woken == [MAIL]
    world.pass_time(10 * MINUTE_S)
    assert world.carrier.woken == [MAIL]
    world.pass_time(HOUR_S)
    assert world.carrier.woken == [MAIL] * 2
    world.pass_time(5 * HOUR_S)
    assert world.carrier.woken == [MAIL] * 2


def test_all_mail_of_a_long_pause_is_one_row() -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 600}))
    world.tell(world.receive())
    for _ in range(50):
        world.tell(world.receive())
    assert _rows(world) == 1


def test_what_was_read_in_a_pause_wakes_nobody_at_its_end() -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 60}))
    first = world.receive()
    world.tell(first)  # and is left unread, but was told of
    world.pass_time(4 * MINUTE_S)
    late = world.receive()
    world.tell(late)
    world.acknowledge(late)
    world.pass_time(3 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_a_night_is_quiet_and_its_mail_wakes_once_in_the_morning() -> None:
    world = WakeUpWorld()
    world.quiet(11, 19)  # the clock begins at noon
    for _ in range(30):
        world.tell(world.receive())
    assert _rows(world) == 1
    assert world.counts == {PUT_OFF: 30}
    world.pass_time(6 * HOUR_S)
    assert world.carrier.woken == []
    world.pass_time(HOUR_S)
    assert world.carrier.woken == [MAIL]
    world.pass_time(20 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_the_first_messages_of_a_night_wake_though_the_last_was_read() -> None:
    world = WakeUpWorld()
    world.quiet(11, 19)
    keys = [world.receive() for _ in range(5)]
    world.tell(*keys)
    world.acknowledge(*keys[2:])
    world.show(keys[1])
    world.pass_time(8 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_mail_that_came_just_before_the_night_is_told_in_the_morning_too() -> None:
    world = WakeUpWorld()
    world.clock.pass_s(-10)
    key = world.receive()
    world.quiet(12, 20)
    world.tell(key)
    assert world.counts == {PUT_OFF: 1}
    world.pass_time(9 * HOUR_S)
    assert world.carrier.woken == [MAIL]


@pytest.mark.parametrize("change", ["read", "seen", "off", "quiet again"])
def test_in_the_morning_everything_is_asked_again(change: str) -> None:
    world = WakeUpWorld()
    world.quiet(11, 19)
    key = world.receive()
    world.tell(key)
    if change == "read":
        world.acknowledge(key)
    elif change == "seen":
        world.show(key)
    elif change == "off":
        world.prefer(enabled=False)
    else:
        world.quiet(11, 22)
    world.pass_time(8 * HOUR_S)
    assert world.carrier.woken == []
    world.pass_time(4 * HOUR_S)
    assert world.carrier.woken == ([MAIL] if change == "quiet again" else [])


def test_a_short_delay_waits_in_the_queue() -> None:
    world = WakeUpWorld()
    world.quiet(11, 13)
    world.clock.pass_s(50 * MINUTE_S)
    world.tell(world.receive())
    ((text, delay_s),) = world.queues.take(Queue.EMAIL)
    assert delay_s == 9 * MINUTE_S + 30
    # Neither the recipient nor the message: an account's keyed hash, and since when.
    assert json.loads(text) == {"type": "wake-up", "account": OWNER.hex(), "since": NOON_MS - HOUR_S * 1_000}


@pytest.mark.parametrize("failure", [Unavailable(), KeyError("bob@example.org")])
def test_a_carrier_that_fails_is_tried_again_and_its_pause_is_no_obstacle(
    failure: Exception, caplog: pytest.LogCaptureFixture
) -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 600}))
    world.carrier.failures[MAIL] = failure
    record = world.record(world.receive())
    with caplog.at_level(logging.INFO):
        assert world.handle(record) == [record["messageId"]]
    assert "bob" not in caplog.text + str([vars(entry) for entry in caplog.records])
    world.carrier.failures.clear()
    world.until_taken(record)
    assert world.carrier.woken == [MAIL]
    assert world.counts == {FAILED: 1, SENT: 1}


def test_a_wake_up_that_never_went_out_covers_no_other() -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 60}))
    first, second = world.receive(), world.receive()
    world.carrier.failures[MAIL] = Unavailable()
    for _ in range(5):  # then it is in the dead-letter queue
        assert world.handle(record := world.record(first)) in ([record["messageId"]], [])
    world.carrier.failures.clear()
    world.tell(second)
    assert world.carrier.woken == []
    world.pass_time(3 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_mail_of_long_ago_does_not_wake_for_what_was_read_meanwhile() -> None:
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 60}))
    world.tell(world.receive())  # never read
    world.pass_time(15 * 24 * HOUR_S, step_s=24 * HOUR_S)  # by now nobody remembers that it was told
    first, second = world.receive(), world.receive()
    world.carrier.failures[MAIL] = Unavailable()
    world.tell(first)
    world.carrier.failures.clear()
    world.tell(second)
    assert world.counts[PUT_OFF] == 1
    world.acknowledge(first, second)
    world.pass_time(3 * HOUR_S)
    assert world.carrier.woken == [MAIL]


def test_mail_that_comes_right_after_a_wake_up_or_shows_up_after_it_is_told() -> None:
    for stamped_s in (1, -3):
        world = WakeUpWorld()
        world.tell(world.receive())
        world.clock.pass_s(stamped_s)
        world.tell(world.receive())
        world.pass_time(HOUR_S)
        assert world.carrier.woken == [MAIL] * 2


def test_two_workers_at_the_same_moment_wake_once() -> None:
    """The second comes between the first one's taking the pause and its waking."""
    world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: 60}))
    first, second = world.receive(), world.receive()

    def interleave(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("carrier.wake", Moment.BEFORE):
            world.strike(None)
            assert world.handle(world.record(second)) == []

    world.strike(interleave)
    world.tell(first)
    assert world.carrier.woken == [MAIL]
    world.pass_time(3 * HOUR_S)  # the first one's wake-up has told of the second
    assert world.carrier.woken == [MAIL]


def test_every_browser_is_told_and_one_that_has_withdrawn_is_dropped() -> None:
    world = WakeUpWorld(PUSHED, Channel.PUSH)
    world.carrier.failures["laptop"] = Gone()
    assert world.tell(world.receive()) == []
    assert world.carrier.woken == ["telephone"]
    assert world.book.load(OWNER).channels == (TELEPHONE,)
    assert world.counts == {SENT: 1, DROPPED: 1}


def test_a_refused_recipient_has_to_be_proven_again() -> None:
    world = WakeUpWorld()
    world.carrier.failures[MAIL] = Refused()
    assert world.tell(world.receive()) == []
    assert world.book.load(OWNER).channels == (replace(BOB, verified=False),)
    world.carrier.failures.clear()
    world.pass_time(MINUTE_S)
    world.tell(world.receive())
    assert world.carrier.woken == []
    assert world.counts == {DROPPED: 1, SPARED: 1}


def test_dropping_one_changes_nothing_that_was_written_meanwhile() -> None:
    world = WakeUpWorld(PUSHED, Channel.PUSH)
    desk = WakeUpChannel(Channel.PUSH, "desk", verified=True)

    def meanwhile(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("carrier.wake", Moment.AFTER):
            world.strike(None)
            world.prefer(channels=(LAPTOP, TELEPHONE, desk))

    world.carrier.failures["telephone"] = Gone()
    world.strike(meanwhile)
    world.tell(world.receive())
    assert world.book.load(OWNER).channels == (LAPTOP, desk)


def test_an_account_that_was_deleted_meanwhile_does_not_come_back() -> None:
    world = WakeUpWorld()

    def meanwhile(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("carrier.wake", Moment.BEFORE):
            world.strike(None)
            world.book.delete(OWNER)

    world.carrier.failures[MAIL] = Gone()
    world.strike(meanwhile)
    assert world.tell(world.receive()) == []
    assert world.store.preferences.get(world.vault.index("preferences", OWNER)) is None


def test_a_browser_that_fails_disturbs_no_other() -> None:
    world = WakeUpWorld(PUSHED, Channel.PUSH)
    world.carrier.failures["laptop"] = Unavailable()
    record = world.record(world.receive())
    for _ in range(3):
        assert world.handle(record) == [record["messageId"]]
    assert world.carrier.woken == ["telephone"]
    world.carrier.failures.clear()
    world.until_taken(record)
    assert world.carrier.woken == ["telephone", "laptop"]


def test_poison_holds_up_nobody() -> None:
    world = WakeUpWorld()
    poison = world.as_record("poison")
    spoilt = world.as_record('{"type":"wake-up","account":"' + owner(9).hex() + '","since":1}')

    def spoil(operation: str, moment: Moment) -> None:
        if (operation, moment) == ("preferences.get", Moment.AFTER):
            world.strike(None)
            raise InternalError

    world.strike(spoil)
    key = world.receive()
    assert world.handle(poison, spoilt, world.record(key)) == [poison["messageId"], spoilt["messageId"]]
    assert world.carrier.woken == [MAIL]


@pytest.mark.parametrize("minutes", [0, 60])
def test_every_call_may_fail_or_be_the_last_before_and_after(minutes: int) -> None:
    """By day: somebody is woken for unread mail, at most twice for one fault, and nothing is left over."""

    def run(faults: Nth) -> None:
        world = WakeUpWorld(replace(MAILED, minutes_between={Channel.EMAIL: minutes}))
        world.strike(faults)
        keys = [world.receive() for _ in range(2)]
        world.clock.pass_s(30)
        world.until_taken(*(world.record(key) for key in keys))
        woken = len(world.carrier.woken)
        assert 1 <= woken <= 2
        world.pass_time(3 * HOUR_S, step_s=HOUR_S)
        assert len(world.carrier.woken) <= 2
        last = world.receive()
        world.clock.pass_s(30)
        world.until_taken(world.record(last))
        world.pass_time(2 * HOUR_S, step_s=HOUR_S)
        assert len(world.carrier.woken) > woken
        world.strike(None)
        assert (_rows(world), world.queues.sent) == (0, [])

    assert every_strike(run) > 60


def test_every_call_of_a_night_may_fail_or_be_the_last_before_and_after() -> None:
    def run(faults: Nth) -> None:
        world = WakeUpWorld()
        world.quiet(11, 14)
        keys = [world.receive() for _ in range(3)]
        world.acknowledge(keys[2])
        world.clock.pass_s(30)
        world.strike(faults)
        world.until_taken(*(world.record(key) for key in keys))
        assert world.carrier.woken == []
        world.pass_time(3 * HOUR_S, step_s=HOUR_S)
        assert 1 <= len(world.carrier.woken) <= 2
        world.strike(None)
        assert (_rows(world), world.queues.sent) == (0, [])

    assert every_strike(run) > 60


def test_every_call_with_several_browsers_may_fail_or_be_the_last() -> None:
    def run(faults: Nth) -> None:
        world = WakeUpWorld(
            replace(PUSHED, channels=(LAPTOP, WakeUpChannel(Channel.PUSH, "x"), TELEPHONE)), Channel.PUSH
        )
        key = world.receive()
        world.clock.pass_s(30)
        world.strike(faults)
        world.until_taken(world.record(key))
        assert set(world.carrier.woken) == {"laptop", "telephone"}
        assert len(world.carrier.woken) <= 4

    assert every_strike(run) > 30


def _rows(world: WakeUpWorld) -> int:
    """How much waits in the schedule."""
    in_two_days_ms = world.clock.at_ms + 2 * 86_400_000
    return sum(len(world.store.schedule.due(shard, now_ms=in_two_days_ms, limit=999)) for shard in range(8))


def test_browsers_are_told_side_by_side() -> None:
    """One that hangs holds up neither the others nor the people behind it in the queue."""
    world = WakeUpWorld(preferences=PUSHED, channel=Channel.PUSH)
    both = Barrier(2, timeout=10)
    wake = world.carrier.wake

    def meet(owner: bytes, channel: WakeUpChannel) -> None:
        both.wait()
        wake(owner, channel)

    world.carrier.wake = meet  # type: ignore[method-assign]
    assert world.tell(world.receive()) == []
    assert sorted(world.carrier.woken) == ["laptop", "telephone"]


def test_a_recipient_who_is_not_told_for_a_bound_is_neither_dropped_nor_tried_again() -> None:
    world = WakeUpWorld()
    world.carrier.failures[MAIL] = Withheld()
    assert world.tell(world.receive()) == []
    assert world.counts == {WITHHELD: 1}
    assert world.book.load(OWNER) == MAILED
