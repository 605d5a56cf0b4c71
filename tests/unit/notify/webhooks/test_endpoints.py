from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.notify.preference_text import from_bytes, to_bytes
from chalicelib.notify.preferences import Endpoint, EndpointState, Preferences, Secret
from chalicelib.notify.webhooks.deliveries import Attempt
from chalicelib.notify.webhooks.endpoints import (
    OLD_SECRET_MS,
    PAUSED_AFTER_MS,
    after,
    rotated,
    told,
    valid_secrets,
    verified,
)

ACTIVE = Endpoint("id", "https://a.example/", EndpointState.ACTIVE, (Secret("whsec_1", 1),), 1)


def attempt(at_ms: int, status: int | None = 500) -> Attempt:
    return Attempt(1, at_ms, 5, status)


def failed(endpoint: Endpoint, at_ms: int, status: int | None = 500, *, was_last: bool = False) -> Endpoint:
    return after(endpoint, attempt(at_ms, status), was_last=was_last)


def test_success_ends_what_failures_began() -> None:
    failing = failed(failed(ACTIVE, 10), 20, None)
    assert failing.failing_since_ms == 10
    assert after(failing, attempt(30, 200), was_last=False) == ACTIVE


def test_three_days_of_nothing_but_failures_up_to_a_last_try() -> None:
    failing = failed(ACTIVE, 10)
    almost = failed(failing, 10 + PAUSED_AFTER_MS - 1, was_last=True)
    assert almost.state is EndpointState.ACTIVE
    assert failed(failing, 10 + PAUSED_AFTER_MS, was_last=False) == failing
    paused = failed(failing, 10 + PAUSED_AFTER_MS, was_last=True)
    assert (paused.state, paused.owner_untold) == (EndpointState.PAUSED, True)
    assert told(paused).owner_untold is False
    assert verified(paused) == ACTIVE


def test_410_is_final_at_once() -> None:
    gone = failed(ACTIVE, 10, 410)
    assert (gone.state, gone.owner_untold) == (EndpointState.GONE, False)
    assert verified(gone) == ACTIVE


@pytest.mark.parametrize("state", [EndpointState.PAUSED, EndpointState.GONE, EndpointState.UNVERIFIED])
@pytest.mark.parametrize("status", [200, 410, 500])
def test_what_is_not_active_is_left_as_it_is(state: EndpointState, status: int) -> None:
    endpoint = replace(ACTIVE, state=state, failing_since_ms=0)
    assert after(endpoint, attempt(PAUSED_AFTER_MS * 2, status), was_last=True) == endpoint


def test_two_secrets_at_most() -> None:
    once = rotated(ACTIVE, "whsec_2", 1_000)
    assert valid_secrets(once, 1_000) == ("whsec_2", "whsec_1")
    assert valid_secrets(once, 1_000 + OLD_SECRET_MS) == ("whsec_2",)
    assert valid_secrets(rotated(once, "whsec_3", 2_000), 2_000) == ("whsec_3", "whsec_2")


def test_the_store_keeps_all_of_it() -> None:
    preferences = Preferences(endpoints=(replace(ACTIVE, owner_untold=True),))
    assert from_bytes(to_bytes(preferences)) == preferences
