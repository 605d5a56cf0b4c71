"""How much of the workers' time an account's servers may take by failing or being slow.

A server that hangs keeps a worker for ten seconds, each failure makes up to nine further tries, and who wants
both can have ten of them called for each message. The workers are everybody's, so what one account wastes is
bounded; what is beyond waits, and is no try.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Final

from chalicelib.notify.webhooks.deliveries import Attempt
from chalicelib.protocol.errors import LimitExceeded, Unavailable
from chalicelib.relay.ports import Chance
from chalicelib.relay.quota import Quota, Quotas

WASTED_S_PER_MINUTE: Final = 300
"""Of one account: five servers that hang all the time, or five quick failures in each second."""
_MOST_S = 10
_WINDOW_S = 60
_WAIT_S, _SPREAD_S = 60, 540


class Patience:
    """Counts seconds in which a worker waited. Where nobody can tell, nobody has to wait."""

    def __init__(self, quotas: Quotas, chance: Chance) -> None:
        self._quotas = quotas
        self._chance = chance

    def wait_s(self, owner: bytes) -> int:
        """How long a try of this account must wait, at random from one to ten minutes; 0: not at all."""
        try:
            self._quotas.require_room([_wasted(owner, _MOST_S)])
        except Unavailable:
            return 0
        except LimitExceeded:
            return _WAIT_S + int.from_bytes(self._chance.token(4), "big") % _SPREAD_S
        return 0

    def charge(self, owner: bytes, attempt: Attempt) -> None:
        """Count what an attempt took: its full seconds, and one at least if it failed."""
        seconds = max(attempt.latency_ms // 1_000, 0 if attempt.succeeded else 1)
        if seconds:
            # Those under way at the same time may be beyond: then there is no room any more, either.
            with suppress(LimitExceeded, Unavailable):
                self._quotas.charge(_wasted(owner, min(seconds, _MOST_S)))


def _wasted(owner: bytes, amount_s: int) -> Quota:
    return Quota("webhook time", owner, WASTED_S_PER_MINUTE, _WINDOW_S, amount=amount_s, exact=True)
