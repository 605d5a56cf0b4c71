"""What is measured: a relay on dynalite, which reports the capacity that DynamoDB would charge."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from logging import StreamHandler
from pathlib import Path

import pytest
from moto import mock_aws

from chalicelib.api import logs
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


@pytest.fixture
def quiet() -> Iterator[None]:
    """The access log is written, as in earnest, but not among the figures."""
    logs.configure()
    # Exactly this class: pytest's own handlers derive from it.
    handlers = [handler for handler in logging.getLogger("dm3").handlers if type(handler) is StreamHandler]
    with Path(os.devnull).open("w") as nowhere:
        streams = [handler.setStream(nowhere) for handler in handlers]
        yield
        for handler, stream in zip(handlers, streams, strict=True):
            handler.setStream(stream)
