from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.webhooks.retry_after import LONGEST_S
from chalicelib.notify.webhooks.tries import DELAYS_S, JITTER, TRIES, next_delay_s
from tests.unit.relay.ports import SeededChance

HOUR_S = 3_600


def test_ten_tries_over_about_75_hours() -> None:
    assert TRIES == 10
    assert DELAYS_S[0] == 0
    assert 75 * HOUR_S <= sum(DELAYS_S) <= 76 * HOUR_S
    assert sum(DELAYS_S) * (1 + JITTER) <= 80 * HOUR_S


@given(st.integers(1, 30), st.none() | st.integers(0, LONGEST_S))
def test_a_pause_is_never_shorter_than_planned_or_asked_for(tries: int, asked_s: int | None) -> None:
    delay_s = next_delay_s(tries, asked_s, SeededChance())
    if tries >= TRIES:
        assert delay_s is None
        return
    assert delay_s is not None
    planned_s = DELAYS_S[tries]
    assert max(planned_s, asked_s or 0) <= delay_s <= max(planned_s * (1 + JITTER) + 1, asked_s or 0)


def test_what_failed_together_is_not_tried_together() -> None:
    chance = SeededChance()
    assert len({next_delay_s(9, None, chance) for _ in range(50)}) > 40
