"""The counters of pauses between wake-ups hold large numbers, and are set by their own limits."""

from __future__ import annotations

from chalicelib.notify.events import Channel
from chalicelib.notify.pauses import SKEW_MS, Pause, Pauses, fingerprint
from chalicelib.notify.plan import MOST_PAUSE_MINUTES
from chalicelib.relay.vault import Vault
from tests.support.stores import NOW_S, Backend, new_key
from tests.unit.relay.ports import SeededChance

NOW_MS = NOW_S * 1_000
A, B = fingerprint("a"), fingerprint("b")


def _pauses(backend: Backend) -> Pauses:
    return Pauses(Channel.EMAIL, backend.store.counters, Vault(b"x" * 32, b"s" * 32, SeededChance()))


def test_a_pause_is_taken_by_one_and_ends(backend: Backend) -> None:
    pauses, owner = _pauses(backend), new_key()
    taken = pauses.take(owner, A, MOST_PAUSE_MINUTES, NOW_MS)
    assert taken == Pause(NOW_MS, MOST_PAUSE_MINUTES, A, 0)
    assert pauses.take(owner, B, 1, NOW_MS + 1) is None
    assert pauses.take(owner, A, 1, NOW_MS + 1) == taken
    assert pauses.standing(owner, NOW_MS + 1) == taken
    assert pauses.take(owner, B, 1, taken.ends_at_ms) == Pause(taken.ends_at_ms, 1, B, 0)


def test_what_was_told_moves_on_and_never_back(backend: Backend) -> None:
    pauses, owner = _pauses(backend), new_key()
    for woken_at_ms in (NOW_MS, NOW_MS + 1, NOW_MS, NOW_MS + 60_000, NOW_MS):
        pauses.tell(owner, woken_at_ms)
    assert pauses.told_until_ms(owner, NOW_MS) == NOW_MS + 60_000 - SKEW_MS
