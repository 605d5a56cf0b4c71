from __future__ import annotations

from dataclasses import replace

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


def test_short_secrets_are_refused_at_once() -> None:
    with pytest.raises(ValueError, match="32 bytes"):
        World(secrets=replace(SECRETS, index_key=b"short"))
