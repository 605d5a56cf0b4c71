from __future__ import annotations

import pytest

from chalicelib.notify.webhooks.deliveries import Attempt
from chalicelib.notify.webhooks.patience import WASTED_S_PER_MINUTE, Patience
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.quota import Quotas
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.relay.ports import HandClock, SeededChance

ONE, OTHER = b"1" * 32, b"2" * 32
HUNG = Attempt(1, 0, 10_000, None, "timed_out")


class Bench:
    def __init__(self) -> None:
        self.clock, self.store, chance = HandClock(), MemoryStore(), SeededChance()
        vault = Vault(b"x" * 32, b"s" * 32, chance)
        self.patience = Patience(Quotas(self.store.counters, vault, self.clock, chance), chance)

    def charges(self, attempt: Attempt) -> int:
        """After how many of these the account has to wait."""
        for number in range(WASTED_S_PER_MINUTE + 1):
            if self.patience.wait_s(ONE):
                return number
            self.patience.charge(ONE, attempt)
        return 0


@pytest.mark.parametrize(
    ("attempt", "most"),
    [
        (HUNG, 30),
        (Attempt(1, 0, 30, 500), 291),
        (Attempt(1, 0, 9_999, 200), 33),  # who is slow on purpose, but fails never
        (Attempt(1, 0, 60_000, 200), 30),
        (Attempt(1, 0, 999, 200), 0),
    ],
)
def test_failures_and_slowness_are_bounded_and_quick_success_is_not(attempt: Attempt, most: int) -> None:
    assert Bench().charges(attempt) == most


def test_one_account_makes_no_other_wait_and_itself_only_for_a_minute() -> None:
    bench = Bench()
    bench.charges(HUNG)
    assert 60 <= bench.patience.wait_s(ONE) <= 600
    assert bench.patience.wait_s(OTHER) == 0
    bench.clock.pass_s(60)
    assert bench.patience.wait_s(ONE) == 0


def test_what_is_under_way_at_the_same_time_is_no_error_and_leaves_no_room() -> None:
    bench = Bench()
    for _ in range(50):
        bench.patience.charge(ONE, HUNG)
    assert bench.patience.wait_s(ONE) > 0


def test_nobody_waits_while_the_counters_do_not_answer() -> None:
    bench = Bench()
    bench.charges(HUNG)

    def fail(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    bench.store.faults = fail
    assert bench.patience.wait_s(ONE) == 0
    bench.patience.charge(ONE, HUNG)
