"""What is measured: a relay on dynalite, which reports the capacity that DynamoDB would charge."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from moto import mock_aws

from chalicelib.relay.settings import Limits
from tests.faults.ground import ground_on
from tests.faults.wire import Wire
from tests.faults.world import Ground, World
from tests.support.dynalite import dynalite


@pytest.fixture(scope="module")
def wire() -> Wire:
    """Counts every call that leaves the process."""
    return Wire()


@pytest.fixture(scope="module")
def ground(wire: Wire) -> Iterator[Ground]:
    """Tables in dynalite, bodies in moto's S3, ENS on anvil."""
    with dynalite() as url, mock_aws(), ground_on(url, wire, bare=True) as built:
        yield built


@pytest.fixture
def world(ground: Ground) -> World:
    """A relay with the default limits and an empty inbox, its caches warm."""
    warm = World(ground, Limits())
    warm.submit("warm-up")
    warm.acknowledge(warm.fetch())
    return warm
