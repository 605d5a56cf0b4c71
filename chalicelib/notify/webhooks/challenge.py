"""The proof that an endpoint answers for the relay: it echoes what it has been sent (and nothing more).

Without it anybody could have the relay send requests to somebody else's server. The answer must be 2xx and
its body the challenge itself, or `{"challenge": …}` with no other member. A server that repeats whatever it
is sent proves nothing: the request has more members than that.
"""

from __future__ import annotations

from base64 import urlsafe_b64encode

from chalicelib.notify.preferences import Endpoint
from chalicelib.notify.webhooks.log import delivery_id, entry_at
from chalicelib.notify.webhooks.payload import challenge_body
from chalicelib.notify.webhooks.sending import Outcome, Sender
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import ParseError
from chalicelib.relay.ports import Chance, Clock

_CHALLENGE_BYTES = 32
_ID_BYTES = 16


class Challenger:
    """Challenges endpoints."""

    def __init__(self, sender: Sender, clock: Clock, chance: Chance) -> None:
        self._sender = sender
        self._clock = clock
        self._chance = chance

    def ask(self, endpoint: Endpoint) -> tuple[Outcome, bool]:
        """What came of it, and whether the challenge was echoed. Raises UnsafeLink, Unavailable."""
        challenge = urlsafe_b64encode(self._chance.token(_CHALLENGE_BYTES)).rstrip(b"=").decode()
        now_ms = self._clock.now_ms()
        webhook_id = delivery_id(entry_at(now_ms, self._chance.token(_ID_BYTES)))
        outcome = self._sender.send(endpoint, webhook_id, challenge_body(challenge, now_ms))
        if outcome.unsafe is not None:
            raise outcome.unsafe
        return outcome, outcome.attempt.succeeded and echoes(outcome.body, challenge)


def echoes(body: bytes, challenge: str) -> bool:
    """Whether `body` is the challenge: as text, as a JSON string, or `{"challenge": …}`."""
    if body.strip() == challenge.encode():
        return True
    try:
        answer = parse_json(body)
    except ParseError:
        return False
    return answer in (challenge, {"challenge": challenge})
