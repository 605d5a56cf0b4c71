"""Endpoints and deliveries as their owner sees them: JSON, times in ms."""

from __future__ import annotations

from chalicelib.notify.preferences import Endpoint
from chalicelib.notify.webhooks.deliveries import Attempt
from chalicelib.notify.webhooks.log import Filed
from chalicelib.notify.webhooks.signing import Signature, kind_of, public_key
from chalicelib.protocol.json_types import JsonObject, JsonValue


def endpoint_json(endpoint: Endpoint, now_ms: int) -> dict[str, JsonValue]:
    """`{id, url, state, signature, createdAt, failingSince, oldSecretUntil, publicKey?}`."""
    newest = endpoint.secrets[0].value
    old_until_ms = [
        secret.expires_at_ms
        for secret in endpoint.secrets[1:]
        if secret.expires_at_ms is not None and secret.expires_at_ms > now_ms
    ]
    members: dict[str, JsonValue] = {
        "id": endpoint.endpoint_id,
        "url": endpoint.url,
        "state": str(endpoint.state),
        "signature": str(kind_of(newest)),
        "createdAt": endpoint.created_at_ms,
        "failingSince": endpoint.failing_since_ms,
        "oldSecretUntil": old_until_ms[0] if old_until_ms else None,
    }
    public = public_key(newest)
    return members if public is None else {**members, "publicKey": public}


def with_secret(endpoint: Endpoint, now_ms: int) -> dict[str, JsonValue]:
    """The same with `secret`, which is told once; of a key pair only the public half is ever told."""
    members = endpoint_json(endpoint, now_ms)
    newest = endpoint.secrets[0].value
    return members if kind_of(newest) is Signature.V1A else {**members, "secret": newest}


def attempt_json(attempt: Attempt) -> JsonObject:
    """`{try, at, latency, status, reason}`."""
    return {
        "try": attempt.number,
        "at": attempt.at_ms,
        "latency": attempt.latency_ms,
        "status": attempt.status,
        "reason": attempt.reason,
    }


def delivery_json(filed: Filed) -> JsonObject:
    """`{id, type, state, at, messageId, size, tries, nextTryAt, attempts}`."""
    delivery = filed.delivery
    return {
        "id": filed.delivery_id,
        "type": delivery.event,
        "state": str(delivery.state),
        "at": delivery.at_ms,
        "messageId": delivery.message_id,
        "size": None if delivery.size is None else str(delivery.size),
        "tries": delivery.tries,
        "nextTryAt": delivery.due_at_ms,
        "attempts": [attempt_json(attempt) for attempt in delivery.attempts],
    }
