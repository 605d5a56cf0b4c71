from __future__ import annotations

import pytest

from chalicelib.notify.sockets.gates import Gates
from chalicelib.protocol.errors import LimitExceeded, Unavailable
from chalicelib.relay.quota import Quotas
from chalicelib.store.memory import Moment
from tests.unit.notify.sockets.house import House
from tests.unit.relay.world import ALICE, BOB, limited


def gates_of(house: House) -> Gates:
    world = house.world
    quotas = Quotas(world.store.counters, house.vault, world.clock, world.chance)
    return Gates(quotas, world.settings.limits)


def test_openings_are_charged_to_their_source() -> None:
    gates = gates_of(House(limited(source_sockets_per_minute=1)))
    gates.opening("192.0.2.1")
    gates.opening("192.0.2.2")
    with pytest.raises(LimitExceeded):
        gates.opening("192.0.2.1")


def test_one_host_cannot_change_its_address_within_its_network() -> None:
    gates = gates_of(House(limited(source_sockets_per_minute=1)))
    gates.opening("2001:db8::1")
    with pytest.raises(LimitExceeded):
        gates.opening("2001:db8::2")


def test_signing_in_is_charged_to_the_account() -> None:
    house = House(limited(account_sockets_per_hour=1))
    gates = gates_of(house)
    gates.signing_in(house.world.account(BOB))
    gates.signing_in(house.world.account(ALICE))
    with pytest.raises(LimitExceeded):
        gates.signing_in(house.world.account(BOB))


def test_frames_are_charged_to_source_and_account() -> None:
    house = House(limited(socket_frames_per_minute=2))
    house.connect("c1")
    gates = gates_of(house)
    socket = house.socket("c1")
    gates.frame(socket)
    gates.frame(socket)
    with pytest.raises(LimitExceeded):
        gates.frame(socket)


def test_before_it_has_signed_in_a_socket_has_frames_for_that_and_no_more() -> None:
    house = House(limited(source_sockets_per_minute=3))
    house.connect("c1")
    house.plain("c2")
    gates = gates_of(house)
    gates.frame(house.socket("c1"))
    for _ in range(10):
        gates.frame(house.socket("c2"))
    for _ in range(4):  # one of the six was the subscription of c2
        gates.frame(house.socket("c1"))
    with pytest.raises(LimitExceeded):
        gates.frame(house.socket("c1"))


def test_backlogs_are_charged_to_the_account() -> None:
    house = House()
    gates = gates_of(house)
    for _ in range(600):
        gates.backlog(house.world.account(BOB))
    with pytest.raises(LimitExceeded):
        gates.backlog(house.world.account(BOB))
    gates.backlog(house.world.account(ALICE))


def test_a_counter_that_does_not_answer_stops_openings_but_no_frames() -> None:
    house = House(limited(source_sockets_per_minute=9, socket_frames_per_minute=9))
    house.connect("c1")
    socket = house.socket("c1")

    def fail(_operation: str, _moment: Moment) -> None:
        raise Unavailable

    house.world.store.faults = fail
    gates_of(house).frame(socket)
    with pytest.raises(Unavailable):
        gates_of(house).opening("192.0.2.1")


def test_a_quota_of_nothing_is_no_quota() -> None:
    house = House(
        limited(source_sockets_per_minute=0, account_sockets_per_hour=0, socket_frames_per_minute=0)
    )
    house.connect("c1")
    gates = gates_of(house)
    house.world.calls.clear()
    gates.opening("192.0.2.1")
    gates.signing_in(house.world.account(BOB))
    gates.frame(house.socket("c1"))
    assert not house.world.calls["counters.charge"]
