"""Four receivers, and what the log of each tells, on a clock that is moved forward (issue 4)."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime
from itertools import pairwise
from typing import Any

import pytest

from chalicelib.notify.preferences import EndpointState
from chalicelib.notify.webhooks import sending
from chalicelib.notify.webhooks.tries import DELAYS_S
from tests.unit.notify.webhooks.receiver import (
    HANG,
    Reply,
    ids,
    in_the_time_of,
    one_after_the_other,
    receiving,
)
from tests.unit.notify.webhooks.street import Street

Say = Callable[[str], None]
HOUR_MS = 3_600_000


@pytest.fixture
def say(capsys: pytest.CaptureFixture[str]) -> Say:
    """Print past pytest: the logs are to be read."""

    def printed(text: str) -> None:
        with capsys.disabled():
            print(text)  # noqa: T201

    return printed


@pytest.fixture
def street(monkeypatch: pytest.MonkeyPatch) -> Street:
    street = Street()
    in_the_time_of(street.clock, monkeypatch)
    return street


def tell(say: Say, title: str, street: Street, endpoint_id: str) -> None:
    """Print the whole log of an endpoint."""
    endpoint = street.endpoint(endpoint_id)
    say(f"\n{title}: the endpoint is {endpoint.state}, its owner was told {len(street.told)} times")
    for entry in street.log(endpoint_id):
        say(f"  {entry['id']} {entry['type']} {entry['size']}: {entry['state']}")
        for attempt in entry["attempts"]:
            at = datetime.fromtimestamp(attempt["at"] / 1_000, UTC).strftime("%m-%d %H:%M:%S")
            hours = (attempt["at"] - entry["at"]) / HOUR_MS
            what = " ".join(str(part) for part in (attempt["status"], attempt["reason"]) if part is not None)
            say(f"    try {attempt['try']:2} {at} (+{hours:6.3f} h) {attempt['latency']:6} ms  {what}")


def pauses_s(entry: dict[str, Any]) -> list[float]:
    """The pauses between the ends and beginnings of attempts."""
    attempts = entry["attempts"]
    return [
        (later["at"] - earlier["at"] - earlier["latency"]) / 1_000 for earlier, later in pairwise(attempts)
    ]


def as_scheduled(pauses: list[float]) -> bool:
    return all(
        planned <= pause <= planned * 1.05 + 1 for planned, pause in zip(DELAYS_S[1:], pauses, strict=False)
    )


def test_one_that_answers_500_for_a_while_and_then_200(street: Street, say: Say) -> None:
    behaviour = one_after_the_other(*[Reply(500, {}, b"oh no" * 1_000)] * 5, Reply(200, {}, b"<p>" * 2_000))
    with receiving(street.clock, behaviour) as receiver:
        added = street.add(receiver.url)
        event = street.event()
        street.receive(event)
        street.run()
        tell(say, "500 for a while, then 200", street, added["id"])
        (entry,) = street.log(added["id"])
        assert [attempt["status"] for attempt in entry["attempts"]] == [500] * 5 + [200]
        assert [attempt["try"] for attempt in entry["attempts"]] == [1, 2, 3, 4, 5, 6]
        assert {attempt["latency"] for attempt in entry["attempts"]} == {40}
        assert (entry["state"], entry["tries"], entry["nextTryAt"]) == ("delivered", 6, None)
        assert as_scheduled(pauses_s(entry))
        assert len(pauses_s(entry)) == 5
        assert ids(receiver.events()) == {entry["id"]}
    # Each verifies at the time it was sent, and says no more than it may.
    for heard in receiver.events():
        street.clock.at_ms = heard.at_ms
        told = heard.verified_by(added["secret"])
        assert told["type"] == "message.received"
        assert told["data"] == {
            "endpoint": added["id"],
            "messageId": event.message_id,
            "receivedAt": event.key.stored_at_ms,
            "size": "small",
        }
    assert street.endpoint(added["id"]).failing_since_ms is None
    assert (street.told, street.dead) == ([], [])
    assert street.counted["WebhookTried 5xx"] == 5


def test_one_that_hangs(street: Street, say: Say, monkeypatch: pytest.MonkeyPatch) -> None:
    # What takes 10 seconds of the clock takes a twentieth of one here.
    monkeypatch.setattr(sending, "DEADLINE_S", 0.05)
    with receiving(street.clock, one_after_the_other(HANG)) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.run()
        tell(say, "One that hangs", street, added["id"])
        (entry,) = street.log(added["id"])
        assert [(attempt["status"], attempt["reason"]) for attempt in entry["attempts"]] == [
            (None, "timed_out")
        ] * 10
        assert {attempt["latency"] for attempt in entry["attempts"]} == {10_000}
        assert (entry["state"], entry["nextTryAt"]) == ("failed", None)
        assert as_scheduled(pauses_s(entry))
        took_h = (entry["attempts"][-1]["at"] - entry["at"]) / HOUR_MS
        assert 75 <= took_h <= 80
        assert len(receiver.events()) == 10
    assert street.endpoint(added["id"]).state is EndpointState.PAUSED
    assert street.told == [added["id"]]
    assert street.counted["WebhookPaused"] == 1


def test_one_that_hears_of_much_and_fails_is_not_paused_before_its_first_event_has_had_all_its_tries(
    street: Street, say: Say
) -> None:
    with receiving(street.clock, one_after_the_other(Reply(500))) as receiver:
        added = street.add(receiver.url)
        for number in range(16):
            street.receive(street.event(number))
            next_ms = street.clock.at_ms + 6 * HOUR_MS
            street.run(next_ms)
            street.clock.at_ms = next_ms
        street.run()
        tell(say, "One that fails and hears of something every six hours", street, added["id"])
        *later, first = street.log(added["id"])
    assert (first["state"], len(first["attempts"])) == ("failed", 10)
    assert {entry["state"] for entry in later} == {"held"}
    assert max(len(entry["attempts"]) for entry in later) < 10
    assert street.endpoint(added["id"]).state is EndpointState.PAUSED
    assert street.told == [added["id"]]


def test_one_that_redirects_to_a_private_address(street: Street, say: Say) -> None:
    with receiving(street.clock) as private:
        redirect = Reply(302, {"location": private.url, "retry-after": "0"})
        with receiving(street.clock, one_after_the_other(redirect)) as receiver:
            added = street.add(receiver.url)
            street.receive()
            street.run()
            tell(say, "One that redirects to a private address", street, added["id"])
            (entry,) = street.log(added["id"])
            assert [(attempt["status"], attempt["reason"]) for attempt in entry["attempts"]] == [
                (302, "redirected")
            ] * 10
            assert entry["state"] == "failed"
            assert as_scheduled(pauses_s(entry))
        assert private.heard == []
    assert street.endpoint(added["id"]).state is EndpointState.PAUSED
    assert street.told == [added["id"]]


def test_one_that_is_gone(street: Street, say: Say) -> None:
    with receiving(street.clock, one_after_the_other(Reply(204), Reply(410))) as receiver:
        added = street.add(receiver.url)
        for number in (1, 2, 3):
            street.receive(street.event(number))
            street.clock.pass_s(60)
        street.run()
        tell(say, "One gone with 410", street, added["id"])
        second, first = street.log(added["id"])
        assert [attempt["status"] for attempt in first["attempts"]] == [204]
        assert (first["state"], second["state"]) == ("delivered", "failed")
        assert [attempt["status"] for attempt in second["attempts"]] == [410]
        assert len(receiver.events()) == 2
    assert street.endpoint(added["id"]).state is EndpointState.GONE
    assert street.queues.waiting == []
    assert street.counted["WebhookGone"] == 1


def test_retry_after_is_obeyed_in_seconds_and_as_a_date(street: Street, say: Say) -> None:
    def busy(after: str) -> Reply:
        return Reply(503, {"retry-after": after, "date": "Tue, 14 Nov 2023 00:00:00 GMT"})

    replies = (busy("600"), busy("Tue, 14 Nov 2023 02:00:00 GMT"), busy("99999999"), busy("1"), Reply(200))
    with receiving(street.clock, one_after_the_other(*replies)) as receiver:
        added = street.add(receiver.url)
        street.receive()
        street.run()
        tell(say, "One that asks to be left alone for a while", street, added["id"])
        (entry,) = street.log(added["id"])
    first, second, third, fourth = pauses_s(entry)
    assert (first, second, third) == (600, 7_200, 86_400)
    assert 7_200 <= fourth <= 7_560
    assert entry["state"] == "delivered"
