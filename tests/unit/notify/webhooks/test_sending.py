from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest

from chalicelib.fetching.failures import AnswerTooLong, FetchFailed, FetchReason
from chalicelib.fetching.ports import Answer
from chalicelib.notify.preferences import Endpoint, EndpointState, Secret
from chalicelib.notify.webhooks.sending import DEADLINE_S, MAX_ANSWER_BYTES, Sender
from chalicelib.protocol.errors import TooBig, Unavailable, UnsafeLink
from tests.unit.relay.ports import HandClock

ENDPOINT = Endpoint("id", "https://a.example/hook", EndpointState.ACTIVE, (Secret("whsec_AAAA", 1),), 1)


@dataclass
class OneFetch:
    """Implements `Fetcher`: gives or raises `outcome`, 70 ms later."""

    clock: HandClock
    outcome: Answer | Exception
    asked: dict[str, Any] | None = None

    def fetch(self, url: str, **options: Any) -> Answer:  # noqa: ANN401 - as the caller likes
        self.asked = {"url": url, **options}
        self.clock.pass_s(0.07)
        if isinstance(self.outcome, Exception):
            raise self.outcome
        return self.outcome


def send(outcome: Answer | Exception) -> tuple[Any, OneFetch]:
    clock = HandClock()
    fetcher = OneFetch(clock, outcome)
    return Sender(fetcher, clock).send(ENDPOINT, "msg_1", "{}", number=4), fetcher


def test_a_request_is_a_signed_post_within_bounds() -> None:
    outcome, fetcher = send(Answer(200, {}, b"thanks"))
    assert fetcher.asked is not None
    headers = fetcher.asked.pop("headers")
    assert fetcher.asked == {
        "url": ENDPOINT.url,
        "method": "POST",
        "body": b"{}",
        "max_bytes": MAX_ANSWER_BYTES,
        "deadline_s": DEADLINE_S,
    }
    assert (MAX_ANSWER_BYTES, DEADLINE_S) == (1_024, 10.0)
    assert set(headers) == {
        "content-type",
        "user-agent",
        "webhook-id",
        "webhook-timestamp",
        "webhook-signature",
    }
    attempt = outcome.attempt
    assert (attempt.number, attempt.at_ms, attempt.latency_ms) == (4, HandClock().at_ms, 70)
    assert (attempt.status, attempt.reason, outcome.body) == (200, None, b"thanks")


@pytest.mark.parametrize(
    ("outcome", "status", "reason"),
    [
        (Answer(500, {}, b""), 500, None),
        (AnswerTooLong(Answer(200, {}, b"x" * 1_024)), 200, None),
        (FetchFailed("s", reason=FetchReason.REDIRECTED, answered_status=301), 301, "redirected"),
        (FetchFailed("s", reason=FetchReason.UNREADABLE, answered_status=200), 200, "unreadable"),
        (UnsafeLink("s"), None, "unsafe"),
        (TooBig("s"), None, "too_long"),
    ]
    + [
        (FetchFailed("s", reason=reason), None, str(reason))
        for reason in FetchReason
        if reason is not FetchReason.BUSY
    ],
)
def test_every_end_is_told_apart(outcome: Answer | Exception, status: int | None, reason: str | None) -> None:
    attempt = send(outcome)[0].attempt
    assert (attempt.status, attempt.reason) == (status, reason)
    assert attempt.succeeded is (status == 200)


def test_what_is_asked_for_is_read_from_long_answers_too() -> None:
    assert send(AnswerTooLong(Answer(503, {"retry-after": "9"}, b"")))[0].retry_after_s == 9


def test_a_busy_process_is_nobody_elses_failure() -> None:
    with pytest.raises(Unavailable):
        send(FetchFailed("s", reason=FetchReason.BUSY))
