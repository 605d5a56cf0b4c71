"""What happens to an endpoint: it fails, recovers, is paused, is gone, gets a new secret."""

from __future__ import annotations

from dataclasses import replace
from typing import Final

from chalicelib.notify.preferences import Endpoint, EndpointState, Secret
from chalicelib.notify.webhooks.deliveries import Attempt

MAX_ENDPOINTS: Final = 10
PAUSED_AFTER_MS: Final = 3 * 86_400_000
"""An endpoint that has done nothing but fail for so long is paused when a delivery has had its last try.

Not before, or no delivery to a busy endpoint would ever have all of its tries.
"""
OLD_SECRET_MS: Final = 86_400_000
"""So long after a rotation the old secret signs, too."""


def valid_secrets(endpoint: Endpoint, now_ms: int) -> tuple[str, ...]:
    """The secrets that sign now, the newest first."""
    return tuple(
        secret.value
        for secret in endpoint.secrets
        if secret.expires_at_ms is None or secret.expires_at_ms > now_ms
    )


def after(endpoint: Endpoint, attempt: Attempt, *, was_last: bool) -> Endpoint:
    """What an attempt makes of the endpoint; nothing of one that is not active any more.

    `was_last`: the schedule has no further try for the delivery, should this one have failed. An endpoint
    that has just been paused is marked: its owner is to be told.
    """
    if endpoint.state is not EndpointState.ACTIVE:
        return endpoint
    if attempt.succeeded:
        return replace(endpoint, failing_since_ms=None)
    since_ms = attempt.at_ms if endpoint.failing_since_ms is None else endpoint.failing_since_ms
    failing = replace(endpoint, failing_since_ms=since_ms)
    if attempt.gone:
        return replace(failing, state=EndpointState.GONE)
    if was_last and attempt.at_ms - since_ms >= PAUSED_AFTER_MS:
        return replace(failing, state=EndpointState.PAUSED, owner_untold=True)
    return failing


def verified(endpoint: Endpoint) -> Endpoint:
    """It has echoed a challenge: it receives events, whatever it was before."""
    return replace(endpoint, state=EndpointState.ACTIVE, failing_since_ms=None, owner_untold=False)


def rotated(endpoint: Endpoint, secret: str, now_ms: int) -> Endpoint:
    """With a new secret; of the old ones the latest stays valid for `OLD_SECRET_MS`."""
    old = replace(endpoint.secrets[0], expires_at_ms=now_ms + OLD_SECRET_MS)
    return replace(endpoint, secrets=(Secret(secret, now_ms), old))


def told(endpoint: Endpoint) -> Endpoint:
    """Its owner knows that it is paused."""
    return replace(endpoint, owner_untold=False)
