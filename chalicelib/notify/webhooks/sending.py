"""One signed request to an endpoint, and what is remembered of how it went."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from chalicelib.fetching.failures import AnswerTooLong, FetchFailed, FetchReason
from chalicelib.fetching.ports import Answer, Fetcher
from chalicelib.notify.preferences import Endpoint
from chalicelib.notify.webhooks.deliveries import Attempt
from chalicelib.notify.webhooks.endpoints import valid_secrets
from chalicelib.notify.webhooks.retry_after import retry_after_s
from chalicelib.notify.webhooks.signing import signed_headers
from chalicelib.protocol.errors import TooBig, UnsafeLink
from chalicelib.relay.ports import Clock

DEADLINE_S: Final = 10.0
MAX_ANSWER_BYTES: Final = 1_024
UNSAFE: Final = "unsafe"
TOO_LONG: Final = "too_long"

_HEADERS: Final = {"content-type": "application/json", "user-agent": "dm3-relay-webhooks"}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What came of one request: the attempt for the log, the beginning of the body, seconds to wait.

    `unsafe` is set if nothing was sent because of where the link leads.
    """

    attempt: Attempt
    body: bytes = b""
    retry_after_s: int | None = None
    unsafe: UnsafeLink | None = None


class Sender:
    """Sends webhooks through the guarded fetcher."""

    def __init__(self, fetcher: Fetcher, clock: Clock) -> None:
        self._fetcher = fetcher
        self._clock = clock

    def send(self, endpoint: Endpoint, webhook_id: str, body: str, *, number: int = 1) -> Outcome:
        """Post `body` to the endpoint, as try `number`. Takes at most `DEADLINE_S` seconds.

        Raises Unavailable if this process is too busy: that says nothing about the endpoint.
        """
        begun_ms = self._clock.now_ms()
        headers = signed_headers(valid_secrets(endpoint, begun_ms), webhook_id, begun_ms, body)
        answer: Answer | None = None
        unsafe: UnsafeLink | None = None
        status: int | None = None
        reason: str | None = None
        try:
            answer = self._fetcher.fetch(
                endpoint.url,
                method="POST",
                headers={**_HEADERS, **headers},
                body=body.encode(),
                max_bytes=MAX_ANSWER_BYTES,
                deadline_s=DEADLINE_S,
            )
        except AnswerTooLong as error:
            answer = error.answer
        except FetchFailed as error:
            if error.reason is FetchReason.BUSY:
                raise
            status, reason = error.answered_status, str(error.reason)
        except UnsafeLink as error:
            unsafe, reason = error, UNSAFE
        except TooBig:
            reason = TOO_LONG
        if answer is not None:
            status = answer.status
        ended_ms = self._clock.now_ms()
        attempt = Attempt(number, begun_ms, max(ended_ms - begun_ms, 0), status, reason)
        wait_s = None if answer is None else retry_after_s(answer.headers, ended_ms)
        return Outcome(attempt, b"" if answer is None else answer.body, wait_s, unsafe)
