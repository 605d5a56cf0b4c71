from __future__ import annotations

from dataclasses import asdict, replace

import pytest

from chalicelib.relay.settings import Limits, RelaySettings
from tests.unit.relay.world import SECRETS, World


def test_putting_a_relay_together_asks_nobody() -> None:
    world = World()
    assert not world.calls
    assert not world.directory.readings


def test_the_advertised_properties_are_the_enforced_limits() -> None:
    world = World(RelaySettings("relay.eth", Limits(size_limit_bytes=5_000, message_ttl_days=60)))
    properties = world.relay.properties()
    assert (properties.size_limit_bytes, properties.message_ttl_days) == (5_000, 60)
    assert properties.notification_channels == ()


def test_the_advertised_quotas_are_the_enforced_ones() -> None:
    limits = Limits(sender_messages_per_hour=1, page_messages_max=7)
    told = World(RelaySettings("relay.eth", limits)).relay.properties().limits
    assert told is not None
    assert (told["senderMessagesPerHour"], told["pageMessages"]) == (1, 7)
    assert set(told.values()) <= set(asdict(limits).values())


def test_short_secrets_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        World(secrets=replace(SECRETS, index_key=b"short"))
