"""The worker beyond the stories: batches, stale texts, poison, an owner who cannot be told."""

from __future__ import annotations

import threading
import time

import pytest

from chalicelib.fetching.failures import FetchFailed, FetchReason
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Answer
from chalicelib.notify.preferences import EndpointState
from chalicelib.notify.webhooks import sending
from chalicelib.notify.webhooks.due_tries import DueTry
from chalicelib.notify.webhooks.patience import WASTED_S_PER_MINUTE
from chalicelib.protocol.errors import Unavailable
from chalicelib.store.memory import Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.webhooks.receiver import (
    HANG,
    Reply,
    ids,
    in_the_time_of,
    one_after_the_other,
    receiving,
)
from tests.unit.notify.webhooks.street import Street

DAY_MS = 86_400_000


def kept(street: Street) -> int:
    """How many entries all logs have together."""
    return sum(map(len, street.store.deliveries._rows.values()))


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street()
    in_the_time_of(street.clock, monkeypatch)
    return street


def test_a_slow_endpoint_holds_up_no_other_of_its_batch(
    street: Street, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "DEADLINE_S", 0.5)
    with receiving(street.clock) as quick, receiving(street.clock, one_after_the_other(HANG)) as slow:
        first, second = street.add(slow.url), street.add(quick.url)
        street.receive()
        street.step()
        # The event has become one text for each endpoint; more of them come in the same batch.
        texts = [street.queues.waiting[number][2] for number in range(2)]
        begun_s = time.monotonic()
        assert street.worker.handle(sqs_event(*texts)) == {"batchItemFailures": []}
        assert time.monotonic() - begun_s < 2
        assert len(quick.events()) == len(slow.events()) == 1
        assert street.log(second["id"])[0]["state"] == "delivered"
        assert street.log(first["id"])[0]["state"] == "pending"


def test_a_batch_is_worked_side_by_side(street: Street) -> None:
    together = threading.Barrier(5, timeout=5)

    class Meeting:
        def fetch(self, url: str, **_: object) -> Answer:
            together.wait()
            return Answer(200, {}, b"")

    street.worker._sender._fetcher = Meeting()
    with receiving(street.clock) as receiver:
        added = street.add(receiver.url)
    events = [street.event(number).to_text() for number in range(5)]
    assert street.worker.handle(sqs_event(*events)) == {"batchItemFailures": []}
    assert {entry["state"] for entry in street.log(added["id"])} == {"delivered"}


def test_poison_fails_alone_and_comes_to_its_dead_letters(street: Street) -> None:
    with receiving(street.clock) as receiver:
        street.add(receiver.url)
        texts = ["", "{}", "[]", '{"type":"webhook.try"}', street.event().to_text(), '{"type":"other"}']
        answer = street.worker.handle(sqs_event(*texts))
        assert [failure["itemIdentifier"] for failure in answer["batchItemFailures"]] == [
            "m0",
            "m1",
            "m2",
            "m3",
            "m5",
        ]
        assert len(receiver.events()) == 1
    assert street.counted["NotificationFailed webhooks"] == 5


def test_an_event_that_comes_twice_is_sent_once(street: Street) -> None:
    with receiving(street.clock) as receiver:
        added = street.add(receiver.url)
        event = street.event()
        street.receive(event, event)
        street.run()
        assert len(receiver.events()) == len(street.log(added["id"])) == 1


def test_texts_that_are_stale_are_dropped(street: Street) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500), Reply(200))) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.step()
        text = street.queues.waiting[0][2]
        for _ in range(3):
            street.queues.lay(text, 5)
        street.run()
        assert len(receiver.events()) == 2
        assert street.log(added["id"])[0]["tries"] == 2


def test_an_account_without_webhooks_costs_one_read(street: Street) -> None:
    street.receive()
    street.run()
    assert street.store.deliveries._rows == {}
    due = DueTry(street.account.inbox, "unknown", b"e" * 24, 1)
    assert street.worker.handle(sqs_event(due.to_text())) == {"batchItemFailures": []}


def test_two_workers_at_once_make_a_double_that_is_known_by_its_id(street: Street) -> None:
    """Both take the same text; the log gets both attempts, and one next try."""
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        text = street.event().to_text()
        meet = threading.Barrier(2, timeout=5)
        inner = street.worker._sender._fetcher

        class Meeting:
            def fetch(self, url: str, **options: object) -> Answer:
                meet.wait()
                return inner.fetch(url, **options)  # type: ignore[arg-type]

        street.worker._sender._fetcher = Meeting()
        assert street.worker.handle(sqs_event(text, text)) == {"batchItemFailures": []}
        (entry,) = street.log(added["id"])
        assert [attempt["try"] for attempt in entry["attempts"]] == [1, 1]
        assert (entry["state"], entry["tries"]) == ("pending", 1)
        assert len(receiver.events()) == 2
        assert ids(receiver.events()) == {entry["id"]}
        street.worker._sender._fetcher = inner
        receiver.behaviour = one_after_the_other(Reply(204))
        street.run()
        assert len(receiver.events()) == 3


def test_a_busy_process_costs_the_endpoint_nothing(street: Street) -> None:
    class Busy:
        def fetch(self, url: str, **_: object) -> Answer:
            raise FetchFailed("busy", reason=FetchReason.BUSY)

    with receiving(street.clock) as receiver:
        added = street.add(receiver.url)
        inner, street.worker._sender._fetcher = street.worker._sender._fetcher, Busy()
        answer = street.worker.handle(sqs_event(street.event().to_text()))
        assert len(answer["batchItemFailures"]) == 1
        assert street.log(added["id"])[0]["attempts"] == []
        assert street.endpoint(added["id"]).failing_since_ms is None
        street.worker._sender._fetcher = inner
        street.receive(street.event())
        street.run()
        assert len(receiver.events()) == 1


def test_an_owner_who_cannot_be_told_is_told_later(street: Street) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.run(street.clock.at_ms + 60 * 3_600_000)
        street.telling_fails = Unavailable()
        while street.endpoint(added["id"]).state is EndpointState.ACTIVE:
            answer = street.step()
        assert len(answer["batchItemFailures"]) == 1
        assert street.told == []
        assert street.endpoint(added["id"]).owner_untold
        street.telling_fails = None
        # The record comes again: its try is stale, what was left undone is done.
        street.queues.lay(DueTry(street.account.inbox, added["id"], b"e" * 24, 10).to_text(), 0)
        street.run()
        assert street.told == [added["id"]]
        assert len(receiver.events()) == 10


def test_a_success_in_between_begins_the_three_days_anew(street: Street) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        street.receive(street.event(1))
        street.run(street.clock.at_ms + 2 * DAY_MS)
        receiver.behaviour = one_after_the_other(Reply(200))
        street.receive(street.event(2))
        street.run(street.clock.at_ms)
        assert street.endpoint(added["id"]).failing_since_ms is None
        receiver.behaviour = one_after_the_other(Reply(500))
        street.run()
        assert [entry["state"] for entry in street.log(added["id"])] == ["delivered", "failed"]
        assert street.endpoint(added["id"]).state is EndpointState.ACTIVE
        assert street.told == []


def test_a_link_that_has_become_private_is_logged_as_unsafe(street: Street) -> None:
    """The name was moved to a private address after the challenge."""
    with receiving(street.clock) as receiver:
        added = street.add(receiver.url)
        street.worker._sender._fetcher = GuardedFetcher()
        street.receive()
        street.step()
        (entry,) = street.log(added["id"])
        assert [(attempt["status"], attempt["reason"]) for attempt in entry["attempts"]] == [(None, "unsafe")]
        assert receiver.events() == []


def test_what_is_counted_names_nobody(street: Street) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500), Reply(204), Reply(410))) as receiver:
        street.add(receiver.url)
        for number in range(2):
            street.receive(street.event(number))
            street.run()
    assert street.counted == {
        "WebhookTried 5xx": 1,
        "WebhookTried 2xx": 1,
        "WebhookTried 4xx": 1,
        "WebhookGone": 1,
        "WebhookExhausted": 1,
    }


def test_what_a_delivered_event_costs(street: Street) -> None:
    with receiving(street.clock) as receiver:
        street.add(receiver.url)
        calls: list[str] = []
        street.faults(lambda operation, moment: calls.append(operation) if moment is Moment.BEFORE else None)
        street.receive()
        street.run()
    assert calls == [
        "preferences.get",
        "deliveries.get",
        "deliveries.put",
        "counters.read",
        "deliveries.put",
        "preferences.get",
    ]


def test_one_that_is_removed_while_its_owner_is_told(street: Street, monkeypatch: pytest.MonkeyPatch) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.run(street.clock.at_ms + 60 * 3_600_000)

        def remove(_owner: bytes, endpoint_id: str) -> None:
            street.desk.remove(street.account, endpoint_id)

        monkeypatch.setattr(street.worker, "_tell_owner", remove)
        street.run()
        assert street.desk.list(street.account) == ()
        assert added["id"] not in street.told
        assert not any(street.store.deliveries._rows.values())
    assert street.counted["NotificationFailed webhooks"] == 0


@pytest.mark.parametrize("state", ["active", "paused"])
@pytest.mark.parametrize("endpoints", [1, 2])
def test_what_is_written_while_the_account_leaves_is_not_left_behind(
    street: Street, state: str, endpoints: int
) -> None:
    with receiving(street.clock) as receiver:
        for number in range(endpoints):
            added = street.add(f"{receiver.url}?{number}")
            if state == "paused":
                street.desk.pause(street.account, added["id"])
        left: list[str] = []

        def leave(operation: str, moment: Moment) -> None:
            # After the worker has read the preferences, before it writes.
            if operation == "deliveries.put" and moment is Moment.BEFORE and not left:
                left.append(operation)
                street.desk.forget(street.account)
                street.book.delete(street.account.inbox)

        street.receive()
        street.faults(leave)
        street.run()
        assert left
        assert kept(street) == 0


def test_servers_that_fail_take_only_so_much_of_the_workers_time(street: Street) -> None:
    """Ten endpoints that hang, and a thousand messages, would else keep the workers from everybody."""
    with receiving(street.clock) as receiver:
        added = street.add(receiver.url)
    status = 500
    asked: list[int] = []

    class Down:
        def fetch(self, url: str, **_: object) -> Answer:
            asked.append(street.clock.at_ms)
            return Answer(status, {}, b"")

    street.worker._sender._fetcher = Down()
    begun_ms = street.clock.at_ms = street.clock.at_ms // 60_000 * 60_000
    street.receive(*map(street.event, range(400)))
    street.run(begun_ms + 59_999)
    assert 280 <= len(asked) <= WASTED_S_PER_MINUTE
    assert street.counted["WebhookPutOff"] >= 100
    untried = [entry for entry in street.log(added["id"]) if entry["tries"] == 0]
    assert len(untried) >= 100
    assert all(entry["nextTryAt"] >= begun_ms + 60_000 for entry in untried)
    status = 200
    street.run()
    assert {entry["state"] for entry in street.log(added["id"])} == {"delivered"}
    assert {entry["tries"] for entry in street.log(added["id"])} <= {1, 2, 3}
    assert street.dead == []
