from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.events import Channel
from chalicelib.notify.pauses import SKEW_MS, Pause, Pauses, fingerprint
from chalicelib.notify.plan import MOST_PAUSE_MINUTES
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.outbox_world import owner
from tests.unit.relay.ports import START_MS, SeededChance

OWNER = owner(1)
A, B = fingerprint("a"), fingerprint("b")
MINUTE_MS = 60_000
VAULT = Vault(b"x" * 32, b"s" * 32, SeededChance())


def _pauses(store: MemoryStore | None = None, channel: Channel = Channel.EMAIL) -> Pauses:
    return Pauses(channel, (store or MemoryStore()).counters, VAULT)


def test_one_takes_the_pause_and_may_come_again_and_no_other_may() -> None:
    pauses = _pauses()
    assert pauses.standing(OWNER, START_MS) is None
    taken = pauses.take(OWNER, A, 15, START_MS)
    assert taken == Pause(START_MS, 15, A, 0)
    assert pauses.take(OWNER, B, 15, START_MS + 1) is None
    assert pauses.take(OWNER, A, 15, START_MS + 2) == taken
    assert pauses.standing(OWNER, START_MS + 3) == taken


def test_a_pause_ends() -> None:
    pauses = _pauses()
    taken = pauses.take(OWNER, A, 15, START_MS)
    assert taken is not None
    assert taken.ends_at_ms == START_MS + 15 * MINUTE_MS
    assert pauses.take(OWNER, B, 1, taken.ends_at_ms - 1) is None
    assert pauses.take(OWNER, B, 1, taken.ends_at_ms) == Pause(taken.ends_at_ms, 1, B, 0)


def test_accounts_and_channels_have_pauses_of_their_own() -> None:
    store = MemoryStore()
    assert _pauses(store).take(OWNER, A, 15, START_MS)
    assert _pauses(store).take(owner(2), B, 15, START_MS)
    assert _pauses(store, Channel.PUSH).take(OWNER, B, 15, START_MS)
    _pauses(store).tell(OWNER, START_MS)
    assert _pauses(store, Channel.PUSH).told_until_ms(OWNER, START_MS) == 0


def test_what_was_told_is_remembered_and_never_goes_back() -> None:
    pauses = _pauses()
    assert pauses.told_until_ms(OWNER, START_MS) == 0
    for woken_at_ms in (START_MS, START_MS + 1, START_MS, START_MS + MINUTE_MS, START_MS):
        pauses.tell(OWNER, woken_at_ms)
    assert pauses.told_until_ms(OWNER, START_MS + MINUTE_MS) == START_MS + MINUTE_MS - SKEW_MS


def test_a_pause_knows_whether_its_taker_has_woken() -> None:
    pauses = _pauses()
    pauses.take(OWNER, A, 1, START_MS)
    pauses.tell(OWNER, START_MS)
    later_ms = START_MS + MINUTE_MS
    pauses.take(OWNER, B, 1, later_ms)
    standing = pauses.standing(OWNER, later_ms)
    assert standing is not None
    assert not standing.has_woken
    pauses.tell(OWNER, later_ms)
    standing = pauses.standing(OWNER, later_ms)
    assert standing is not None
    assert standing.has_woken


def test_of_several_recipients_those_that_were_reached_are_known_within_the_pause() -> None:
    pauses = _pauses()
    laptop, telephone = (WakeUpChannel(Channel.PUSH, name) for name in ("laptop", "telephone"))
    first = pauses.take(OWNER, A, 1, START_MS)
    assert first is not None
    assert pauses.reached(OWNER, first, [laptop, telephone], START_MS) == frozenset()
    pauses.mark_reached(OWNER, first, laptop, START_MS)
    pauses.mark_reached(OWNER, first, laptop, START_MS)
    assert pauses.reached(OWNER, first, [laptop, telephone], START_MS) == {"laptop"}
    second = pauses.take(OWNER, B, 1, START_MS + MINUTE_MS)
    assert second is not None
    assert pauses.reached(OWNER, second, [laptop, telephone], START_MS + MINUTE_MS) == frozenset()


@given(st.integers(1, MOST_PAUSE_MINUTES), st.integers(START_MS, 2**42), st.text())
def test_a_pause_survives_its_counter(minutes: int, now_ms: int, record_id: str) -> None:
    pauses = _pauses()
    taken = pauses.take(OWNER, fingerprint(record_id), minutes, now_ms)
    assert pauses.standing(OWNER, now_ms) == taken == Pause(now_ms, minutes, fingerprint(record_id), 0)
