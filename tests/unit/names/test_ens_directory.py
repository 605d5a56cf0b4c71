from __future__ import annotations

import subprocess
import sys

import pytest

from chalicelib.names.aliases import Aliases
from chalicelib.names.cache import CachePolicy
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, USER_PROFILE_RECORD
from tests.unit.names.people import SERVICE, Person, data_uri
from tests.unit.names.simulated_chain import SimulatedChain

ALICE, MALLORY = Person(1), Person(5)
POLICY = CachePolicy(positive_ms=1_000, negative_ms=100, unusable_ms=10)


class World:
    def __init__(self) -> None:
        self.now_ms = 1_700_000_000_000
        self.chain = SimulatedChain(
            {"alice.eth": ALICE.address, "relay.eth": MALLORY.address},
            {
                ("alice.eth", USER_PROFILE_RECORD): ALICE.signed_record(),
                ("relay.eth", DELIVERY_SERVICE_RECORD): data_uri(SERVICE),
            },
        )
        self.directory = EnsDirectory(self.chain, clock_ms=lambda: self.now_ms, policy=POLICY)


@pytest.fixture
def world() -> World:
    return World()


def test_a_cold_lookup_takes_one_request_and_a_warm_one_none(world: World) -> None:
    for _ in range(3):
        found = world.directory.lookup("alice.eth")
        assert found.address == ALICE.address
        assert found.signed is not None
        assert world.chain.requests == 1
    assert len(world.chain.calls) == 1


def test_a_delivery_service_takes_one_request_and_then_none(world: World) -> None:
    for _ in range(3):
        found = world.directory.delivery_service("relay.eth")
        assert found is not None
        assert found.url == "https://relay.example"
        assert world.chain.requests == 1


def test_a_name_that_does_not_exist(world: World) -> None:
    for _ in range(2):
        found = world.directory.lookup("nobody.eth")
        assert (found.name, found.address, found.profile, found.signed) == ("nobody.eth", None, None, None)
        assert world.chain.requests == 1
    assert world.directory.delivery_service("nobody.eth") is None


def test_a_rotated_profile_is_seen_when_its_life_ends(world: World) -> None:
    world.directory.lookup("alice.eth")
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = Person(9).bare_record()
    assert world.directory.lookup("alice.eth").profile == ALICE.profile
    world.now_ms += POLICY.positive_ms
    assert world.directory.lookup("alice.eth").profile == Person(9).profile


def test_a_rotated_profile_is_seen_at_once_when_asked_for_afresh(world: World) -> None:
    world.directory.lookup("alice.eth")
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = Person(9).bare_record()
    world.now_ms += POLICY.fresh_interval_ms
    assert world.directory.lookup("alice.eth", fresh=True).profile == Person(9).profile
    assert world.directory.lookup("alice.eth").profile == Person(9).profile


def test_a_rubbish_record_is_not_remembered_for_as_long(world: World) -> None:
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = "rubbish"
    assert world.directory.lookup("alice.eth").profile is None
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = ALICE.signed_record()
    world.now_ms += POLICY.unusable_ms
    assert world.directory.lookup("alice.eth").profile == ALICE.profile


def test_invalidate_forgets_both_records(world: World) -> None:
    world.directory.lookup("alice.eth")
    world.directory.delivery_service("alice.eth")
    assert world.chain.requests == 2
    world.directory.invalidate("alice.eth")
    world.directory.lookup("alice.eth")
    world.directory.delivery_service("alice.eth")
    assert world.chain.requests == 4


ALIASES = Aliases.parse(".gno=.eth,.g2=.eth")


def test_a_name_under_an_alias_is_looked_up_as_another_and_keeps_its_name(world: World) -> None:
    directory = EnsDirectory(world.chain, clock_ms=lambda: world.now_ms, aliases=ALIASES)
    found = directory.lookup("alice.gno")
    assert (found.name, found.spellings) == ("alice.gno", ("alice.eth", "alice.g2"))
    assert found.signed is not None
    assert directory.lookup("alice.eth").spellings == ("alice.gno", "alice.g2")
    service = directory.delivery_service("relay.gno")
    assert service is not None
    assert directory.lookup("nobody.gno").spellings == ("nobody.eth", "nobody.g2")
    assert world.directory.lookup("alice.gno").address is None, "nothing is guessed without configuration"


@pytest.mark.parametrize("name", ["alice.eth", "alice.gno", "alice.g2"])
def test_every_spelling_of_a_name_is_told_whichever_was_asked_for(world: World, name: str) -> None:
    directory = EnsDirectory(world.chain, clock_ms=lambda: world.now_ms, aliases=ALIASES)
    for _ in range(2):  # read, and remembered
        found = directory.lookup(name)
        assert found.name == name
        assert {found.name, *found.spellings} == {"alice.eth", "alice.gno", "alice.g2"}
    assert directory.lookup("relay.xyz").spellings == ()


def test_configuration_wins_over_a_name_of_that_spelling(world: World) -> None:
    world.chain.addresses["alice.gno"] = MALLORY.address
    directory = EnsDirectory(world.chain, clock_ms=lambda: world.now_ms, aliases=ALIASES)
    assert directory.lookup("alice.gno").address == ALICE.address


@pytest.mark.parametrize("invalidated", ["alice.eth", "alice.gno", "alice.g2"])
def test_a_name_is_forgotten_under_all_its_spellings(world: World, invalidated: str) -> None:
    directory = EnsDirectory(world.chain, clock_ms=lambda: world.now_ms, aliases=ALIASES)
    names = ("alice.eth", "alice.gno", "alice.g2")
    for name in names:
        directory.lookup(name)
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = Person(9).bare_record()
    directory.invalidate(invalidated)
    for name in names:
        assert directory.lookup(name).profile == Person(9).profile


def test_a_chain_that_is_down(world: World) -> None:
    world.directory.lookup("alice.eth")
    world.chain.fail = True
    world.now_ms += POLICY.positive_ms
    assert world.directory.lookup("alice.eth").profile == ALICE.profile
    with pytest.raises(Unavailable):
        world.directory.lookup("bob.eth")
    with pytest.raises(Unavailable):
        world.directory.lookup("alice.eth", fresh=True)


def test_a_link_nobody_can_follow_is_unavailable(world: World) -> None:
    world.chain.texts["alice.eth", USER_PROFILE_RECORD] = "https://example.com/p?dm3Hash=0x" + "00" * 32
    with pytest.raises(Unavailable):
        world.directory.lookup("alice.eth")


def test_no_heavy_library_is_loaded() -> None:
    heavy = ["web3", "eth_abi", "eth_account", "eth_hash", "ens_normalize", "requests", "boto3", "asyncio"]
    program = (
        "import sys; import chalicelib.names.ens_directory, chalicelib.names.http_transport,"
        f" chalicelib.names.normalize; print([name for name in {heavy!r} if name in sys.modules])"
    )
    run = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=True)
    assert run.stdout.strip() == "[]"
