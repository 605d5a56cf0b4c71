"""Carriers in the test's hands: topic, queues, mail, telephones and sockets that remember what they got.

Each has `failure`: an exception that the next calls raise, until it is None again.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.notify.events import Channel, MessageReceived
from chalicelib.notify.ports import Gone, Mail, Queue
from chalicelib.protocol.errors import TooBig

SOCKET_LIMIT_BYTES = 128 * 1024


@dataclass
class MemoryTopic:
    """Implements `Topic`; `refuse` says which events it does not take."""

    published: list[MessageReceived] = field(default_factory=list)
    failure: Exception | None = None
    refuse: Callable[[MessageReceived], bool] = lambda _event: False

    def publish(self, events: Sequence[MessageReceived]) -> tuple[int, ...]:
        assert 0 < len(events) <= 10
        if self.failure is not None:
            raise self.failure
        refused = tuple(index for index, event in enumerate(events) if self.refuse(event))
        self.published += [event for index, event in enumerate(events) if index not in refused]
        return refused


@dataclass
class MemoryQueues:
    """Implements `Queues`: what was sent, as (queue, text, delay)."""

    sent: list[tuple[Queue, str, int]] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        assert 0 <= delay_s <= 900
        if self.failure is not None:
            raise self.failure
        self.sent.append((queue, text, delay_s))

    def take(self, queue: Queue) -> list[tuple[str, int]]:
        """Everything sent to `queue` since the last time, as (text, delay)."""
        taken = [(text, delay_s) for to, text, delay_s in self.sent if to is queue]
        self.sent = [entry for entry in self.sent if entry[0] is not queue]
        return taken


@dataclass
class MemoryLater:
    """Implements `Later`: what was put, as (queue, text, delay, key)."""

    kept: list[tuple[Queue, str, int, bytes]] = field(default_factory=list)
    failure: Exception | None = None

    def put(self, queue: Queue, text: str, *, delay_s: int, key: bytes) -> None:
        assert delay_s >= 0
        assert len(key) == 16
        if self.failure is not None:
            raise self.failure
        self.kept.append((queue, text, delay_s, key))


@dataclass
class MemoryMailer:
    """Implements `Mailer`."""

    sent: list[Mail] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, mail: Mail) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append(mail)


@dataclass
class MemoryTexter:
    """Implements `Texter`: what was sent, as (number, text)."""

    sent: list[tuple[str, str]] = field(default_factory=list)
    failure: Exception | None = None

    def send(self, number: str, text: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.sent.append((number, text))


@dataclass
class MemoryPoster:
    """Implements `Poster`: `open_ids` are the sockets that exist; `posted` what each was sent."""

    open_ids: set[str] = field(default_factory=set)
    posted: dict[str, list[str]] = field(default_factory=dict)
    closed: list[str] = field(default_factory=list)
    failure: Exception | None = None

    def post(self, connection_id: str, text: str) -> None:
        if self.failure is not None:
            raise self.failure
        if connection_id not in self.open_ids:
            raise Gone
        if len(text.encode()) > SOCKET_LIMIT_BYTES:
            raise TooBig
        self.posted.setdefault(connection_id, []).append(text)

    def close(self, connection_id: str) -> None:
        if self.failure is not None:
            raise self.failure
        self.open_ids.discard(connection_id)
        self.closed.append(connection_id)

    def take(self, connection_id: str) -> list[str]:
        """Everything posted to the socket since the last time."""
        return self.posted.pop(connection_id, [])


def sqs_event(*texts: str, channels: Sequence[Channel] = ()) -> dict[str, Any]:
    """A Lambda event from SQS, with the topic's attribute as raw delivery hands it on."""
    quoted = ",".join(f'"{channel}"' for channel in channels)
    attributes = {"channels": {"stringValue": f"[{quoted}]", "dataType": "String.Array"}}
    return {
        "Records": [
            {
                "messageId": f"m{index}",
                "body": text,
                "messageAttributes": attributes,
                "attributes": {"ApproximateReceiveCount": "1"},
                "eventSource": "aws:sqs",
            }
            for index, text in enumerate(texts)
        ]
    }
