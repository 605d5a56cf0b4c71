"""Codes as a machine of states: whatever is done in whatever order, only who reads the mail verifies."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from chalicelib.notify.codes import LIFETIME_MS, TRIES
from chalicelib.protocol.errors import InvalidInput, LimitExceeded
from chalicelib.relay.values import Account
from tests.unit.notify.desk_world import BOB, CAROL, DeskWorld, code_in

ADDRESSES = ("one@mail.example", "two@mail.example")
ACCOUNTS = (BOB, CAROL)


class Codes(RuleBasedStateMachine):
    """Two accounts, two addresses; every code ever mailed may be tried anywhere at any time."""

    def __init__(self) -> None:
        super().__init__()
        self.world = DeskWorld()
        self.proven: dict[bytes, set[str]] = {account.inbox: set() for account in ACCOUNTS}
        self.waiting: dict[bytes, tuple[str, str, int, int]] = {}
        for account in ACCOUNTS:
            self.world.switch_on(account)

    @rule(account=st.sampled_from(ACCOUNTS), address=st.sampled_from(ADDRESSES))
    def add(self, account: Account, address: str) -> None:
        with suppress(LimitExceeded):
            self.world.desk.add(account, "EMAIL", address)
            self._mailed(account.inbox, address)

    @rule(account=st.sampled_from(ACCOUNTS))
    def send(self, account: Account) -> None:
        with suppress(LimitExceeded, InvalidInput):
            self.world.desk.send_code(account, "EMAIL")
            self._mailed(account.inbox, self.world.mailer.sent[-1].to)

    @rule(account=st.sampled_from(ACCOUNTS), which=st.integers(0, 9))
    def try_a_code(self, account: Account, which: int) -> None:
        """One that was mailed some time, or one that never was."""
        codes = [code_in(mail.plain) for mail in self.world.mailer.sent][-9:]
        code = codes[which] if which < len(codes) else "99999"
        taken = False
        with suppress(InvalidInput):
            self.world.desk.verify_code(account, "EMAIL", code)
            taken = True
        address, expected, until_ms, tries = self.waiting.get(account.inbox, ("", "", 0, 0))
        in_time = self.world.clock.at_ms < until_ms and tries > 0
        assert taken == (in_time and code == expected)
        if taken:
            self.proven[account.inbox].add(address)
            del self.waiting[account.inbox]
        elif account.inbox in self.waiting:
            self.waiting[account.inbox] = (address, expected, until_ms, tries - 1)

    @rule(seconds=st.sampled_from([1, 61, 300, 3_600]))
    def wait(self, seconds: int) -> None:
        self.world.clock.pass_s(seconds)

    @rule(account=st.sampled_from(ACCOUNTS))
    def remove(self, account: Account) -> None:
        with suppress(InvalidInput):
            self.world.desk.remove(account, "EMAIL")
            self.waiting.pop(account.inbox, None)

    @invariant()
    def what_is_verified_was_proven(self) -> None:
        for account in ACCOUNTS:
            for channel in self.world.desk.channels(account):
                assert not channel.verified or channel.recipient in self.proven[account.inbox]

    def _mailed(self, inbox: bytes, address: str) -> None:
        until_ms = self.world.clock.at_ms + LIFETIME_MS
        self.waiting[inbox] = (address, self.world.code(), until_ms, TRIES)


TestCodes = Codes.TestCase
TestCodes.settings = settings(max_examples=30, stateful_step_count=30, deadline=None)
