"""The interop suite runs against two relays: the one on this machine, and the packaged one in MiniStack."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.interop.people import People, Person, RunningRelay
from tests.interop.reference import Reference, start_reference


@pytest.fixture(
    scope="module",
    params=[
        pytest.param("local", marks=[pytest.mark.chain, pytest.mark.xdist_group("local-relay")]),
        pytest.param("deployed", marks=[pytest.mark.ministack, pytest.mark.xdist_group("deployed-relay")]),
    ],
)
def relay(request: pytest.FixtureRequest) -> RunningRelay:
    """The relay under test."""
    running: RunningRelay = request.getfixturevalue(f"{request.param}_relay")
    return running


@pytest.fixture(scope="module")
def reference() -> Iterator[Reference]:
    """The published libraries, in a process of their own for each module of tests."""
    with start_reference() as started:
        yield started


@pytest.fixture(scope="module")
def people(reference: Reference, relay: RunningRelay) -> People:
    """Makes people with names on the relay's chain."""
    return People(reference, relay)


@pytest.fixture
def alice(people: People) -> Person:
    """A sender who has an account too."""
    return people.join("alice")


@pytest.fixture
def bob(people: People) -> Person:
    """A receiver with an account and an empty inbox."""
    return people.join("bob")


@pytest.fixture
def carol(people: People) -> Person:
    """A third person with an account."""
    return people.join("carol")


@pytest.fixture
def stranger(people: People) -> Person:
    """Somebody with a published profile that names this relay, but without an account here."""
    return people.create("stranger")
