"""A reader that follows misses nothing, though clocks differ and commits are slow."""

from __future__ import annotations

from random import Random

import pytest

from chalicelib.relay.values import Account
from chalicelib.store.memory import Moment
from tests.unit.relay.ports import SkewedClock
from tests.unit.relay.world import ALICE, BOB, World

SUBMITTERS = 32
LETTERS = 160
# A commit is slow, and other submitters' slow commits happen inside it; in all below a follower's 60 s.
SLOW_S, NESTED = 10, 3


class Street:
    """32 processes whose clocks differ by up to 2 s, and one reader."""

    def __init__(self, seed: int) -> None:
        self.random = Random(seed)  # noqa: S311 - repeatable on purpose
        self.world = World()
        self.world.settle(ALICE, BOB)
        ahead_ms = [self.random.randrange(2_000) for _ in range(SUBMITTERS)]
        self.submitters = [self.world.process(SkewedClock(self.world.clock, one)) for one in ahead_ms]
        self.account: Account = self.world.account(BOB)
        self.accepted: list[str] = []
        self.seen: set[str] = set()
        self.cursor: str | None = None
        self.written = self.depth = 0

    def submit(self) -> None:
        self.written += 1
        letter = self.world.letter(text=str(self.written))
        relay = self.random.choice(self.submitters)
        self.accepted.append(relay.admission.submit(letter, source="192.0.2.1").receipt.message_id)

    def read(self) -> None:
        more = True
        while more:
            page = self.world.relay.inbox.page(self.account, self.cursor, limit=7, follow=True)
            self.seen |= {message.message_id for message in page.messages}
            self.cursor, more = page.cursor, page.more

    def slow_commit(self, name: str, moment: Moment) -> None:
        """While an item is on its way into the store, time passes, others submit, and the reader reads."""
        if (name, moment) != ("inbox.put", Moment.BEFORE) or self.depth == NESTED:
            return
        self.depth += 1
        self.world.clock.pass_s(self.random.uniform(0, SLOW_S))
        if self.written < LETTERS:
            self.submit()
        self.read()
        self.depth -= 1


@pytest.mark.parametrize("seed", range(3))
def test_a_follower_misses_nothing(seed: int) -> None:
    street = Street(seed)
    street.world.store.faults = street.slow_commit
    while street.written < LETTERS:
        street.submit()
        street.read()
    assert len(street.accepted) == LETTERS
    assert street.seen == set(street.accepted)
