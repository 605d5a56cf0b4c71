from __future__ import annotations

import pytest

from chalicelib.notify.channels.owner_notice import OwnerNotice
from chalicelib.notify.ports import Refused
from chalicelib.protocol.errors import Unavailable
from tests.unit.notify.desk_world import ADDRESS, BOB, CAROL, OFF, DeskWorld


@pytest.fixture
def world() -> DeskWorld:
    world = DeskWorld()
    world.add_verified()
    world.mailer.sent.clear()
    return world


def tell(world: DeskWorld) -> None:
    OwnerNotice(world.book, world.mailer).endpoint_paused(BOB.inbox, "ep_1")


def test_the_owner_is_told_which_one(world: DeskWorld) -> None:
    tell(world)
    (mail,) = world.mailer.sent
    assert mail.to == ADDRESS
    assert "ep_1" in mail.plain
    assert "ep_1" in mail.html


def test_only_where_the_owner_wants_and_reads_it(world: DeskWorld) -> None:
    world.desk.toggle(BOB, "EMAIL", OFF)
    tell(world)
    world.desk.add(BOB, "EMAIL", "unproven@mail.example")
    world.mailer.sent.clear()
    tell(world)
    world.add_verified()
    world.desk.set_enabled(BOB, OFF)
    world.mailer.sent.clear()
    tell(world)
    OwnerNotice(world.book, world.mailer).endpoint_paused(CAROL.inbox, "ep_1")
    assert world.mailer.sent == []


def test_a_relay_without_e_mail_tells_nobody(world: DeskWorld) -> None:
    OwnerNotice(world.book, None).endpoint_paused(BOB.inbox, "ep_1")
    assert world.mailer.sent == []


def test_an_outage_is_told_and_a_refused_address_has_to_be_proven_again(world: DeskWorld) -> None:
    world.mailer.failure = Unavailable()
    with pytest.raises(Unavailable):
        tell(world)
    assert world.standing().verified
    world.mailer.failure = Refused()
    tell(world)
    assert not world.standing().verified
