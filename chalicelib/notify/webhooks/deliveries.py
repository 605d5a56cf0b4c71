"""One event on its way to one endpoint: what has been tried, what came of it, what is next.

A delivery is an entry of the endpoint's log, and the truth about it: a text in a queue only says when to
look. Tries are numbered through, replays included, so a text that comes late or twice is known by its number.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, replace
from enum import StrEnum
from typing import Final

from chalicelib.notify.events import MESSAGE_RECEIVED, MessageReceived, SizeClass

TEST: Final = "webhook.test"
MOST_ATTEMPTS: Final = 20
"""So many attempts are kept, the latest: two full rounds."""


class DeliveryState(StrEnum):
    """Where a delivery stands."""

    PENDING = "pending"
    DELIVERED = "delivered"
    FAILED = "failed"
    """No further try is made by itself."""
    HELD = "held"
    """The endpoint was paused when its time came. As a failed one, it can be replayed."""


@dataclass(frozen=True, slots=True)
class Attempt:
    """One request, made at `at_ms`: the `status` of the answer, or a word for why there was none.

    The words of `reason` are those of `fetching.failures.FetchReason`, "unsafe" (the link leads where nothing
    is sent) and "too_long" (a head without end); one can stand beside a status, as for a redirect.
    """

    number: int
    at_ms: int
    latency_ms: int
    status: int | None = None
    reason: str | None = None

    @property
    def succeeded(self) -> bool:
        """Only a status of 2xx is success."""
        return self.status is not None and 200 <= self.status < 300

    @property
    def gone(self) -> bool:
        """The endpoint says that it wants no more (410)."""
        return self.status == 410


@dataclass(frozen=True, slots=True)
class Delivery:
    """An entry of the log.

    `at_ms` is when the event happened; `message_id` (hex) and `size` are of the message, if it is about one.
    `tries` is the number of the last try that was settled, `earlier` how many of them belong to rounds before
    the last replay. `due_at_ms` is when the next one is to be made, as long as it is pending.
    """

    event: str
    at_ms: int
    state: DeliveryState
    message_id: str | None = None
    size: SizeClass | None = None
    tries: int = 0
    earlier: int = 0
    due_at_ms: int | None = None
    replayed_at_ms: int | None = None
    attempts: tuple[Attempt, ...] = ()

    @classmethod
    def of(cls, event: MessageReceived, *, held: bool) -> Delivery:
        """A new one. `held`: the endpoint is paused."""
        state = DeliveryState.HELD if held else DeliveryState.PENDING
        at_ms = event.key.stored_at_ms
        due_at_ms = None if held else at_ms
        return cls(MESSAGE_RECEIVED, at_ms, state, event.message_id, event.size, due_at_ms=due_at_ms)

    def awaits(self, number: int) -> bool:
        """Whether try `number` is still to be made.

        One that is ahead is, too: then the record of the one before it was lost, and not the delivery.
        """
        return self.state is DeliveryState.PENDING and number > self.tries

    def step(self, number: int) -> int:
        """Which try of the present round `number` is, from 1 on."""
        return number - self.earlier

    def after(self, attempt: Attempt, due_at_ms: int | None) -> Delivery:
        """What `attempt` makes of it; the next try, if it takes one, is made at `due_at_ms`.

        An attempt that somebody else settled first (a double) is noted, and changes nothing but by success.
        """
        noted = replace(self, attempts=(*self.attempts, attempt)[-MOST_ATTEMPTS:])
        tries = max(self.tries, attempt.number)
        if attempt.succeeded:
            return replace(noted, state=DeliveryState.DELIVERED, tries=tries, due_at_ms=None)
        if not self.awaits(attempt.number):
            return noted
        state = DeliveryState.FAILED if due_at_ms is None else DeliveryState.PENDING
        return replace(noted, state=state, tries=tries, due_at_ms=due_at_ms)

    def put_off(self, number: int, due_at_ms: int) -> Delivery:
        """Try `number` is made later than it was due, unless it was made meanwhile."""
        return replace(self, due_at_ms=due_at_ms) if self.awaits(number) else self

    def held(self) -> Delivery:
        """Kept for a replay, unless it is settled."""
        if self.state is not DeliveryState.PENDING:
            return self
        return replace(self, state=DeliveryState.HELD, due_at_ms=None)

    def again(self, now_ms: int) -> Delivery:
        """The beginning of another round, whose first try has the number `tries + 1`."""
        return replace(
            self,
            state=DeliveryState.PENDING,
            earlier=self.tries,
            due_at_ms=now_ms,
            replayed_at_ms=now_ms,
        )

    @property
    def last_ms(self) -> int:
        """From when on its lifetime in the log counts."""
        return max(self.at_ms, self.replayed_at_ms or 0)

    def to_bytes(self) -> bytes:
        """JSON in UTF-8."""
        return json.dumps(asdict(self), separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> Delivery:
        """Inverse of `to_bytes`, for what this relay has sealed itself."""
        members = json.loads(data)
        size = members["size"]
        return cls(
            **{
                **members,
                "state": DeliveryState(members["state"]),
                "size": None if size is None else SizeClass(size),
                "attempts": tuple(Attempt(**attempt) for attempt in members["attempts"]),
            }
        )
