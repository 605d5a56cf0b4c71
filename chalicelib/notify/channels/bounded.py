"""How much a carrier is used: what people choose as recipient must cost nobody else.

A browser's subscription is any URL, which nobody has answered for, and each SMS is paid by the operator. So
what goes to one place is bounded for all accounts together, and a recipient that keeps failing, which may be
a server that hangs on purpose, is left alone for a while. What is beyond is not sent: the mail waits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final

from chalicelib.fetching.failures import FetchFailed, FetchReason
from chalicelib.fetching.urls import vet
from chalicelib.notify.channels.carrier import Carrier, Withheld
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.recipients import Subscription
from chalicelib.protocol.errors import InvalidInput, LimitExceeded, Unavailable
from chalicelib.relay.quota import Quota, Quotas

PUSH_FAILURES_PER_HOUR: Final = 4
"""Of one subscription; one less than the times that a queue hands a record over."""
PUSHES_TO_HOST_PER_HOUR: Final = 6_000
SMS_TO_NUMBER_PER_DAY: Final = 24
SMS_OF_RELAY_PER_HOUR: Final = 1_000
_HOUR_S, _DAY_S = 3_600, 86_400

_PUSH_SERVICES: Final = ("fcm.googleapis.com",)
_PUSH_SERVICE_DOMAINS: Final = (".push.services.mozilla.com", ".push.apple.com", ".notify.windows.com")

Bounds = Callable[[WakeUpChannel], Sequence[Quota]]


class Bounded:
    """Implements `carrier.Carrier` around another one. `failures_per_hour` of one recipient; 0: any."""

    def __init__(self, carrier: Carrier, bounds: Bounds, *, failures_per_hour: int, quotas: Quotas) -> None:
        self._carrier = carrier
        self._bounds = bounds
        self._failures_per_hour = failures_per_hour
        self._quotas = quotas

    def wake(self, owner: bytes, channel: WakeUpChannel) -> None:
        """As `carrier`. Raises Withheld if that is too much, Gone, Refused, Unavailable."""
        failures = Quota("carrier failures", channel.recipient, self._failures_per_hour, _HOUR_S, exact=True)
        try:
            self._quotas.require_room([failures])
            for bound in self._bounds(channel):
                self._quotas.charge(bound)
        except LimitExceeded:
            raise Withheld from None
        try:
            self._carrier.wake(owner, channel)
        except Unavailable as error:
            if not _is_ours(error):
                with suppress(LimitExceeded):
                    self._quotas.charge(failures)
            raise


def _is_ours(error: Unavailable) -> bool:
    """Whether this process was too busy to ask the recipient at all."""
    return isinstance(error, FetchFailed) and error.reason is FetchReason.BUSY


def push_bounds(channel: WakeUpChannel) -> Sequence[Quota]:
    """Pushes to one host, unless it is a browser maker's: anybody can subscribe with anybody's URL."""
    try:
        host = vet(Subscription.parse(channel.recipient).endpoint).host
    except InvalidInput:
        # Not called, but refused.
        return ()
    if host in _PUSH_SERVICES or host.endswith(_PUSH_SERVICE_DOMAINS):
        return ()
    return (Quota("push host", host, PUSHES_TO_HOST_PER_HOUR, _HOUR_S),)


def sms_bounds(channel: WakeUpChannel) -> Sequence[Quota]:
    """Texts to one number, and of all: numbers that cost much are somebody's business."""
    return (
        Quota("sms to number", channel.recipient, SMS_TO_NUMBER_PER_DAY, _DAY_S, exact=True),
        Quota("sms of relay", "", SMS_OF_RELAY_PER_HOUR, _HOUR_S),
    )
