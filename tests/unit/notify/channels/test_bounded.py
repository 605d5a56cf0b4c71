from __future__ import annotations

import json
from dataclasses import replace

import pytest

from chalicelib.fetching.failures import FetchFailed, FetchReason
from chalicelib.notify.channels.bounded import (
    PUSH_FAILURES_PER_HOUR,
    PUSHES_TO_HOST_PER_HOUR,
    SMS_TO_NUMBER_PER_DAY,
    Bounded,
    Bounds,
    push_bounds,
    sms_bounds,
)
from chalicelib.notify.channels.carrier import Withheld
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import Gone, Refused
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.quota import Quotas
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.desk_world import BOB, NUMBER, Browser
from tests.unit.notify.faults import MemoryCarrier
from tests.unit.relay.ports import HandClock, SeededChance

HOUR_S = 3_600
PHONE = WakeUpChannel(Channel.SMS, NUMBER, verified=True)


class Bench:
    """A carrier that fails as it is told, behind bounds."""

    def __init__(self, bounds: Bounds = lambda _: (), failures_per_hour: int = 0) -> None:
        self.clock = HandClock()
        self.inner = MemoryCarrier()
        vault = Vault(b"x" * 32, b"s" * 32, SeededChance())
        quotas = Quotas(MemoryStore().counters, vault, self.clock, SeededChance())
        self.carrier = Bounded(self.inner, bounds, failures_per_hour=failures_per_hour, quotas=quotas)

    def wake(self, channel: WakeUpChannel) -> None:
        self.carrier.wake(BOB.inbox, channel)


def at(endpoint: str) -> WakeUpChannel:
    text = json.dumps({**json.loads(Browser().subscription), "endpoint": endpoint})
    return WakeUpChannel(Channel.PUSH, text, verified=True)


def test_a_recipient_that_keeps_failing_is_left_alone_for_the_hour() -> None:
    bench = Bench(failures_per_hour=PUSH_FAILURES_PER_HOUR)
    one, other = at("https://one.example/"), at("https://other.example/")
    bench.inner.failures[one.recipient] = Unavailable()
    for _ in range(PUSH_FAILURES_PER_HOUR):
        with pytest.raises(Unavailable):
            bench.wake(one)
    with pytest.raises(Withheld):
        bench.wake(one)
    bench.wake(other)
    del bench.inner.failures[one.recipient]
    bench.clock.pass_s(HOUR_S)
    bench.wake(one)
    assert bench.inner.woken == [other.recipient, one.recipient]


@pytest.mark.parametrize("failure", [Gone(), Refused(), FetchFailed("Busy.", reason=FetchReason.BUSY)])
def test_what_is_no_failure_of_the_recipient_counts_for_nothing(failure: Exception) -> None:
    bench = Bench(failures_per_hour=1)
    bench.inner.failures[PHONE.recipient] = failure
    for _ in range(3):
        with pytest.raises(type(failure)):
            bench.wake(PHONE)


def test_pushes_to_a_host_are_bounded_for_all_accounts_together() -> None:
    """Ten subscriptions of every account may lead to one server, which was never asked."""
    (first,), (second,) = (
        push_bounds(at("https://victim.example/a")),
        push_bounds(at("https://VICTIM.example/b")),
    )
    assert first == second
    assert first.limit == PUSHES_TO_HOST_PER_HOUR
    bench = Bench(lambda channel: [replace(bound, limit=2) for bound in push_bounds(channel)])
    bench.wake(at("https://victim.example/a"))
    bench.wake(at("https://victim.example/b"))
    with pytest.raises(Withheld):
        bench.wake(at("https://victim.example/c"))
    bench.wake(at("https://elsewhere.example/"))


@pytest.mark.parametrize(
    "endpoint",
    [
        "https://fcm.googleapis.com/fcm/send/x",
        "https://updates.push.services.mozilla.com/wpush/v2/x",
        "https://web.push.apple.com/x",
        "https://wns2-par02p.notify.windows.com/w/?token=x",
    ],
)
def test_the_push_services_of_browsers_are_not_bounded(endpoint: str) -> None:
    assert push_bounds(at(endpoint)) == ()


@pytest.mark.parametrize("host", ["fcm.googleapis.com.evil.example", "xfcm.googleapis.com", "push.apple.com"])
def test_what_only_looks_like_one_is_bounded(host: str) -> None:
    assert len(push_bounds(at(f"https://{host}/"))) == 1


def test_a_number_is_texted_only_so_often_however_short_its_owner_makes_the_pauses() -> None:
    bench = Bench(sms_bounds)
    for _ in range(SMS_TO_NUMBER_PER_DAY):
        bench.wake(PHONE)
    with pytest.raises(Withheld):
        bench.wake(PHONE)
    bench.clock.pass_s(24 * HOUR_S)
    bench.wake(PHONE)
