from __future__ import annotations

import pytest

from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.errors import LimitExceeded, Unavailable
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.ports import HandClock, SeededChance
from tests.unit.relay.world import ALICE, BOB


class Shelf:
    """A name book with everything around it."""

    def __init__(self) -> None:
        self.clock, self.directory, self.store = HandClock(), MemoryDirectory(), MemoryStore()
        settings = RelaySettings(
            "relay.eth", Limits(unknown_names_per_minute=2), recheck_name_s=60, trust_name_s=600
        )
        vault = Vault(b"i" * 32, b"s" * 32, SeededChance())
        self.names = NameBook(self.store.accounts, vault, self.directory, self.clock, settings)
        self.directory.add("bob.eth", BOB.address)


@pytest.fixture
def shelf() -> Shelf:
    return Shelf()


def test_a_young_link_is_believed_without_asking(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    shelf.clock.pass_s(59)
    assert shelf.names.address("bob.eth") == BOB.address
    assert shelf.directory.readings == []


def test_an_old_link_is_checked_and_young_again(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    shelf.clock.pass_s(60)
    for _ in range(3):
        assert shelf.names.address("bob.eth") == BOB.address
    assert shelf.directory.readings == ["bob.eth"]


def test_asking_for_a_check_gets_one(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    assert shelf.names.address("bob.eth", recheck=True) == BOB.address
    assert shelf.directory.readings == ["bob.eth"]


@pytest.mark.parametrize("now", [ALICE.address, None])
def test_a_name_that_has_moved_loses_its_link(shelf: Shelf, now: str | None) -> None:
    shelf.names.link("bob.eth", BOB.address)
    shelf.directory.add("bob.eth", now)
    shelf.clock.pass_s(60)
    assert shelf.names.address("bob.eth") == now
    assert not shelf.names.is_linked("bob.eth", BOB.address)


def test_a_link_is_believed_longer_while_ens_is_away_but_not_for_ever(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    shelf.directory.fail = True
    shelf.clock.pass_s(599)
    assert shelf.names.address("bob.eth") == BOB.address
    shelf.clock.pass_s(1)
    with pytest.raises(Unavailable):
        shelf.names.address("bob.eth")


def test_names_without_a_link_pass_a_gate(shelf: Shelf) -> None:
    assert shelf.names.address("bob.eth") == BOB.address
    assert shelf.names.address("nobody.eth") is None
    with pytest.raises(LimitExceeded) as caught:
        shelf.names.address("somebody.eth")
    assert caught.value.retry_after_s > 0
    shelf.names.link("bob.eth", BOB.address)
    assert shelf.names.address("bob.eth") == BOB.address
    shelf.clock.pass_s(60)
    assert shelf.names.address("somebody.eth") is None


def test_a_link_sealed_under_a_key_that_is_gone_is_no_link(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    settings = RelaySettings("relay.eth")
    rotated = Vault(b"i" * 32, b"r" * 32, SeededChance())
    names = NameBook(shelf.store.accounts, rotated, shelf.directory, shelf.clock, settings)
    assert names.address("bob.eth") == BOB.address
    assert shelf.directory.readings == ["bob.eth"]


def test_only_the_owners_link_is_taken_away(shelf: Shelf) -> None:
    shelf.names.link("bob.eth", BOB.address)
    shelf.names.unlink("bob.eth", ALICE.address)
    assert shelf.names.is_linked("bob.eth", BOB.address)
    shelf.names.unlink("bob.eth", BOB.address)
    shelf.names.unlink("bob.eth", BOB.address)
    assert not shelf.names.is_linked("bob.eth", BOB.address)
