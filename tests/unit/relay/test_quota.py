from __future__ import annotations

import pytest

from chalicelib.protocol.errors import LimitExceeded, Unavailable
from chalicelib.relay import quota
from chalicelib.relay.quota import Quota, Quotas
from chalicelib.relay.settings import Limits
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.ports import START_MS, HandClock, SeededChance


class Meter:
    """Quotas over a store whose operations are counted."""

    def __init__(self) -> None:
        self.clock = HandClock(START_MS // 3_600_000 * 3_600_000)
        self.store = MemoryStore()
        self.calls: list[str] = []
        self.store.faults = lambda operation, moment: self.calls.append(f"{operation} {moment}")
        chance = SeededChance()
        vault = Vault(b"i" * 32, b"s" * 32, chance)
        self.quotas = Quotas(self.store.counters, vault, self.clock, chance)


def admitted(meter: Meter, one: Quota) -> bool:
    """As admission does it: look, then charge."""
    try:
        meter.quotas.require_room([one])
        meter.quotas.charge(one)
    except LimitExceeded:
        return False
    return True


def hourly(limit: int, *, subject: str = "x", amount: int = 1, exact: bool = True) -> Quota:
    return Quota("test", subject, limit, 3_600, amount=amount, exact=exact)


def test_a_quota_lets_its_limit_through_and_says_when_to_come_back() -> None:
    meter = Meter()
    for _ in range(3):
        meter.quotas.require_room([hourly(3)])
        meter.quotas.charge(hourly(3))
    meter.clock.pass_s(600)
    for refused in (meter.quotas.charge, lambda one: meter.quotas.require_room([one])):
        with pytest.raises(LimitExceeded) as caught:
            refused(hourly(3))
        assert caught.value.retry_after_s == 3_000
    meter.clock.pass_s(3_000)
    meter.quotas.require_room([hourly(3)])
    meter.quotas.charge(hourly(3))


def test_subjects_and_kinds_do_not_share() -> None:
    meter = Meter()
    meter.quotas.charge(hourly(1))
    meter.quotas.charge(hourly(1, subject="y"))
    meter.quotas.charge(Quota("other", "x", 1, 3_600))
    with pytest.raises(LimitExceeded):
        meter.quotas.charge(hourly(1))


def test_reading_charges_nothing() -> None:
    meter = Meter()
    for _ in range(10):
        meter.quotas.require_room([hourly(1)])
    meter.quotas.charge(hourly(1))


def test_an_amount_that_would_pass_the_limit_is_refused_whole() -> None:
    meter = Meter()
    meter.quotas.charge(hourly(10, amount=8))
    with pytest.raises(LimitExceeded):
        meter.quotas.require_room([hourly(10, amount=3)])
    with pytest.raises(LimitExceeded):
        meter.quotas.charge(hourly(10, amount=3))
    meter.quotas.charge(hourly(10, amount=2))


def test_no_limit_costs_no_call() -> None:
    meter = Meter()
    meter.quotas.require_room([hourly(0)])
    meter.quotas.charge(hourly(0))
    assert meter.calls == []


def test_several_quotas_are_read_in_one_call() -> None:
    meter = Meter()
    meter.quotas.require_room([hourly(5), hourly(5, subject="y"), hourly(0)])
    assert meter.calls == ["counters.read before", "counters.read after"]


def test_a_large_quota_is_sampled_and_comes_out_right() -> None:
    meter = Meter()
    large = hourly(16_000, exact=False)
    assert large.sample == 16
    passed = sum(admitted(meter, large) for _ in range(20_000))
    assert 0.9 < passed / 16_000 < 1.1
    assert sum(call == "counters.charge before" for call in meter.calls) < passed / 10
    meter.clock.pass_s(3_600)
    assert admitted(meter, large)


def test_a_small_quota_is_counted_one_by_one() -> None:
    assert hourly(999, exact=False).sample == 1
    assert hourly(999_999, exact=True).sample == 1


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:DB8:0:0:ffff::2", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("fe80::1%eth0", "fe80::2", True),
        ("::ffff:192.0.2.1", "192.0.2.1", True),
        ("::ffff:192.0.2.1", "::ffff:192.0.2.2", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("", "unknown", False),
    ],
)
def test_a_source_is_a_network(one: str, other: str, same: bool) -> None:
    limits = Limits()
    for made in (quota.source_submits, quota.source_registrations, quota.source_lookups):
        assert (made(limits, one) == made(limits, other)) is same


def test_what_the_operator_overrides_counts_in_place_of_a_quotas_own_limit() -> None:
    meter = Meter()
    overridden = {"source_submits_per_minute": 1}
    meter.quotas = Quotas(
        meter.store.counters,
        Vault(b"i" * 32, b"s" * 32, SeededChance()),
        meter.clock,
        SeededChance(),
        overrides=lambda: overridden,
    )
    submits = quota.source_submits(Limits(), "192.0.2.1")
    assert [admitted(meter, submits) for _ in range(2)] == [True, False]
    assert all(admitted(meter, quota.source_lookups(Limits(), "192.0.2.1")) for _ in range(3))
    assert all(admitted(meter, quota.sender_messages(Limits(), "alice.eth")) for _ in range(3))
    overridden["source_submits_per_minute"] = 0
    meter.calls.clear()
    assert admitted(meter, submits)
    assert meter.calls == [], "not enforced"


def test_an_override_that_cannot_be_read_lets_nothing_through() -> None:
    meter = Meter()

    def unavailable() -> dict[str, int]:
        raise Unavailable

    quotas = Quotas(
        meter.store.counters,
        Vault(b"i" * 32, b"s" * 32, SeededChance()),
        meter.clock,
        SeededChance(),
        overrides=unavailable,
    )
    for use in (quotas.charge, lambda one: quotas.require_room([one])):
        with pytest.raises(Unavailable):
            use(quota.source_submits(Limits(), "192.0.2.1"))
    quotas.charge(quota.sender_messages(Limits(), "alice.eth"))


def test_the_relays_quotas_follow_its_limits() -> None:
    limits = Limits(
        source_submits_per_minute=1,
        source_registrations_per_hour=2,
        sender_messages_per_hour=3,
        receiver_kib_per_day=4,
        sign_in_failures_per_hour=5,
        source_lookups_per_minute=6,
        source_kib_per_day=7,
        operator_failures_per_hour=8,
        rule_changes_per_hour=9,
        source_sockets_per_minute=10,
        account_sockets_per_hour=11,
        socket_frames_per_minute=12,
    )
    made = [
        quota.source_submits(limits, "127.0.0.1"),
        quota.source_registrations(limits, "127.0.0.1"),
        quota.sender_messages(limits, "name alice.eth"),
        quota.receiver_space(limits, b"account", 3_000),
        quota.sign_in_failures(limits, b"account"),
        quota.source_lookups(limits, "127.0.0.1"),
        quota.source_space(limits, "127.0.0.1", 3_000),
        quota.operator_failures(limits, "127.0.0.1"),
        quota.rule_changes(limits, b"account"),
        quota.source_sockets(limits, "127.0.0.1"),
        quota.account_sockets(limits, b"account"),
        quota.source_frames(limits, "127.0.0.1"),
        quota.account_frames(limits, b"account"),
    ]
    assert [one.limit for one in made] == [1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12, 12]
    windows_s = [60, 3_600, 3_600, 86_400, 3_600, 60, 86_400, 3_600, 3_600, 60, 3_600, 60, 60]
    assert [one.window_s for one in made] == windows_s
    assert [one.amount for one in made] == [1, 1, 1, 3, 1, 1, 3, 1, 1, 1, 1, 1, 1]
    assert len({one.kind for one in made}) == 13
