from __future__ import annotations

import pytest

from chalicelib.notify import code_limits
from chalicelib.notify.code_limits import CodeLimits, mailbox_of
from chalicelib.notify.events import Channel
from chalicelib.protocol.errors import LimitExceeded
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.ports import HandClock, SeededChance


@pytest.fixture
def clock() -> HandClock:
    return HandClock()


@pytest.fixture
def limits(clock: HandClock) -> CodeLimits:
    chance = SeededChance()
    return CodeLimits(MemoryStore().counters, Vault(b"1" * 32, b"2" * 32, chance), clock, chance)


def account(number: int) -> bytes:
    return number.to_bytes(32, "big")


def test_an_account_sends_five_codes_an_hour_to_whomever(limits: CodeLimits, clock: HandClock) -> None:
    for number in range(5):
        limits.charge_code(account(1), Channel.EMAIL, f"{number}@mail.example", "192.0.2.1")
    with pytest.raises(LimitExceeded) as refused:
        limits.charge_code(account(1), Channel.EMAIL, "other@mail.example", "192.0.2.1")
    assert 0 < refused.value.retry_after_s <= 3_600
    limits.charge_code(account(2), Channel.EMAIL, "other@mail.example", "192.0.2.2")
    clock.pass_s(3_600)
    limits.charge_code(account(1), Channel.EMAIL, "other@mail.example", "192.0.2.1")


def test_nobody_gets_more_than_five_codes_a_day_whoever_asks_and_however_it_is_spelled(
    limits: CodeLimits, clock: HandClock
) -> None:
    spellings = (
        "bob@mail.example",
        "Bob@Mail.example",
        "b.o.b@mail.example",
        "bob+1@mail.example",
        "bob+@mail.example",
    )
    for number, address in enumerate(spellings):
        limits.charge_code(account(number), Channel.EMAIL, address, f"192.0.2.{number}")
    with pytest.raises(LimitExceeded):
        limits.charge_code(account(9), Channel.EMAIL, "bob+9@mail.example", "192.0.2.9")
    clock.pass_s(86_400)
    limits.charge_code(account(9), Channel.EMAIL, "bob+9@mail.example", "192.0.2.9")


def test_one_machine_does_not_use_up_what_all_have_however_many_accounts_it_opens(
    limits: CodeLimits, clock: HandClock
) -> None:
    for number in range(code_limits.PER_SOURCE_AND_HOUR):
        limits.charge_code(account(number), Channel.EMAIL, f"{number}@mail.example", f"2001:db8::{number:x}")
    with pytest.raises(LimitExceeded):
        limits.charge_code(account(99), Channel.EMAIL, "bob@mail.example", "2001:db8::ffff")
    limits.charge_code(account(99), Channel.EMAIL, "bob@mail.example", "2001:db8:0:1::1")
    clock.pass_s(3_600)
    limits.charge_code(account(98), Channel.EMAIL, "eve@mail.example", "2001:db8::1")


def test_all_accounts_together_send_so_many_an_hour(
    limits: CodeLimits, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(code_limits, "PER_RELAY_AND_HOUR", {Channel.SMS: 3, Channel.EMAIL: 3})
    for number in range(3):
        limits.charge_code(account(number), Channel.SMS, f"+4915112345{number:03}", f"192.0.2.{number}")
    with pytest.raises(LimitExceeded):
        limits.charge_code(account(4), Channel.SMS, "+4915112345999", "192.0.2.4")
    limits.charge_code(account(4), Channel.EMAIL, "bob@mail.example", "192.0.2.4")


def test_changes_are_limited(limits: CodeLimits) -> None:
    for _ in range(code_limits.CHANGES_PER_HOUR):
        limits.charge_change(account(1))
    with pytest.raises(LimitExceeded):
        limits.charge_change(account(1))


def test_numbers_have_one_spelling() -> None:
    assert mailbox_of(Channel.SMS, "+49151") == "+49151"
