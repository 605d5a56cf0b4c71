from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from chalicelib.client import ChannelType, Dm3Client, NotificationSettings, QuietHours, Response
from chalicelib.client.notifications import Channel, NotificationBook, Notifications
from chalicelib.protocol.errors import InvalidInput, LimitExceeded, MethodNotSupported, Unavailable
from chalicelib.protocol.json_types import JsonValue
from tests.unit.client.notifying_world import NotifyingWorld
from tests.unit.client.world import RELAY, SECOND, answering, down
from tests.unit.notify.desk_world import ADDRESS, Browser
from tests.unit.protocol.strategies import accepts_or_refuses

DEFAULTS = NotificationSettings(None, {"EMAIL": 15, "PUSH": 1, "SMS": 60})
EMAIL, PUSH, SMS = ChannelType.EMAIL, ChannelType.PUSH, ChannelType.SMS


@pytest.fixture
def world() -> NotifyingWorld:
    return NotifyingWorld()


@pytest.fixture
def bob(world: NotifyingWorld) -> Dm3Client:
    return world.join("bob.eth")


@pytest.fixture
def book(bob: Dm3Client) -> NotificationBook:
    return bob.notifications


def kept(book: NotificationBook) -> Notifications:
    return book.read().at[RELAY]


def test_nothing_is_told_until_somebody_asks_for_it(book: NotificationBook) -> None:
    assert kept(book) == Notifications(enabled=False, channels=(), settings=DEFAULTS)


def test_an_address_from_beginning_to_end(world: NotifyingWorld, book: NotificationBook) -> None:
    assert book.switch(on=True).at == (RELAY,)
    book.add(EMAIL, ADDRESS)
    assert kept(book).channels == (Channel("EMAIL", ADDRESS, enabled=True, verified=False),)
    with pytest.raises(InvalidInput, match="Invalid OTP"):
        book.verify(EMAIL, "00000")
    with pytest.raises(LimitExceeded):
        book.send_code(EMAIL)
    world.clock.sleep(60)
    book.send_code(EMAIL)
    book.verify(EMAIL, world.carriers.code)
    book.toggle(EMAIL, on=False)
    assert kept(book).channels == (Channel("EMAIL", ADDRESS, enabled=False, verified=True),)
    book.toggle(EMAIL, on=True)
    book.switch(on=False)
    assert kept(book).channels == ()
    book.switch(on=True)
    assert book.remove(EMAIL).at == (RELAY,)
    assert kept(book).channels == ()


def test_a_browser(book: NotificationBook) -> None:
    book.switch(on=True)
    book.add(PUSH, Browser().subscription)
    (channel,) = kept(book).channels
    assert (channel.type, channel.verified) == (PUSH, True)
    assert "push.example" in channel.recipient
    assert "push.example" not in repr(channel)


def test_what_a_service_does_not_offer(book: NotificationBook) -> None:
    book.switch(on=True)
    with pytest.raises(InvalidInput, match="Invalid notification channel type"):
        book.add(SMS, "+4915112345678")


def test_settings(book: NotificationBook) -> None:
    quiet = QuietHours("22:00", "07:00", "Europe/Berlin")
    changed = book.change_settings(
        lambda standing: replace(standing, quiet_hours=quiet, minutes_between={"EMAIL": 60})
    )
    expected = NotificationSettings(quiet, {"EMAIL": 60, "PUSH": 1, "SMS": 60})
    assert changed.at[RELAY].settings == expected
    assert NotificationSettings.parse(expected.to_json()) == expected
    with pytest.raises(InvalidInput):
        book.change_settings(lambda standing: replace(standing, minutes_between={"EMAIL": -1}))
    assert kept(book).settings == expected


def test_each_service_keeps_channels_and_sends_codes_of_its_own(world: NotifyingWorld) -> None:
    book = world.join("bob.eth", RELAY, SECOND).notifications
    assert book.switch(on=True).at == (RELAY, SECOND)
    book.add(EMAIL, ADDRESS)
    done = book.verify(EMAIL, world.carriers.code)
    assert (done.at, [failure.delivery_service for failure in done.unreached]) == ((SECOND,), [RELAY])
    verified = {name: one.channels[0].verified for name, one in book.read().at.items()}
    assert verified == {RELAY: False, SECOND: True}


def test_a_service_that_is_down_keeps_nobody_from_the_other(world: NotifyingWorld) -> None:
    book = world.join("bob.eth", RELAY, SECOND).notifications
    world.faults.insert(0, down(RELAY))
    assert book.switch(on=True).at == (SECOND,)
    read = book.read()
    assert list(read.at) == [SECOND]
    assert [failure.delivery_service for failure in read.unreached] == [RELAY]
    world.faults.insert(0, down(SECOND))
    actions: list[Callable[[], object]] = [
        book.read,
        lambda: book.switch(on=True),
        lambda: book.add(EMAIL, ADDRESS),
        lambda: book.remove(EMAIL),
        lambda: book.change_settings(lambda standing: standing),
    ]
    for action in actions:
        with pytest.raises(Unavailable):
            action()


def test_a_service_of_the_reference_has_no_settings(world: NotifyingWorld, book: NotificationBook) -> None:
    world.faults.insert(0, answering(Response(404, b"Not Found"), path="/settings/"))
    assert kept(book).settings is None
    with pytest.raises(MethodNotSupported):
        book.change_settings(lambda standing: standing)


@pytest.mark.parametrize("answer", [b"", b"[]", b"5", b"{}", b'{"isEnabled": 1}'])
def test_an_answer_that_is_not_understood_is_no_answer(
    world: NotifyingWorld, book: NotificationBook, answer: bytes
) -> None:
    world.faults.insert(0, answering(Response(200, answer), path="/global/"))
    with pytest.raises(Unavailable):
        book.read()


@pytest.mark.parametrize(
    "value",
    [
        *(None, [], {}, {"quietHours": None}, {"quietHours": 1, "minutesBetween": {}}),
        {"quietHours": None, "minutesBetween": {"EMAIL": True}},
        {"quietHours": {"from": "22:00"}, "minutesBetween": {}},
    ],
)
def test_settings_that_are_none(value: JsonValue) -> None:
    assert not accepts_or_refuses(lambda: NotificationSettings.parse(value))


@pytest.mark.parametrize(
    "value",
    [
        *(None, {}, {"type": "EMAIL"}, {"type": 1, "config": {}}),
        {"type": "EMAIL", "config": {"recipientValue": "b", "isEnabled": 1, "isVerified": True}},
    ],
)
def test_channels_that_are_none(value: JsonValue) -> None:
    assert not accepts_or_refuses(lambda: Channel.parse(value))
