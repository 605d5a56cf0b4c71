"""Names whose records lead back to the relay that reads them."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import pytest

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.errors import UnverifiedSender
from chalicelib.relay.settings import RelaySettings
from tests.integration.http_house import House, open_house
from tests.unit.relay.world import ALICE, BOB, RELAY_NAME, Person, World

ENDLESS = 6


@dataclass
class Leading(MemoryDirectory):
    """Reading `<n>.evil.eth` asks a URL with `<n + 1>.evil.eth` in it, as a link or a gateway of it would."""

    template: str = ""
    statuses: list[int] = field(default_factory=list)
    fetcher: GuardedFetcher = field(default_factory=lambda: GuardedFetcher(allow_local=True))

    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        number, dot, parent = name.partition(".")
        if parent != "evil.eth" or int(number) >= ENDLESS:
            return super().lookup(name, fresh=fresh, toll=toll)
        url = self.template.format(f"{int(number) + 1}{dot}{parent}")
        self.statuses.append(self.fetcher.fetch(url, max_bytes=65_536, deadline_s=3.0).status)
        return ResolvedName(name)


@pytest.fixture
def house() -> Iterator[House]:
    with open_house(World(RelaySettings(RELAY_NAME), directory=Leading())) as opened:
        opened.world.settle(ALICE, BOB)
        yield opened


@pytest.mark.parametrize("path", ["/profile/{}", "/auth/{}"])
def test_a_chain_of_names_ends_with_the_first_request_to_the_relay_itself(house: House, path: str) -> None:
    directory = house.world.directory
    assert isinstance(directory, Leading)
    directory.template = house.url + path
    with pytest.raises(UnverifiedSender):
        house.world.submit(house.world.letter(Person("1.evil.eth")))
    assert len(directory.statuses) == 2  # remembered, and afresh
    assert set(directory.statuses) <= {403, 404}


def test_a_record_may_link_to_the_profile_that_stands_at_the_relay(house: House) -> None:
    house.world.clock.pass_s(house.world.settings.recheck_name_s)
    directory = house.world.directory
    readings = len(directory.readings)
    answer = house.ask("GET", "/profile/bob.eth", headers={"CDN-Loop": "dm3-relay"})
    assert (answer.status, answer.json) == (200, BOB.signed_profile.to_json())
    assert len(directory.readings) == readings
