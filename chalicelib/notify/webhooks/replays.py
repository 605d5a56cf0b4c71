"""Sending again what did not arrive, or what somebody wants once more."""

from __future__ import annotations

from typing import Final

from chalicelib.notify.ports import Queue, Queues
from chalicelib.notify.webhooks.deliveries import TEST, Delivery, DeliveryState
from chalicelib.notify.webhooks.due_tries import DueTry
from chalicelib.notify.webhooks.log import DeliveryLog, Filed
from chalicelib.notify.webhooks.requests import Replay
from chalicelib.protocol.errors import InvalidInput
from chalicelib.relay.ports import Clock

MAX_LOOKED_AT: Final = 100
"""Deliveries that one call looks at; a cursor continues."""
OVERDUE_MS: Final = 900_000
"""A delivery that should have been tried so long ago has lost its text, and is replayed as a failed one."""


class Replays:
    """Begins new rounds of deliveries. The first try of a round is made by the worker, at once."""

    def __init__(self, log: DeliveryLog, queues: Queues, clock: Clock) -> None:
        self._log = log
        self._queues = queues
        self._clock = clock

    def one(self, owner: bytes, endpoint_id: str, filed: Filed) -> None:
        """Another round for this delivery, whatever came of it. Raises InvalidInput for a test."""
        if filed.delivery.event == TEST:
            raise InvalidInput("A test is not replayed; make another one.")
        now_ms = self._clock.now_ms()
        # If the text after it is lost, the delivery is overdue, and can be replayed again.
        begun = self._log.change(filed, lambda delivery: delivery.again(now_ms))
        if begun is not None:
            text = DueTry(owner, endpoint_id, begun.entry, begun.delivery.tries + 1).to_text()
            self._queues.send(Queue.WEBHOOKS, text)

    def since(self, owner: bytes, endpoint_id: str, log_key: bytes, replay: Replay) -> tuple[int, str | None]:
        """Another round for what failed or was held since `replay.since_ms`.

        How many there were among those looked at, and a cursor if there may be more. Raises InvalidParams.
        """
        page, following = self._log.page(log_key, replay.cursor, MAX_LOOKED_AT)
        recent = [filed for filed in page if filed.delivery.at_ms >= replay.since_ms]
        failed = [filed for filed in recent if self._failed(filed.delivery)]
        for filed in failed:
            self.one(owner, endpoint_id, filed)
        return len(failed), following if len(recent) == len(page) else None

    def _failed(self, delivery: Delivery) -> bool:
        if delivery.event == TEST:
            return False
        if delivery.state is DeliveryState.PENDING:
            return (delivery.due_at_ms or 0) + OVERDUE_MS < self._clock.now_ms()
        return delivery.state is not DeliveryState.DELIVERED
