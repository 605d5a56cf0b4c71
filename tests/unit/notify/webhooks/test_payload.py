from __future__ import annotations

import json

from chalicelib.notify.events import MessageReceived, SizeClass
from chalicelib.notify.webhooks.deliveries import TEST, Delivery, DeliveryState
from chalicelib.notify.webhooks.payload import challenge_body, event_body, rfc3339
from chalicelib.relay.ports import InboxKey

AT_MS = 1_700_000_000_123


def test_an_event_says_what_and_when_and_no_more() -> None:
    event = MessageReceived(b"o" * 32, InboxKey(AT_MS, b"m" * 16), SizeClass.LARGE)
    body = event_body("endpoint", Delivery.of(event, held=False))
    assert json.loads(body) == {
        "type": "message.received",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "data": {"endpoint": "endpoint", "messageId": "6d" * 16, "receivedAt": AT_MS, "size": "large"},
    }
    assert event.owner.hex() not in body


def test_a_test_and_a_challenge() -> None:
    body = event_body("endpoint", Delivery(TEST, AT_MS, DeliveryState.PENDING))
    assert json.loads(body) == {
        "type": "webhook.test",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "data": {"endpoint": "endpoint"},
    }
    assert json.loads(challenge_body("c", AT_MS)) == {
        "type": "webhook.challenge",
        "timestamp": "2023-11-14T22:13:20.123Z",
        "challenge": "c",
    }
    assert rfc3339(1_700_000_000_000) == "2023-11-14T22:13:20.000Z"
