"""What the fault tests stand on: AWS in this process, a chain of their own, and the wire between."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.faults.ground import moto_ground
from tests.faults.wire import Wire
from tests.faults.world import Ground


@pytest.fixture(scope="module")
def wire() -> Wire:
    """Everything that leaves the process goes over it."""
    return Wire()


@pytest.fixture(scope="module")
def ground(wire: Wire) -> Iterator[Ground]:
    """AWS by moto, ENS on anvil."""
    with moto_ground(wire) as built:
        yield built
