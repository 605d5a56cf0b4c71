from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chalicelib.notify import codes, refusals
from chalicelib.notify.codes import LIFETIME_MS, TRIES, Codes
from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.relay.vault import Vault
from tests.unit.relay.ports import HandClock, SeededChance

OWNER = b"o" * 32
EMAIL = WakeUpChannel(Channel.EMAIL, "bob@mail.example")


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def desk(clock: HandClock) -> Codes:
    return made(clock)


def made(clock: HandClock) -> Codes:
    return Codes(Vault(b"1" * 32, b"2" * 32, SeededChance()), clock, SeededChance())


def test_codes_have_five_digits_and_differ(desk: Codes) -> None:
    made = [desk.make() for _ in range(500)]
    assert all(len(code) == 5 and code.isdigit() and code[0] != "0" for code in made)
    assert len(set(made)) > 490


def test_the_right_code_verifies_once(desk: Codes) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    judgement = desk.judge(OWNER, waiting, "12345")
    assert judgement.refusal is None
    assert judgement.channel == replace(EMAIL, verified=True)
    assert desk.judge(OWNER, judgement.channel, "12345").refusal == refusals.CODE_NOT_FOUND


def test_what_is_kept_of_a_code_is_a_keyed_hash(desk: Codes) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    assert waiting.code is not None
    assert len(waiting.code.code_hash) == 32
    assert "12345" not in repr(waiting)


@given(st.lists(st.text(max_size=8), max_size=12))
def test_tries_end(guesses: list[str]) -> None:
    desk = made(HandClock())
    waiting = desk.pending(OWNER, EMAIL, "12345")
    for tries, guess in enumerate(guess for guess in guesses if guess != "12345"):
        judgement = desk.judge(OWNER, waiting, guess)
        expected = refusals.CODE_INVALID if tries < TRIES else refusals.CODE_NOT_FOUND
        assert judgement.refusal == expected
        waiting = judgement.channel
        assert not waiting.verified


def test_after_five_tries_the_right_one_does_not_count_either(desk: Codes) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    for _ in range(TRIES):
        waiting = desk.judge(OWNER, waiting, "54321").channel
    assert desk.judge(OWNER, waiting, "12345").refusal == refusals.CODE_NOT_FOUND


@pytest.mark.parametrize(("after_ms", "refusal"), [(LIFETIME_MS - 1, None), (LIFETIME_MS, "OTP is expired")])
def test_a_code_counts_for_ten_minutes(
    desk: Codes, clock: HandClock, after_ms: int, refusal: str | None
) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    clock.at_ms += after_ms
    assert desk.judge(OWNER, waiting, "12345").refusal == refusal


@pytest.mark.parametrize(
    ("owner", "other"),
    [
        (b"p" * 32, EMAIL),
        (OWNER, replace(EMAIL, channel=Channel.SMS)),
        (OWNER, replace(EMAIL, recipient="mallory@mail.example")),
    ],
)
def test_a_code_is_worth_nothing_elsewhere(desk: Codes, owner: bytes, other: WakeUpChannel) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    assert desk.judge(owner, replace(other, code=waiting.code), "12345").refusal == refusals.CODE_INVALID


def test_another_code_makes_the_first_one_worthless(desk: Codes, clock: HandClock) -> None:
    first = desk.pending(OWNER, EMAIL, "12345")
    clock.pass_s(61)
    second = desk.pending(OWNER, first, "54321")
    assert desk.judge(OWNER, second, "12345").refusal == refusals.CODE_INVALID
    assert desk.judge(OWNER, second, "54321").refusal is None


def test_another_code_may_be_asked_for_after_a_minute(desk: Codes, clock: HandClock) -> None:
    waiting = desk.pending(OWNER, EMAIL, "12345")
    assert (desk.wait_s(EMAIL), desk.wait_s(waiting)) == (0, 60)
    clock.at_ms += codes.PAUSE_MS - 1
    assert desk.wait_s(waiting) == 1
    clock.at_ms += 1
    assert desk.wait_s(waiting) == 0
