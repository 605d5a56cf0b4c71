"""Waking a person by e-mail, web push or SMS: one pipeline for the three (docs/adr/0017).

An event comes some thirty seconds after its message, when a live socket has had its chance. Everything is
asked then and nothing remembered from before; a wake-up that was put off is asked everything again when it
comes.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.notify.batches import work
from chalicelib.notify.channels.carrier import Carrier, Withheld
from chalicelib.notify.events import Channel
from chalicelib.notify.pauses import Pause, Pauses, fingerprint
from chalicelib.notify.plan import full_minute_ms, pause_minutes, quiet, to_wake
from chalicelib.notify.ports import ConnectionStore, Gone, Later, Queue, Refused
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.notify.unseen import Unseen
from chalicelib.notify.wake_up import WakeUp
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Clock, CounterStore, InboxStore
from chalicelib.relay.vault import Vault

SENT = "WakeUpsSent"
"""Metric: a recipient was told. This and the next four come with the dimension `Channel`."""
PUT_OFF = "WakeUpsPutOff"
"""Metric: a wake-up waits for the end of quiet hours or of a pause."""
SPARED = "WakeUpsSpared"
"""Metric: nobody was woken: turned off since, or the mail was seen or told of."""
WITHHELD = "WakeUpsWithheld"
"""Metric: a recipient was not told, since too much goes there or too much has failed."""
DROPPED = "RecipientsDropped"
"""Metric: a recipient has withdrawn or is refused by the carrier, and is not told again."""

_KEY_BYTES = 16

_log = logging.getLogger("dm3.notify")


class WakeUps:
    """The function behind the queue of one waking channel."""

    def __init__(
        self,
        *,
        channel: Channel,
        carrier: Carrier,
        book: PreferenceBook,
        inbox: InboxStore,
        connections: ConnectionStore,
        counters: CounterStore,
        vault: Vault,
        later: Later,
        clock: Clock,
        count: Counting,
    ) -> None:
        self._channel = channel
        self._queue = Queue(channel.value)
        self._carrier = carrier
        self._book = book
        self._unseen = Unseen(inbox, connections, clock)
        self._pauses = Pauses(channel, counters, vault)
        self._vault = vault
        self._later = later
        self._clock = clock
        self._count = count

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work a Lambda event from SQS; the answer names the records that are to come again."""
        return work(event, self._one, self._count, self._queue)

    def _one(self, record: Mapping[str, Any]) -> None:
        wake_up = WakeUp.of_record(record)
        owner, now_ms = wake_up.owner, self._clock.now_ms()
        preferences = self._book.load(owner)
        recipients = to_wake(preferences, self._channel)
        if not recipients or not self._unseen.waits(wake_up, self._pauses.told_until_ms(owner, now_ms)):
            self._count(SPARED, Channel=self._channel)
            return
        stretch = quiet(preferences.quiet_hours, now_ms)
        if stretch is not None:
            # All mail of one night is one wish, but for what came before the night began.
            since_ms = min(stretch.since_ms, wake_up.since_ms)
            self._put_off(owner, since_ms, stretch.until_ms, now_ms)
            return
        minutes = pause_minutes(preferences, self._channel)
        pause = self._pauses.take(owner, fingerprint(record["messageId"]), minutes, now_ms)
        if pause is None:
            self._wait_for_the_pause(wake_up, now_ms)
            return
        self._wake(owner, recipients, pause, now_ms)
        self._pauses.tell(owner, now_ms)

    def _wait_for_the_pause(self, wake_up: WakeUp, now_ms: int) -> None:
        pause = self._pauses.standing(wake_up.owner, now_ms)
        if pause is None:  # it has just ended
            self._put_off(wake_up.owner, wake_up.since_ms, now_ms, now_ms)
            return
        # All mail since the wake-up that began the pause is one wish. As long as nobody knows whether that
        # wake-up goes out, each message has its own.
        since_ms = pause.told_until_ms if pause.has_woken else wake_up.since_ms
        self._put_off(wake_up.owner, since_ms, full_minute_ms(pause.ends_at_ms), now_ms)

    def _put_off(self, owner: bytes, since_ms: int, until_ms: int, now_ms: int) -> None:
        key = self._vault.index("put off", self._channel, owner, str(since_ms), str(until_ms))[:_KEY_BYTES]
        delay_s = max(0, -(-(until_ms - now_ms) // 1_000))
        self._later.put(self._queue, WakeUp(owner, since_ms).to_text(), delay_s=delay_s, key=key)
        self._count(PUT_OFF, Channel=self._channel)

    def _wake(self, owner: bytes, recipients: Sequence[WakeUpChannel], pause: Pause, now_ms: int) -> None:
        """Tell every recipient, whatever happens to the others. Raises Unavailable if one has to come again.

        Those that were told before the record came again are not told twice.
        """
        several = len(recipients) > 1
        reached = self._pauses.reached(owner, pause, recipients, now_ms) if several else frozenset()

        def told(one: WakeUpChannel) -> bool:
            try:
                self._tell(owner, one)
                if several:
                    self._pauses.mark_reached(owner, pause, one, now_ms)
            except Exception as error:  # noqa: BLE001 - one recipient must not keep the others from being told
                if not isinstance(error, Unavailable):
                    fields = {"queue": str(self._queue), "type": type(error).__name__}
                    _log.error("defect", extra={"fields": fields})
                return False
            return True

        left = [one for one in recipients if one.recipient not in reached]
        if not all(_side_by_side(told, left)):
            raise Unavailable

    def _tell(self, owner: bytes, recipient: WakeUpChannel) -> None:
        try:
            self._carrier.wake(owner, recipient)
        except Gone:
            self._drop(owner, recipient, None)
        except Refused:
            # It stays in sight of its owner, and has to be proven again before it is used again.
            self._drop(owner, recipient, replace(recipient, verified=False, code=None))
        except Withheld:
            self._count(WITHHELD, Channel=self._channel)
        else:
            self._count(SENT, Channel=self._channel)

    def _drop(self, owner: bytes, recipient: WakeUpChannel, instead: WakeUpChannel | None) -> None:
        """Put `instead`, or nothing, in the place of a recipient, wherever it stands by now."""

        def change(preferences: Preferences) -> Preferences:
            kept = (instead if _is_same(one, recipient) else one for one in preferences.channels)
            return replace(preferences, channels=tuple(one for one in kept if one is not None))

        self._book.update(owner, change)
        self._count(DROPPED, Channel=self._channel)


def _side_by_side(
    tell: Callable[[WakeUpChannel], bool], recipients: Sequence[WakeUpChannel]
) -> Sequence[bool]:
    """What `tell` says of each: ten push services that hang take no longer than one of them."""
    if len(recipients) < 2:
        return [tell(one) for one in recipients]
    with ThreadPoolExecutor(len(recipients)) as threads:
        return list(threads.map(tell, recipients))


def _is_same(one: WakeUpChannel, other: WakeUpChannel) -> bool:
    return one.channel is other.channel and one.recipient == other.recipient
