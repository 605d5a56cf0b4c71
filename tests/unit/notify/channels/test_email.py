from __future__ import annotations

import pytest

from chalicelib.notify.channels.email import EmailCarrier
from chalicelib.notify.ports import Refused
from chalicelib.protocol.errors import Unavailable
from tests.unit.notify.desk_world import ADDRESS, BOB, DeskWorld


@pytest.fixture
def world() -> DeskWorld:
    world = DeskWorld()
    world.add_verified()
    world.mailer.sent.clear()
    return world


def test_a_mail_goes_to_the_address_and_its_link_ends_them(world: DeskWorld) -> None:
    EmailCarrier(world.mailer, world.vault, "https://relay.example/").wake(BOB.inbox, world.standing())
    (mail,) = world.mailer.sent
    assert mail.to == ADDRESS
    assert mail.unsubscribe_url is not None
    base, _, token = mail.unsubscribe_url.rpartition("/")
    assert base == "https://relay.example/unsubscribe"
    assert mail.unsubscribe_url in mail.plain
    assert mail.unsubscribe_url in mail.html
    world.desk.unsubscribe(token)
    assert not world.standing().enabled


@pytest.mark.parametrize("failure", [Refused(), Unavailable()])
def test_what_the_mailer_says_is_passed_on(world: DeskWorld, failure: Exception) -> None:
    world.mailer.failure = failure
    with pytest.raises(type(failure)):
        EmailCarrier(world.mailer, world.vault, "https://relay.example").wake(BOB.inbox, world.standing())
