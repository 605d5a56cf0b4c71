"""The outbox: what the inbox's stream tells has been stored, told to the topic (docs/adr/0017).

Lambda hands over records in the order of a shard and repeats from the first that is named as failed, so one
that can never be told must not be named: it is set aside in the queue UNTOLD, which `untold` works.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from collections.abc import Mapping, Sequence
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.plan import wanted
from chalicelib.notify.ports import ConnectionStore, Queue, Queues, Topic
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Clock, InboxKey

TOLD = "MessagesTold"
"""Metric: an event was published."""
DELAYED = "TellingDelayed"
"""Metric: a store or the topic did not answer, and the stream will repeat."""
SET_ASIDE = "MessagesSetAside"
"""Metric: an event could not be told and waits in the queue UNTOLD."""

_AT_ONCE = 10  # of one publication (SNS)
# Of the image. The record's `Keys` would tell the same, but moto encodes them twice.
_ATTRIBUTES = ("pk", "sk", "size_bytes")

_log = logging.getLogger("dm3.notify")

Record = Mapping[str, Any]


class Outbox:
    """The function behind the inbox's stream."""

    def __init__(
        self,
        *,
        book: PreferenceBook,
        connections: ConnectionStore,
        topic: Topic,
        queues: Queues,
        clock: Clock,
        count: Counting,
    ) -> None:
        self._book = book
        self._connections = connections
        self._topic = topic
        self._queues = queues
        self._clock = clock
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Tell every record of a stream event; the answer names the first that is to come again, if any."""
        # Everything in the event was committed before it was handed over, so a plan that is made now serves
        # all messages of an account in it.
        plans: dict[bytes, frozenset[Channel]] = {}
        records = event["Records"]
        for start in range(0, len(records), _AT_ONCE):
            failed = self._tell_some(records[start : start + _AT_ONCE], plans)
            if failed is not None:
                self._count(DELAYED)
                # One without a number makes Lambda repeat them all.
                number = _member(_member(failed, "dynamodb"), "SequenceNumber")
                return {"batchItemFailures": [{"itemIdentifier": number or ""}]}
        return {"batchItemFailures": []}

    def tell(self, record: Record) -> None:
        """Tell one record, set aside before, and set nothing aside.

        Raises Unavailable, or what keeps it from being told: ValueError for what tells of no new message.
        """
        event = self._planned(record, {})
        if event is None:
            raise ValueError("not a record of a new message")
        if self._topic.publish([event]):
            raise Unavailable("The topic does not take the event.")

    def _tell_some(self, records: Sequence[Record], plans: dict[bytes, frozenset[Channel]]) -> Record | None:
        """Tell at most `_AT_ONCE` records; the first that is to come again, None if all are done with."""
        ready: list[tuple[Record, MessageReceived]] = []
        stopped = None
        for record in records:
            try:
                event = self._planned_or_set_aside(record, plans)
            except Unavailable:
                stopped = record
                break
            if event is not None:
                ready.append((record, event))
        return self._publish(ready) or stopped

    def _planned_or_set_aside(
        self, record: Record, plans: dict[bytes, frozenset[Channel]]
    ) -> MessageReceived | None:
        try:
            return self._planned(record, plans)
        except Unavailable:
            raise
        except Exception as error:  # noqa: BLE001 - what is wrong with one record must not hold up its shard
            _log.error("untold", extra={"fields": {"type": type(error).__name__}})
            self._set_aside(record)
            return None

    def _planned(self, record: Record, plans: dict[bytes, frozenset[Channel]]) -> MessageReceived | None:
        """The event with its channels; None for a record that tells of no new message.

        Raises ValueError for what is no record, InternalError if the preferences cannot be opened, and
        Unavailable.
        """
        stored = _stored(record)
        if stored is None:
            return None
        owner, key, size = stored
        if owner not in plans:
            now_s = self._clock.now_ms() // 1_000
            has_sockets = bool(self._connections.of_account(owner, now_s=now_s))
            plans[owner] = wanted(self._book.load(owner), has_sockets=has_sockets)
        return MessageReceived(owner, key, size, plans[owner])

    def _publish(self, ready: Sequence[tuple[Record, MessageReceived]]) -> Record | None:
        if not ready:
            return None
        try:
            refused = self._topic.publish([event for _, event in ready])
        except Unavailable:
            return ready[0][0]
        for index, (record, _) in enumerate(ready):
            if index not in refused:
                self._count(TOLD)
                continue
            try:
                self._set_aside(record)
            except Unavailable:
                return record
        return None

    def _set_aside(self, record: Record) -> None:
        self._queues.send(Queue.UNTOLD, set_aside_text(record))
        self._count(SET_ASIDE)


def set_aside_text(record: Record) -> str:
    """The record as it waits in the queue UNTOLD: keys and size, without the message itself.

    `record` may have any form: what has none of these members is kept without them.
    """
    change = _member(record, "dynamodb")
    image = {name: _member(_member(change, "NewImage"), name) for name in _ATTRIBUTES}
    kept = {"SequenceNumber": _member(change, "SequenceNumber"), "NewImage": image}
    return json.dumps({"eventName": _member(record, "eventName"), "dynamodb": kept}, separators=(",", ":"))


def _member(value: object, name: str) -> Any:  # noqa: ANN401 - JSON of unknown form
    return value.get(name) if isinstance(value, Mapping) else None


def _stored(record: Record) -> tuple[bytes, InboxKey, SizeClass] | None:
    """Owner, key and size of the message that was stored, if one was. Raises ValueError."""
    if record.get("eventName") != "INSERT":
        return None
    try:
        image = record["dynamodb"]["NewImage"]
        owner, position, size = (image[name] for name in _ATTRIBUTES)
        owner = base64.b64decode(owner["B"], validate=True)
        key = InboxKey.from_bytes(base64.b64decode(position["B"], validate=True))
        size_bytes = int(size["N"])
    except (KeyError, TypeError, AttributeError, binascii.Error):
        raise ValueError("not a record of an inbox") from None
    if len(owner) != 32:
        raise ValueError("not a record of an inbox")
    return owner, key, SizeClass.of(size_bytes)
