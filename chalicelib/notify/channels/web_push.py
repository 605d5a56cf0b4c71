"""Web push: sealed for the browser (RFC 8291, aes128gcm), signed by the relay (RFC 8292), posted (RFC 8030).

The endpoint is any URL that somebody chose, so it is called through the guarded fetcher. A subscription ends
when its push service says so, or when it belongs to another key than the relay's.
"""

from __future__ import annotations

from typing import Final

from chalicelib.fetching.failures import FetchFailed
from chalicelib.fetching.ports import Fetcher
from chalicelib.notify.channels.vapid import Vapid
from chalicelib.notify.ports import Gone, Refused
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.recipients import Subscription
from chalicelib.notify.texts import PUSH_PAYLOAD
from chalicelib.protocol.errors import InvalidInput, TooBig, Unavailable
from chalicelib.relay.ports import Clock

TTL_S: Final = 86_400
"""How long the push service keeps what it cannot deliver. The mail itself waits in the inbox anyway."""
TOPIC: Final = "dm3"
"""A later push replaces one that has not been delivered: a browser that wakes up shows one, not a hundred."""
_MAX_ANSWER_BYTES: Final = 16_384
_DEADLINE_S: Final = 10.0
_ENDED: Final = {404, 410}
_LATER: Final = {408, 425, 429}


class WebPushCarrier:
    """Implements `carrier.Carrier` for PUSH."""

    def __init__(self, fetcher: Fetcher, vapid: Vapid, clock: Clock) -> None:
        self._fetcher = fetcher
        self._vapid = vapid
        self._clock = clock

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:  # noqa: ARG002 - as the protocol says
        """Push to one browser. Raises Gone, Refused, Unavailable."""
        try:
            subscription = Subscription.parse(channel.recipient)
            status = self._fetcher.fetch(
                subscription.endpoint,
                method="POST",
                headers={
                    "authorization": self._vapid.authorization(
                        subscription.endpoint, self._clock.now_ms() // 1_000
                    ),
                    "content-encoding": "aes128gcm",
                    "content-type": "application/octet-stream",
                    "ttl": str(TTL_S),
                    "urgency": "normal",
                    "topic": TOPIC,
                },
                body=sealed(PUSH_PAYLOAD, subscription),
                max_bytes=_MAX_ANSWER_BYTES,
                deadline_s=_DEADLINE_S,
            ).status
        except (InvalidInput, TooBig):
            # Not a subscription, a URL that must not be called, or nothing that a push service answers.
            raise Refused from None
        except FetchFailed as error:
            if error.answered_status is None:
                raise
            # It has answered; only the rest cannot be used, which a redirection will be again each time.
            status = error.answered_status
        _judge(status)


def _judge(status: int) -> None:
    """What a status means (RFC 8030, sections 5 and 7.3). Raises Gone, Refused, Unavailable."""
    if 200 <= status < 300:
        return
    if status in _ENDED:
        raise Gone
    if status in _LATER or status >= 500:
        raise Unavailable
    raise Refused


def sealed(plain: bytes, subscription: Subscription) -> bytes:
    """`plain` for this browser alone: a fresh key and salt each time, made by the library."""
    # Imported where it is needed: it takes tens of milliseconds.
    import http_ece
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, generate_private_key

    body: bytes = http_ece.encrypt(
        plain,
        private_key=generate_private_key(SECP256R1()),
        dh=subscription.public_key,
        auth_secret=subscription.secret,
        version="aes128gcm",
    )
    return body
