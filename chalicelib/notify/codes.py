"""One-time codes: whoever types the code reads what is sent to the channel.

A code has five digits, since the reference's web client has five fields for it. That is little, so a code
counts for ten minutes and five tries, once, for one recipient of one channel of one account; and how many are
sent is bounded (`notify.code_limits`). What is kept of a code is its keyed hash.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from hmac import compare_digest
from typing import Final

from chalicelib.notify import refusals
from chalicelib.notify.preferences import PendingCode, WakeUpChannel
from chalicelib.relay.ports import Chance, Clock
from chalicelib.relay.vault import Vault

LIFETIME_MINUTES: Final = 10
LIFETIME_MS: Final = LIFETIME_MINUTES * 60_000
TRIES: Final = 5
PAUSE_MS: Final = 60_000
"""How long after a code another one may be asked for."""
_FIRST, _COUNT = 10_000, 90_000


@dataclass(frozen=True, slots=True)
class Judgement:
    """What a try has made of the channel, which must be kept, and why it failed; None if it did not."""

    channel: WakeUpChannel
    refusal: str | None


class Codes:
    """Makes codes and judges tries. `owner` is the inbox of the account."""

    def __init__(self, vault: Vault, clock: Clock, chance: Chance) -> None:
        self._vault = vault
        self._clock = clock
        self._chance = chance

    def make(self) -> str:
        """A new code: five digits, the first of which is not 0."""
        return str(_FIRST + int.from_bytes(self._chance.token(8), "big") % _COUNT)

    def pending(self, owner: bytes, channel: WakeUpChannel, code: str) -> WakeUpChannel:
        """The channel waiting for `code`; an earlier code of it does not count any more."""
        expires_at_ms = self._clock.now_ms() + LIFETIME_MS
        hashed = self._hash(owner, channel, expires_at_ms, code)
        return replace(channel, verified=False, code=PendingCode(hashed, expires_at_ms, TRIES))

    def judge(self, owner: bytes, channel: WakeUpChannel, code: str) -> Judgement:
        """What typing `code` does to the channel. Each wrong try uses one up, the last one the code."""
        pending = channel.code
        if pending is None:
            return Judgement(channel, refusals.CODE_NOT_FOUND)
        if pending.expires_at_ms <= self._clock.now_ms():
            return Judgement(replace(channel, code=None), refusals.CODE_EXPIRED)
        if compare_digest(self._hash(owner, channel, pending.expires_at_ms, code), pending.code_hash):
            return Judgement(replace(channel, verified=True, code=None), None)
        tries_left = pending.tries_left - 1
        left = replace(pending, tries_left=tries_left) if tries_left > 0 else None
        return Judgement(replace(channel, code=left), refusals.CODE_INVALID)

    def wait_s(self, channel: WakeUpChannel) -> int:
        """Seconds until another code may be asked for; 0: now."""
        if channel.code is None:
            return 0
        sent_at_ms = channel.code.expires_at_ms - LIFETIME_MS
        return -min(0, (self._clock.now_ms() - sent_at_ms - PAUSE_MS) // 1_000)

    def _hash(self, owner: bytes, channel: WakeUpChannel, expires_at_ms: int, code: str) -> bytes:
        """Bound to everything that the code is for: it is worth nothing elsewhere."""
        return self._vault.index(
            "one-time code", owner, str(channel.channel), channel.recipient, str(expires_at_ms), code
        )
