"""A worker may die around every call of store and queue: no event is lost, and doubles are known by id."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import pytest

from chalicelib.notify.preferences import EndpointState
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.webhooks.receiver import (
    Heard,
    Reply,
    echo,
    ids,
    in_the_time_of,
    one_after_the_other,
    receiving,
)
from tests.unit.notify.webhooks.street import Killed, Street

SEVERAL_DAYS_MS = 5 * 86_400_000


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Callable[[str], None]:
    """Print past pytest: what was shown is to be read."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(text)  # noqa: T201

    return printed


def street_at(monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street()
    in_the_time_of(street.clock, monkeypatch)
    return street


def delivered_in_spite_of(monkeypatch: pytest.MonkeyPatch, call: int, endpoints: int) -> tuple[bool, int]:
    """One event, two refusals and a success, with one kill; whether it struck, and how many doubles."""
    street = street_at(monkeypatch)
    behaviours = [one_after_the_other(Reply(500), Reply(500), Reply(200)) for _ in range(endpoints)]
    with receiving(street.clock, behaviours[0]) as one, receiving(street.clock, behaviours[-1]) as two:
        receivers = [one, two][:endpoints]
        added = [street.add(receiver.url) for receiver in receivers]
        event = street.event()
        struck = street.kill_at(call)
        street.receive(event)
        street.run()
        street.faults(None)
        doubles = 0
        for receiver, endpoint in zip(receivers, added, strict=True):
            (entry,) = street.log(endpoint["id"])
            assert entry["state"] == "delivered", (call, entry)
            # Whatever was done twice, it was recognisable, and the success arrived.
            assert ids(receiver.events()) == {entry["id"]}
            assert len(receiver.events()) >= 3
            doubles += len(receiver.events()) - 3
            assert street.endpoint(endpoint["id"]).failing_since_ms is None
        assert (street.dead, street.queues.waiting) == ([], [])
        return struck(), doubles


@pytest.mark.parametrize("endpoints", [1, 2])
def test_a_kill_around_any_call_loses_nothing(
    monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None], endpoints: int
) -> None:
    call, doubles = 1, []
    while True:
        struck, more = delivered_in_spite_of(monkeypatch, call, endpoints)
        if not struck:
            break
        doubles.append(more)
        call += 1
    assert call > 20 * endpoints
    assert 0 < sum(doubles) < call
    # A request is doubled only when the kill comes between the answer and the log. At the third try the
    # server says yes for ever, so one kill can double one request at most.
    assert max(doubles) == 1
    say(f"\n{endpoints} endpoint(s): {call - 1} kills, {sum(doubles)} doubles, nothing lost")


def test_a_kill_while_an_endpoint_is_paused_keeps_its_owner_informed(
    monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    call, told = 1, []
    while True:
        street = street_at(monkeypatch)
        with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
            added = street.add(receiver.url)
            street.receive()
            # Nine tries have failed; the tenth is the one after three days.
            street.run(street.clock.at_ms + 60 * 3_600_000)
            assert len(receiver.events()) == 9
            struck = street.kill_at(call)
            street.run()
            street.faults(None)
        assert street.endpoint(added["id"]).state is EndpointState.PAUSED
        assert not street.endpoint(added["id"]).owner_untold
        (entry,) = street.log(added["id"])
        assert entry["state"] in {"failed", "held"}
        told.append(len(street.told))
        if not struck():
            break
        call += 1
    assert call > 10
    assert set(told) == {1, 2}
    say(f"\n{call - 1} kills around the pause: owners told {told.count(1)} times once, {told.count(2)} twice")


def test_a_kill_around_a_410_is_no_reason_to_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    call = 1
    while True:
        street = street_at(monkeypatch)
        with receiving(street.clock, one_after_the_other(Reply(410))) as receiver:
            added = street.add(receiver.url)
            struck = street.kill_at(call)
            street.receive()
            street.run()
            street.faults(None)
            assert street.endpoint(added["id"]).state is EndpointState.GONE
            (entry,) = street.log(added["id"])
            assert entry["state"] in {"failed", "held"}
            assert len(receiver.events()) <= 2
        if not struck():
            break
        call += 1
    assert call > 5


@pytest.mark.parametrize("moment", list(Moment))
def test_a_store_that_is_away_for_a_while_costs_doubles_at_most(
    monkeypatch: pytest.MonkeyPatch, moment: Moment
) -> None:
    street = street_at(monkeypatch)
    random, ends_ms = Random(3), street.clock.at_ms + 200_000  # noqa: S311 - repeatable on purpose

    def away(_operation: str, at: Moment) -> None:
        if at is moment and street.clock.at_ms < ends_ms and random.random() < 0.5:
            raise Unavailable

    with receiving(street.clock, one_after_the_other(Reply(500), Reply(200))) as receiver:
        added = street.add(receiver.url)
        street.receive(*(street.event(number) for number in range(20)))
        street.faults(away)
        street.run()
        street.faults(None)
        log = street.log(added["id"])
        assert {entry["state"] for entry in log} == {"delivered"}
        assert ids(receiver.events()) == {entry["id"] for entry in log}
        assert len(log) == 20
    assert street.dead == []


def test_a_thousand_messages_and_workers_that_die_at_random(
    monkeypatch: pytest.MonkeyPatch, say: Callable[[str], None]
) -> None:
    """Batches of ten, worked side by side; a kill takes the whole batch with it."""
    street = street_at(monkeypatch)
    random = Random(11)  # noqa: S311 - repeatable on purpose

    def kills(_operation: str, _moment: Moment) -> None:
        if random.random() < 0.003:
            raise Killed

    def flaky(heard: Heard) -> Reply:
        if heard.json["type"] == "webhook.challenge":
            return echo(heard)
        return Reply(204 if random.random() < 0.8 else 500)

    with receiving(street.clock, flaky) as one, receiving(street.clock, flaky) as two:
        added = [street.add(receiver.url) for receiver in (one, two)]
        street.faults(kills)
        events = [street.event(number) for number in range(1_000)]
        street.receive(*events)
        street.run(batch=10)
        redriven = 0
        while street.dead:
            # As an operator does with a dead-letter queue.
            redriven += street.redrive()
            street.run(batch=10)
        street.faults(None)
        doubles = 0
        for receiver, endpoint in zip((one, two), added, strict=True):
            log = street.log(endpoint["id"])
            assert {entry["state"] for entry in log} == {"delivered"}
            assert ids(receiver.events()) == {entry["id"] for entry in log}
            assert {heard.json["data"]["messageId"] for heard in receiver.events()} == {
                event.message_id for event in events
            }
            doubles += len(receiver.events()) - sum(entry["tries"] for entry in log)
        assert street.kills > 50
    say(
        f"\n1000 messages to 2 endpoints, {street.kills} kills, {redriven} redriven: "
        f"{doubles} doubles, none lost"
    )
