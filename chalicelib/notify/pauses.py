"""At most one wake-up of an account and channel in so many minutes, whoever works on it, whoever fails.

Two counters for each account and channel. The *pause* is taken before a person is woken; it tells when it was
taken, for how long and by whom, so that a worker that failed after taking it may go on when its record comes
again, and no other may. *Told* is written after the person was woken: until when stored mail is covered by a
wake-up. What is neither covered nor allowed to wake must be put off to the end of the pause, not dropped.

The counters are those of quotas. `charge` adds unless a limit would be passed; adding a value with itself as
the limit therefore sets it once (`take`), and adding the difference to a greater value with that value as
the limit replaces what was read, unless somebody else did so first (`tell`).
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256

from chalicelib.notify.events import Channel
from chalicelib.notify.plan import MINUTE_MS
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.relay.ports import Charge, CounterStore
from chalicelib.relay.vault import Vault

SKEW_MS = 5_000
"""By how much a message may be stamped earlier than a wake-up and become visible later than it."""
_TOLD_S = 14 * 86_400
_REACHED_S = 86_400
_WHO_BYTES = 4
_MINUTES_BYTES = 2


@dataclass(frozen=True, slots=True)
class Pause:
    """A pause of `minutes` that began at `taken_at_ms`; `taker` is a fingerprint of the record that took it.

    `told_until_ms` is until when stored mail was covered by a wake-up when the pause was looked at.
    """

    taken_at_ms: int
    minutes: int
    taker: bytes
    told_until_ms: int

    @property
    def ends_at_ms(self) -> int:
        """When the next wake-up may be."""
        return self.taken_at_ms + self.minutes * MINUTE_MS

    @property
    def has_woken(self) -> bool:
        """Whether the person was woken by whoever took the pause."""
        return self.told_until_ms >= self.taken_at_ms - SKEW_MS


def fingerprint(record_id: str) -> bytes:
    """Tells the records of a queue apart; the same record has the same each time it comes."""
    return sha256(record_id.encode()).digest()[:_WHO_BYTES]


class Pauses:
    """The pauses of one channel. Every method raises Unavailable."""

    def __init__(self, channel: Channel, counters: CounterStore, vault: Vault) -> None:
        self._channel = channel
        self._counters = counters
        self._vault = vault

    def told_until_ms(self, owner: bytes, now_ms: int) -> int:
        """Until when stored mail is covered by a wake-up; 0 if none is remembered."""
        return self._counters.read([self._key("told", owner)], now_s=now_ms // 1_000)[0]

    def take(self, owner: bytes, taker: bytes, minutes: int, now_ms: int) -> Pause | None:
        """The pause in which `taker` may wake: a new one, or one it took before. None: another has one."""
        value = int.from_bytes(
            now_ms.to_bytes(8, "big") + minutes.to_bytes(_MINUTES_BYTES, "big") + taker, "big"
        )
        expires_at_s = -(-(now_ms + minutes * MINUTE_MS) // 1_000)
        charge = Charge(self._key("pause", owner), value, value, expires_at_s)
        if self._counters.charge(charge, now_s=now_ms // 1_000):
            return Pause(now_ms, minutes, taker, 0)
        standing = self.standing(owner, now_ms)
        return standing if standing is not None and standing.taker == taker else None

    def standing(self, owner: bytes, now_ms: int) -> Pause | None:
        """The pause as it stands; None if it has ended."""
        keys = [self._key("pause", owner), self._key("told", owner)]
        value, told_until_ms = self._counters.read(keys, now_s=now_ms // 1_000)
        if value == 0:
            return None
        text = value.to_bytes(8 + _MINUTES_BYTES + _WHO_BYTES, "big")
        minutes = int.from_bytes(text[8:-_WHO_BYTES], "big")
        return Pause(int.from_bytes(text[:8], "big"), minutes, text[-_WHO_BYTES:], told_until_ms)

    def tell(self, owner: bytes, woken_at_ms: int) -> None:
        """Remember that a wake-up of `woken_at_ms` has told of all mail before it. Repeatable."""
        now_s = woken_at_ms // 1_000
        until_ms = woken_at_ms - SKEW_MS
        standing_ms = self.told_until_ms(owner, woken_at_ms)
        if until_ms > standing_ms:
            charge = Charge(self._key("told", owner), until_ms - standing_ms, until_ms, now_s + _TOLD_S)
            self._counters.charge(charge, now_s=now_s)

    def reached(
        self, owner: bytes, pause: Pause, recipients: Sequence[WakeUpChannel], now_ms: int
    ) -> frozenset[str]:
        """Which of the recipients `mark_reached` has been called for in this pause."""
        counts = self._counters.read(
            [self._recipient(owner, pause, one) for one in recipients], now_s=now_ms // 1_000
        )
        return frozenset(one.recipient for one, count in zip(recipients, counts, strict=True) if count)

    def mark_reached(self, owner: bytes, pause: Pause, recipient: WakeUpChannel, now_ms: int) -> None:
        """Remember that one of several recipients was told, should a failure bring the record back."""
        expires_at_s = now_ms // 1_000 + _REACHED_S
        charge = Charge(self._recipient(owner, pause, recipient), 1, 1, expires_at_s)
        self._counters.charge(charge, now_s=now_ms // 1_000)

    def _recipient(self, owner: bytes, pause: Pause, recipient: WakeUpChannel) -> bytes:
        return self._key("reached", owner, str(pause.taken_at_ms), recipient.recipient)

    def _key(self, kind: str, owner: bytes, *parts: str) -> bytes:
        return self._vault.index(f"wake-up {kind}", self._channel, owner, *parts)
