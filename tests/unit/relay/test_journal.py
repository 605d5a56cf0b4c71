from __future__ import annotations

import pytest

from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.journal import ATTEMPT_MS
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, World


class Crash(Exception):
    """The process ended here."""


def settled() -> World:
    world = World()
    world.settle(ALICE, BOB)
    return world


def crash_at(world: World, operation: str, moment: Moment, error: type[Exception] = Crash) -> None:
    """Fail once, at this operation."""

    def fault(name: str, when: Moment) -> None:
        if (name, when) == (operation, moment):
            world.store.faults = None
            raise error

    world.store.faults = fault


WRITES = ["submissions.begin", "inbox.put", "submissions.complete"]


@pytest.mark.parametrize("operation", WRITES)
@pytest.mark.parametrize("moment", list(Moment))
@pytest.mark.parametrize("error", [Crash, Unavailable])
@pytest.mark.parametrize("pause_s", [0, ATTEMPT_MS // 1_000, 3_600])
def test_a_retry_after_a_failed_write_completes_the_message_once(
    operation: str, moment: Moment, error: type[Exception], pause_s: int
) -> None:
    world = settled()
    letter = world.letter()
    crash_at(world, operation, moment, error)
    with pytest.raises(error):
        world.submit(letter)
    world.clock.pass_s(pause_s)
    world.restarted()
    first = world.submit(letter)
    again = world.submit(letter)
    assert again.duplicate
    assert again.receipt == first.receipt
    [message] = world.mail()
    assert message.message_id == first.receipt.message_id


def test_a_quick_retry_keeps_the_time_of_the_row() -> None:
    world = settled()
    letter = world.letter()
    began_ms = world.clock.now_ms()
    crash_at(world, "inbox.put", Moment.BEFORE)
    with pytest.raises(Crash):
        world.submit(letter)
    world.clock.pass_s(5)
    assert world.submit(letter).receipt.incoming_timestamp_ms == began_ms
    assert world.mail()[0].stored_at_ms == began_ms


def test_a_late_retry_is_not_behind_a_following_reader() -> None:
    world = settled()
    letter = world.letter()
    crash_at(world, "inbox.put", Moment.BEFORE)
    with pytest.raises(Crash):
        world.submit(letter)
    account = world.account(BOB)
    world.clock.pass_s(200)
    world.submit(world.letter(text="later"))
    seen = world.relay.inbox.page(account, follow=True)
    world.clock.pass_s(200)
    world.submit(letter)
    following = world.relay.inbox.page(account, seen.cursor, follow=True)
    assert len(seen.messages) == 1
    assert following.messages[-1].stored_at_ms == world.clock.now_ms()


def test_the_rare_double_carries_the_same_message_id() -> None:
    world = settled()
    letter = world.letter()
    crash_at(world, "submissions.complete", Moment.BEFORE)
    with pytest.raises(Crash):
        world.submit(letter)
    account = world.account(BOB)
    [fetched] = world.mail()
    world.relay.inbox.acknowledge(account, [fetched.id])
    world.clock.pass_s(3_600)
    world.submit(letter)
    [double] = world.mail()
    assert double.message_id == fetched.message_id


def test_acknowledging_by_hash_reaches_every_attempt() -> None:
    world = settled()
    letter = world.letter()
    for _ in range(3):
        crash_at(world, "submissions.complete", Moment.BEFORE)
        with pytest.raises(Crash):
            world.submit(letter)
        for message in world.mail():
            world.relay.inbox.acknowledge(world.account(BOB), [message.id])
        world.clock.pass_s(ATTEMPT_MS / 1_000)
    world.submit(letter)
    metadata = letter["metadata"]
    assert isinstance(metadata, dict)
    pair = ("alice.eth", str(metadata["messageHash"]))
    assert world.relay.inbox.acknowledge_pairs(world.account(BOB), [pair]) == 4
    assert world.mail() == []


def test_attempts_end_and_the_last_one_is_completed_as_it_stands() -> None:
    world = settled()
    letter = world.letter()
    for _ in range(20):
        crash_at(world, "inbox.put", Moment.BEFORE)
        with pytest.raises(Crash):
            world.submit(letter)
        world.clock.pass_s(ATTEMPT_MS / 1_000)
    first = world.submit(letter)
    assert len(world.mail()) == 1
    assert world.submit(letter).receipt == first.receipt


def test_two_who_begin_at_once_store_one_and_answer_alike() -> None:
    world = settled()
    letter = world.letter()
    answers = []

    def overtake(name: str, when: Moment) -> None:
        if (name, when) == ("submissions.begin", Moment.BEFORE):
            world.store.faults = None
            answers.append(world.submit(letter))

    world.store.faults = overtake
    answers.append(world.submit(letter))
    assert [answer.duplicate for answer in answers] == [False, True]
    assert answers[0].receipt == answers[1].receipt
    assert len(world.mail()) == 1


def test_the_loser_makes_sure_before_it_answers() -> None:
    """The winner may die between its two writes: the loser may not answer for a message that is not there."""
    world = settled()
    letter = world.letter()

    def overtake(name: str, when: Moment) -> None:
        if (name, when) == ("submissions.begin", Moment.BEFORE):
            crash_at(world, "inbox.put", Moment.BEFORE)
            with pytest.raises(Crash):
                world.submit(letter)

    world.store.faults = overtake
    answer = world.submit(letter)
    [message] = world.mail()
    assert message.message_id == answer.receipt.message_id


def test_a_submission_is_forgotten_when_its_message_has_expired() -> None:
    world = settled()
    letter = world.letter()
    first = world.submit(letter)
    world.clock.pass_s(30 * 86_400)
    assert world.submit(letter).duplicate
    world.clock.pass_s(1)
    second = world.submit(letter)
    assert not second.duplicate
    assert second.receipt.message_id != first.receipt.message_id
