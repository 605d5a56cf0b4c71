from __future__ import annotations

from dataclasses import replace

import pytest

from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import (
    Endpoint,
    EndpointState,
    PendingCode,
    Preferences,
    Secret,
    WakeUpChannel,
)
from chalicelib.protocol.errors import NotFound

FIRST = Endpoint("e1", "https://one.example/", EndpointState.ACTIVE, (Secret("whsec_1", 1),), 1)
SECOND = Endpoint("e2", "https://two.example/", EndpointState.PAUSED, (Secret("whsec_2", 2),), 2)
PREFERENCES = Preferences(
    channels=(
        WakeUpChannel(Channel.PUSH, "laptop"),
        WakeUpChannel(Channel.EMAIL, "bob@example.org"),
        WakeUpChannel(Channel.PUSH, "telephone", code=PendingCode(b"hash", 1, 3)),
    ),
    endpoints=(FIRST, SECOND),
)


def test_an_endpoint_is_found_by_its_id() -> None:
    assert PREFERENCES.endpoint("e2") == SECOND
    with pytest.raises(NotFound):
        PREFERENCES.endpoint("e3")


def test_an_endpoint_is_changed_in_its_place_and_none_comes_back() -> None:
    changed = replace(FIRST, state=EndpointState.GONE)
    assert PREFERENCES.with_endpoint(changed).endpoints == (changed, SECOND)
    assert PREFERENCES.with_endpoint(replace(FIRST, endpoint_id="e3")) == PREFERENCES


def test_channels_of_a_kind_keep_their_order() -> None:
    assert [one.recipient for one in PREFERENCES.of(Channel.PUSH)] == ["laptop", "telephone"]
    assert PREFERENCES.of(Channel.SMS) == ()


def test_a_log_line_that_prints_them_shows_no_recipient_no_url_and_no_secret() -> None:
    printed = repr(PREFERENCES)
    for secret in ("laptop", "bob@example.org", "telephone", "hash", "one.example", "whsec_1"):
        assert secret not in printed
