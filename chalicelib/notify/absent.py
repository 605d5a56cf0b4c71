"""What stands where an operator has no topic, no queues, no sockets or no carrier."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, NoReturn

from chalicelib.names.counting import Counting
from chalicelib.notify.ports import Queue
from chalicelib.protocol.errors import Unavailable

NOT_OFFERED = "ChannelNotOffered"
"""Metric: somebody was to be told by a channel that this relay does not have any more. With `Queue`."""


class Absent:
    """Implements `Topic`, `Queues`, `Poster` and `StreamReader` where there are none."""

    def _missing(self, *_asked: Any, **_more: Any) -> NoReturn:  # noqa: ANN401 - whatever the port is asked
        raise Unavailable("This relay does not tell receivers of new messages.")

    publish = send = post = close = read = _missing


def not_offered(queue: Queue, count: Counting) -> Callable[[Mapping[str, Any]], dict[str, Any]]:
    """The worker of a channel without a carrier: it takes everything, and tells nobody.

    People keep the channel, which is of use again when the operator offers it again.
    """

    def handle(event: Mapping[str, Any]) -> dict[str, Any]:
        for _ in event["Records"]:
            count(NOT_OFFERED, Queue=queue)
        return {"batchItemFailures": []}

    return handle
