from __future__ import annotations

import pytest

from chalicelib.relay.settings import Limits
from tests.unit.relay.world import RELAY_KEYS, SECRETS


@pytest.mark.parametrize(("days", "lifetime_s"), [(30, 2_592_000), (90, 7_776_000), (0, 3_153_600_000)])
def test_a_lifetime_in_days_is_kept_in_seconds_and_zero_is_without_end(days: int, lifetime_s: int) -> None:
    assert Limits(message_ttl_days=days).message_lifetime_s == lifetime_s


def test_two_escaped_copies_of_the_largest_message_fit_an_answer() -> None:
    assert 2 * Limits().size_limit_bytes < 6_291_556 - 100_000


def test_no_key_and_no_secret_is_printed() -> None:
    printed = repr(RELAY_KEYS) + repr(SECRETS)
    assert RELAY_KEYS.signing.private_key not in printed
    assert "111" not in printed
