from __future__ import annotations

from dataclasses import dataclass, field

import pytest

from chalicelib.names.cache import CachePolicy
from chalicelib.names.directory import Toll
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import InvalidName, LimitExceeded, ReceiverMoved, UnknownReceiver
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.relay.standing import Standing
from tests.unit.names.simulated_chain import SimulatedChain
from tests.unit.relay.ports import HandClock
from tests.unit.relay.world import BOB, RELAY_NAME, Person

MOVED = BOB.moved_to("other.eth")


def published(person: Person) -> tuple[Standing, MemoryDirectory]:
    directory = MemoryDirectory()
    directory.add(person.name, person.address, data_uri(person.signed_profile.to_json()))
    return Standing(directory, RELAY_NAME), directory


def refusing() -> None:
    raise LimitExceeded(retry_after_s=1)


@pytest.mark.parametrize(
    ("services", "listed"),
    [
        ((RELAY_NAME,), True),
        (("other.eth", "Relay.ETH"), True),
        (("..", "", "a b", "x" * 300, RELAY_NAME), True),
        (("other.eth",), False),
        (("sub.relay.eth", "relay.eth.other.eth"), False),
        (("..",), False),
        ((), False),
    ],
)
def test_a_profile_lists_this_relay_by_its_normalised_name(services: tuple[str, ...], listed: bool) -> None:
    standing, _ = published(BOB.moved_to(*services))
    assert standing.listed(BOB.name) is listed
    if listed:
        standing.require_listed(BOB.name)
    else:
        with pytest.raises(ReceiverMoved):
            standing.require_listed(BOB.name)


def test_a_bare_profile_counts_as_well() -> None:
    standing, directory = published(BOB)
    record = "data:application/json," + canonicalize(MOVED.profile.to_json())
    directory.add(BOB.name, BOB.address, record)
    assert standing.listed(BOB.name) is False


@pytest.mark.parametrize("record", [None, "rubbish", "data:application/json,{}"])
def test_who_publishes_no_profile_has_not_moved(record: str | None) -> None:
    standing, directory = published(MOVED)
    directory.add(BOB.name, BOB.address, record)
    assert standing.listed(BOB.name) is None
    standing.require_listed(BOB.name)


def test_who_cannot_be_asked_for_has_not_moved() -> None:
    standing, directory = published(MOVED)
    standing.require_listed("nobody.eth")
    directory.fail = True
    assert standing.listed(BOB.name) is None
    standing.require_listed(BOB.name)


def test_a_lookup_that_is_refused_for_its_rate_lets_mail_through() -> None:
    standing, directory = published(MOVED)
    assert standing.listed(BOB.name, toll=refusing) is None
    standing.require_listed(BOB.name, toll=refusing)
    assert directory.readings == []


def test_only_so_many_services_of_one_profile_are_read() -> None:
    standing, _ = published(BOB.moved_to(*("é.eth" for _ in range(100)), RELAY_NAME))
    assert standing.listed(BOB.name) is False


def test_a_name_of_the_relay_that_is_none_is_refused_at_once() -> None:
    with pytest.raises(InvalidName):
        Standing(MemoryDirectory(), "no name")


def test_the_refusal_is_one_of_an_unknown_receiver_and_names_nobody() -> None:
    assert isinstance(ReceiverMoved(), UnknownReceiver)
    assert (ReceiverMoved.code, ReceiverMoved.status, ReceiverMoved.retry) == (-32001, 404, False)


@dataclass
class Remembering:
    """A directory that remembers, over a chain in memory."""

    chain: SimulatedChain = field(default_factory=SimulatedChain)
    clock: HandClock = field(default_factory=HandClock)
    policy: CachePolicy = field(default_factory=CachePolicy)

    def __post_init__(self) -> None:
        directory = EnsDirectory(self.chain, clock_ms=self.clock.now_ms, policy=self.policy)
        self.standing = Standing(directory, RELAY_NAME)

    def publish(self, person: Person) -> None:
        self.chain.addresses[person.name] = person.address
        record = data_uri(person.signed_profile.to_json())
        self.chain.texts[person.name, USER_PROFILE_RECORD] = record

    def moved(self, toll: Toll | None = None) -> bool:
        try:
            self.standing.require_listed(BOB.name, toll=toll)
        except ReceiverMoved:
            return True
        return False


def test_it_costs_one_request_when_cold_and_none_when_warm() -> None:
    house = Remembering()
    house.publish(BOB)
    tolls: list[int] = []
    for _ in range(3):
        assert not house.moved(lambda: tolls.append(1))
    assert (house.chain.requests, len(tolls)) == (1, 1)


def test_a_refusal_just_read_is_not_read_again() -> None:
    house = Remembering()
    house.publish(MOVED)
    assert house.moved()
    assert house.chain.requests == 1


def test_a_remembered_move_is_looked_up_afresh_before_mail_is_refused() -> None:
    house = Remembering()
    house.publish(MOVED)
    assert house.moved()
    house.publish(BOB)
    assert house.moved(), "at a limited rate"
    house.clock.pass_s(house.policy.fresh_interval_ms / 1_000)
    assert not house.moved()
    assert house.chain.requests == 2


def test_a_profile_that_was_taken_back_does_not_keep_mail_away() -> None:
    house = Remembering()
    house.publish(MOVED)
    assert house.moved()
    house.chain.texts.clear()
    house.clock.pass_s(house.policy.fresh_interval_ms / 1_000)
    assert not house.moved()


@pytest.mark.parametrize("why", ["the chain does not answer", "the source has no lookups left"])
def test_a_remembered_move_stands_if_it_cannot_be_read_afresh(why: str) -> None:
    house = Remembering()
    house.publish(MOVED)
    assert house.moved()
    house.clock.pass_s(house.policy.fresh_interval_ms / 1_000)
    house.chain.fail = why == "the chain does not answer"
    assert house.moved(refusing if not house.chain.fail else None)


def test_a_move_is_seen_when_what_is_remembered_has_ended() -> None:
    house = Remembering()
    house.publish(BOB)
    assert not house.moved()
    house.publish(MOVED)
    assert not house.moved()
    house.clock.pass_s(house.policy.positive_ms / 1_000)
    assert house.moved()
