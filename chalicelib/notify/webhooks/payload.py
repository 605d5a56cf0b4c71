"""What a webhook says: that something happened, and when. Never who wrote, to whom, or what.

`data.endpoint` is the id of the endpoint, which belongs to one account: its owner knows whose mail is meant,
and nobody else does.
"""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Final

from chalicelib.notify.webhooks.deliveries import Delivery

CHALLENGE: Final = "webhook.challenge"


def event_body(endpoint_id: str, delivery: Delivery) -> str:
    """`{"type", "timestamp", "data": {"endpoint", "messageId"?, "receivedAt"? (ms), "size"?}}` as JSON."""
    data: dict[str, object] = {"endpoint": endpoint_id}
    if delivery.message_id is not None:
        data |= {"messageId": delivery.message_id, "receivedAt": delivery.at_ms, "size": delivery.size}
    return _json({"type": delivery.event, "timestamp": rfc3339(delivery.at_ms), "data": data})


def challenge_body(challenge: str, at_ms: int) -> str:
    """`{"type": "webhook.challenge", "timestamp", "challenge"}` as JSON."""
    return _json({"type": CHALLENGE, "timestamp": rfc3339(at_ms), "challenge": challenge})


def rfc3339(at_ms: int) -> str:
    """A time in UTC with milliseconds, such as `2026-01-02T03:04:05.678Z`."""
    moment = datetime.fromtimestamp(at_ms / 1_000, UTC)
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _json(value: dict[str, object]) -> str:
    return json.dumps(value, separators=(",", ":"))
