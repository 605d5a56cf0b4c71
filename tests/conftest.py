"""What tests of every kind share: a whole relay, running."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.people import RunningRelay
from tests.interop.running import start_local_relay


@pytest.fixture(scope="session")
def local_relay() -> Iterator[RunningRelay]:
    """`dm3 local` in a process of its own, stopped when the tests are over.

    Tests that use it belong to the xdist group "local-relay", so that only one worker starts it.
    """
    with start_local_relay() as relay:
        yield relay
