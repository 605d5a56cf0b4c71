"""Tells the laptop's pumps that there may be something to fetch, so that they need not ask all the time.

A pump that waits for a nudge asks now and then all the same: what becomes visible with time, or was written
by another process, nudges nobody.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from threading import Event, Lock
from typing import Any

from chalicelib.notify.events import CHANNELS_ATTRIBUTE

_WRITES = {"put_item", "update_item", "delete_item"}


def table_key(table: str) -> str:
    """What a pump listens to for the stream of a table."""
    return f"table {table}"


def queue_key(url: str) -> str:
    """What a pump listens to for a queue that is written to directly."""
    return f"queue {url}"


def channel_key(channel: str) -> str:
    """What a pump listens to for a queue that a topic fills by channel."""
    return f"channel {channel}"


class Nudges:
    """Who listens to what. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._listening: dict[str, set[Event]] = {}

    def listen(self, *keys: str) -> Event:
        """An event that is set when one of the keys is written to; the listener clears it."""
        nudge = Event()
        with self._lock:
            for key in keys:
                self._listening.setdefault(key, set()).add(nudge)
        return nudge

    def written(self, service: str, operation: str, asked: Mapping[str, Any]) -> None:
        """A call to AWS succeeded. Implements `infra.local.clients.Watch`."""
        for key in _keys(service, operation, asked):
            for nudge in tuple(self._listening.get(key, ())):
                nudge.set()


def _keys(service: str, operation: str, asked: Mapping[str, Any]) -> Iterator[str]:
    if service == "dynamodb" and operation in _WRITES:
        yield table_key(asked["TableName"])
    elif service == "dynamodb" and operation == "batch_write_item":
        yield from map(table_key, asked["RequestItems"])
    elif service == "sqs" and operation in {"send_message", "send_message_batch"}:
        yield queue_key(asked["QueueUrl"])
    elif service == "sns" and operation == "publish":
        yield from _channels(asked)
    elif service == "sns" and operation == "publish_batch":
        for entry in asked["PublishBatchRequestEntries"]:
            yield from _channels(entry)


def _channels(entry: Mapping[str, Any]) -> Iterator[str]:
    attribute = entry.get("MessageAttributes", {}).get(CHANNELS_ATTRIBUTE)
    if attribute is not None:
        yield from map(channel_key, json.loads(attribute["StringValue"]))
