"""Is a provider up to date, and on the right chain? Found out beside the calls, in the same batch.

A provider that lags serves records of the past, and keys with them that their owner has replaced since; its
own word for being in sync (`eth_syncing`) proves nothing. So the time in its newest block is held against
the clock, and against the newest block that any provider has shown, in case the clock is slow.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final

from chalicelib.names.ports import RpcCall, RpcResult
from chalicelib.protocol.json_types import JsonValue

_HEAD: Final = RpcCall("eth_getBlockByNumber", ("latest", False))
_CHAIN: Final = RpcCall("eth_chainId")
_QUANTITY: Final = re.compile(r"0x[0-9a-fA-F]{1,64}")


@dataclass(frozen=True, slots=True)
class HeadPolicy:
    """`max_lag_s` is how old a newest block may be, 0 for any age; it is looked at every `interval_s`.

    With `chain_id`, providers must serve that chain.
    """

    max_lag_s: int = 120
    interval_s: float = 15.0
    chain_id: int | None = None


class Stale(Exception):
    """The provider's newest block is too old."""


class WrongChain(Exception):
    """The provider serves another chain."""


class NewestHead:
    """The time of the newest block that any provider has shown. Thread-safe.

    A block from the future is not believed beyond half of the lag that is allowed: a provider that lies about
    the time cannot make others look stale that are up to date.
    """

    def __init__(self, policy: HeadPolicy, clock_ms: Callable[[], int]) -> None:
        self._max_lag_s = policy.max_lag_s
        self._clock_ms = clock_ms
        self._newest_s = 0
        self._lock = Lock()

    def require_recent(self, timestamp_s: int) -> None:
        """Raises `Stale` if a newest block of that time (seconds since the Unix epoch) is too old."""
        now_s = self._clock_ms() // 1_000
        with self._lock:
            if timestamp_s <= now_s + self._max_lag_s // 2:
                self._newest_s = max(self._newest_s, timestamp_s)
            if timestamp_s < max(now_s, self._newest_s) - self._max_lag_s:
                raise Stale


class HeadCheck:
    """What is asked of one provider beside the calls, and what its answers say. Thread-safe."""

    def __init__(self, policy: HeadPolicy, newest: NewestHead, monotonic_s: Callable[[], float]) -> None:
        self._policy = policy
        self._newest = newest
        self._monotonic_s = monotonic_s
        self._next_at_s = float("-inf")
        self._on_chain = policy.chain_id is None

    def calls(self, *, trial: bool) -> tuple[RpcCall, ...]:
        """What to ask now: the chain until it is known to be right, the head at intervals and in trials."""
        due = trial or self._monotonic_s() >= self._next_at_s
        head = (_HEAD,) if self._policy.max_lag_s and due else ()
        return head if self._on_chain else (*head, _CHAIN)

    def judge(self, calls: Sequence[RpcCall], results: Sequence[RpcResult]) -> None:
        """Looks at the answers to what `calls` returned.

        Raises `Stale` and `WrongChain`, and ValueError for an answer that makes no sense.
        """
        for call, result in zip(calls, results, strict=True):
            if call is _CHAIN:
                if _quantity(result.value) != self._policy.chain_id:
                    raise WrongChain
                self._on_chain = True
            else:
                head = result.value if isinstance(result.value, dict) else {}
                self._newest.require_recent(_quantity(head.get("timestamp")))
                # Only now: a head that could not be looked at stays due.
                self._next_at_s = self._monotonic_s() + self._policy.interval_s


def _quantity(value: JsonValue) -> int:
    if not isinstance(value, str) or not _QUANTITY.fullmatch(value):
        raise ValueError("not a quantity")
    return int(value, 16)
