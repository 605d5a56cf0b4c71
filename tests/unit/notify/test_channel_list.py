from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify.channel_list import (
    MOST_SUBSCRIPTIONS,
    instead,
    require_configured,
    require_on,
    switched,
    unverified,
    with_channel,
    without,
)
from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.protocol.errors import InvalidInput
from tests.unit.notify.desk_world import Browser

EMAIL = WakeUpChannel(Channel.EMAIL, "bob@mail.example")


def push(number: int, *, secret: int = 7) -> WakeUpChannel:
    browser = Browser(f"https://push.example/{number}", secret)
    return WakeUpChannel(Channel.PUSH, browser.subscription, verified=True)


def test_a_channel_takes_the_place_of_the_one_of_its_kind() -> None:
    other = replace(EMAIL, recipient="carol@mail.example")
    standing = with_channel(with_channel(Preferences(), push(1)), EMAIL)
    assert with_channel(standing, other).channels == (push(1), other)


def test_a_browser_takes_its_own_place_and_no_other_s() -> None:
    standing = with_channel(with_channel(Preferences(), push(1)), push(2))
    assert with_channel(standing, push(1, secret=9)).channels == (push(2), push(1, secret=9))


@given(st.lists(st.integers(1, 14), max_size=40))
def test_the_last_ten_browsers_are_kept(numbers: list[int]) -> None:
    standing = with_channel(Preferences(), EMAIL)
    for number in numbers:
        standing = with_channel(standing, push(number))
    last = list(dict.fromkeys(reversed(numbers)))[:MOST_SUBSCRIPTIONS]
    assert standing.of(Channel.PUSH) == tuple(push(number) for number in reversed(last))
    assert standing.of(Channel.EMAIL) == (EMAIL,)


def test_adding_writes_the_pauses_down() -> None:
    assert with_channel(Preferences(), EMAIL).minutes_between[Channel.EMAIL] == 15
    set_ = Preferences(minutes_between={Channel.EMAIL: 5})
    assert with_channel(set_, EMAIL).minutes_between[Channel.EMAIL] == 5


def test_switching_and_taking_away() -> None:
    standing = Preferences(channels=(EMAIL, push(1)))
    assert without(standing, lambda one: one == EMAIL).channels == (push(1),)
    proven = replace(EMAIL, verified=True)
    assert instead(standing, EMAIL, proven).channels == (proven, push(1))
    assert instead(standing, push(2), proven) == standing
    off = switched(standing, lambda one: one.channel is Channel.PUSH, enabled=False)
    assert [one.enabled for one in off.channels] == [True, False]


@pytest.mark.parametrize(
    ("channels", "said"),
    [
        ((), "EMAIL notification channel is not configured"),
        ((push(1),), "EMAIL notification channel is not configured"),
        ((replace(EMAIL, enabled=False),), "EMAIL notification channel is not enabled"),
        ((replace(EMAIL, verified=True),), "EMAIL notification channel is already verified"),
    ],
)
def test_a_code_can_be_for_a_channel_that_is_on_and_unproven(
    channels: tuple[WakeUpChannel, ...], said: str
) -> None:
    with pytest.raises(InvalidInput, match=f"^{said}$"):
        unverified(Preferences(channels=channels), Channel.EMAIL)


def test_what_must_be() -> None:
    assert unverified(Preferences(channels=(EMAIL,)), Channel.EMAIL) == EMAIL
    assert require_configured(Preferences(channels=(EMAIL,)), Channel.EMAIL) == EMAIL
    require_on(Preferences(enabled=True))
    with pytest.raises(InvalidInput, match=r"^Global notifications is off$"):
        require_on(Preferences())
