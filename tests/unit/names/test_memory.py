from __future__ import annotations

import pytest

from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.errors import InvalidName, Unavailable
from tests.unit.names.people import Person

ALICE = Person(1)


def test_names_are_added_replaced_and_removed() -> None:
    directory = MemoryDirectory()
    directory.add("Alice.eth", ALICE.address, ALICE.signed_record())
    assert directory.lookup("alice.eth").signed is not None
    directory.add("alice.eth", ALICE.address)
    assert directory.lookup("alice.eth").profile is None
    directory.remove("alice.eth")
    directory.remove("alice.eth")
    assert directory.lookup("alice.eth").address is None


def test_names_that_cannot_be_normalised_are_refused() -> None:
    with pytest.raises(InvalidName):
        MemoryDirectory().add("al ice.eth", ALICE.address)


def test_it_fails_when_told_to() -> None:
    directory = MemoryDirectory(fail=True)
    with pytest.raises(Unavailable):
        directory.lookup("alice.eth")
    with pytest.raises(Unavailable):
        directory.delivery_service("alice.eth")
    directory.fail = False
    assert directory.lookup("alice.eth").address is None


def test_it_counts_what_it_is_asked() -> None:
    directory = MemoryDirectory()
    directory.lookup("alice.eth")
    directory.lookup("alice.eth", fresh=True)
    directory.delivery_service("relay.eth")
    assert directory.readings == ["alice.eth", "alice.eth", "relay.eth"]
    assert directory.fresh_readings == ["alice.eth"]


def test_it_notes_what_is_to_be_forgotten() -> None:
    directory = MemoryDirectory()
    directory.invalidate("alice.eth")
    assert directory.invalidated == ["alice.eth"]
