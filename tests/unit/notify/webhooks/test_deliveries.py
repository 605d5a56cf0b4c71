from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.notify.events import MessageReceived, SizeClass
from chalicelib.notify.webhooks.deliveries import MOST_ATTEMPTS, Attempt, Delivery, DeliveryState
from chalicelib.notify.webhooks.tries import TRIES, next_delay_s
from chalicelib.relay.ports import InboxKey
from tests.unit.relay.ports import SeededChance

EVENT = MessageReceived(b"o" * 32, InboxKey(1_700_000_000_000, b"m" * 16), SizeClass.MEDIUM)
NEW = Delivery.of(EVENT, held=False)


def failed(number: int) -> Attempt:
    return Attempt(number, 5, 6, 500)


def test_a_new_delivery_waits_for_its_first_try() -> None:
    assert (NEW.state, NEW.message_id, NEW.at_ms) == (
        DeliveryState.PENDING,
        b"m".hex() * 16,
        1_700_000_000_000,
    )
    assert NEW.awaits(1)
    assert not NEW.awaits(0)
    held = Delivery.of(EVENT, held=True)
    assert (held.state, held.due_at_ms, held.awaits(1)) == (DeliveryState.HELD, None, False)


@pytest.mark.parametrize(
    ("status", "succeeded", "gone"),
    [(200, True, False), (204, True, False), (299, True, False), (302, False, False), (410, False, True)]
    + [(status, False, False) for status in (199, 300, 400, 404, 429, 500, 503, None)],
)
def test_only_2xx_is_success(status: int | None, succeeded: bool, gone: bool) -> None:
    attempt = Attempt(1, 0, 0, status)
    assert (attempt.succeeded, attempt.gone) == (succeeded, gone)


def test_a_double_is_noted_and_changes_nothing_but_by_success() -> None:
    once = NEW.after(failed(1), 99)
    twice = once.after(failed(1), 77)
    assert (twice.state, twice.tries, twice.due_at_ms) == (DeliveryState.PENDING, 1, 99)
    assert len(twice.attempts) == 2
    arrived = twice.after(Attempt(1, 7, 8, 200), None)
    assert (arrived.state, arrived.due_at_ms) == (DeliveryState.DELIVERED, None)
    assert not arrived.awaits(2)
    assert arrived.after(failed(2), 5).state is DeliveryState.DELIVERED


def test_a_try_ahead_of_its_time_is_made() -> None:
    """Its predecessor's record was lost after the next text had been put into the queue."""
    ahead = NEW.after(failed(2), 99)
    assert (ahead.tries, ahead.awaits(1), ahead.awaits(2), ahead.awaits(3)) == (2, False, False, True)


def test_what_is_held_or_failed_can_begin_again() -> None:
    for ended in (NEW.held(), NEW.after(failed(1), None), NEW.after(Attempt(1, 0, 0, 200), None)):
        again = ended.again(50)
        assert again.state is DeliveryState.PENDING
        assert again.awaits(again.tries + 1)
        assert again.step(again.tries + 1) == 1
    assert NEW.after(Attempt(1, 0, 0, 200), None).held().state is DeliveryState.DELIVERED


attempts = st.builds(
    Attempt,
    number=st.integers(1, 99),
    at_ms=st.integers(0, 2**45),
    latency_ms=st.integers(0, 10**5),
    status=st.none() | st.integers(200, 599),
    reason=st.none() | st.text(),
)
deliveries = st.builds(
    Delivery,
    event=st.sampled_from(["message.received", "webhook.test"]),
    at_ms=st.integers(0, 2**45),
    state=st.sampled_from(DeliveryState),
    message_id=st.none() | st.binary(min_size=16, max_size=16).map(bytes.hex),
    size=st.none() | st.sampled_from(SizeClass),
    tries=st.integers(0, 99),
    earlier=st.integers(0, 99),
    due_at_ms=st.none() | st.integers(0, 2**45),
    replayed_at_ms=st.none() | st.integers(0, 2**45),
    attempts=st.lists(attempts, max_size=5).map(tuple),
)


@given(deliveries)
def test_text_and_back(delivery: Delivery) -> None:
    assert Delivery.from_bytes(delivery.to_bytes()) == delivery


class Rounds(RuleBasedStateMachine):
    """Texts come late, twice, out of order and ahead; somebody pauses and replays in between."""

    def __init__(self) -> None:
        super().__init__()
        self.delivery = NEW
        self.texts = [1]
        self.arrived = False
        self.in_round = 0
        self.chance = SeededChance()

    @rule(data=st.data(), succeeds=st.booleans(), killed=st.booleans())
    def work_a_text(self, data: st.DataObject, succeeds: bool, killed: bool) -> None:
        number = data.draw(st.sampled_from(self.texts))
        if not self.delivery.awaits(number):
            return
        attempt = Attempt(number, 0, 0, 200 if succeeds else 500)
        delay_s = None if succeeds else next_delay_s(self.delivery.step(number), None, self.chance)
        if delay_s is not None:
            self.texts.append(number + 1)
        if killed:
            return
        self.delivery = self.delivery.after(attempt, delay_s)
        self.in_round += 1
        self.arrived |= succeeds

    @rule()
    def hold(self) -> None:
        self.delivery = self.delivery.held()

    @rule()
    def replay(self) -> None:
        self.delivery = self.delivery.again(1)
        self.texts.append(self.delivery.tries + 1)
        self.in_round, self.arrived = 0, False

    @invariant()
    def what_is_pending_has_a_text(self) -> None:
        """Nothing is lost: as long as a delivery is pending, some text will still be taken for it."""
        if self.delivery.state is DeliveryState.PENDING:
            assert any(self.delivery.awaits(number) for number in self.texts)
            assert self.delivery.due_at_ms is not None

    @invariant()
    def what_is_settled_takes_no_text(self) -> None:
        if self.delivery.state is not DeliveryState.PENDING:
            assert not any(self.delivery.awaits(number) for number in self.texts)
            assert self.delivery.due_at_ms is None

    @invariant()
    def a_round_has_an_end(self) -> None:
        assert self.in_round <= TRIES
        assert len(self.delivery.attempts) <= MOST_ATTEMPTS

    @invariant()
    def success_is_what_was_seen(self) -> None:
        if self.delivery.state is DeliveryState.DELIVERED:
            assert self.arrived


TestRounds = Rounds.TestCase


def test_attempts_are_bounded_by_the_latest() -> None:
    delivery = NEW
    for number in range(1, MOST_ATTEMPTS + 5):
        delivery = delivery.after(failed(number), 1)
    assert [attempt.number for attempt in delivery.attempts] == list(range(5, MOST_ATTEMPTS + 5))
    assert replace(delivery, replayed_at_ms=1_800_000_000_000).last_ms == 1_800_000_000_000
