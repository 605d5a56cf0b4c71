"""Nothing that was answered with success is lost: a relay through submissions, crashes, readers and time."""

from __future__ import annotations

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, World

LIFETIME_S = 30 * 86_400
OPERATIONS = [
    "submissions.get",
    "counters.charge",
    "submissions.begin",
    "inbox.put",
    "submissions.complete",
    "inbox.exists",
    "inbox.delete",
    "inbox.page",
]


class Crash(Exception):
    """The process ended here."""


class Lifecycle(RuleBasedStateMachine):
    """The model: message ids answered with success, until acknowledged with success or expired."""

    def __init__(self) -> None:
        super().__init__()
        self.world = World()
        self.world.settle(ALICE, BOB)
        self.account = self.world.account(BOB)
        self.letters: list[JsonObject] = []
        self.owed: dict[str, int] = {}
        self.gone: set[str] = set()
        self.maybe_gone: set[str] = set()
        self.receipts: dict[int, JsonObject] = {}
        self.cursor: str | None = None
        self.followed: set[str] = set()

    @rule()
    def write(self) -> None:
        self.letters.append(self.world.letter(text=str(len(self.letters))))
        self._submit(len(self.letters) - 1)

    @precondition(lambda self: self.letters)
    @rule(data=st.data())
    def submit_again(self, data: st.DataObject) -> None:
        self._submit(data.draw(st.integers(0, len(self.letters) - 1)))

    @rule(operation=st.sampled_from(OPERATIONS), moment=st.sampled_from(Moment), crash=st.booleans())
    def something_fails_next(self, operation: str, moment: Moment, *, crash: bool) -> None:
        def fault(name: str, when: Moment) -> None:
            if (name, when) == (operation, moment):
                self.world.store.faults = None
                raise Crash if crash else Unavailable

        self.world.store.faults = fault

    @rule(seconds=st.sampled_from([1, 20, 31, 3_600, 20 * 86_400, LIFETIME_S]))
    def time_passes(self, seconds: int) -> None:
        self.world.clock.pass_s(seconds)
        now_ms = self.world.clock.now_ms()
        self.owed = {one: expires for one, expires in self.owed.items() if expires > now_ms}
        self.receipts = {
            number: receipt
            for number, receipt in self.receipts.items()
            if int(str(receipt["expiresAt"])) > now_ms
        }

    @rule(data=st.data())
    def acknowledge(self, data: st.DataObject) -> None:
        messages = self._all()
        chosen = data.draw(st.lists(st.sampled_from(messages), unique_by=id)) if messages else []
        try:
            self.world.relay.inbox.acknowledge(self.account, [message.id for message in chosen])
        except (Crash, Unavailable):
            self.maybe_gone |= {message.message_id for message in chosen}
        else:
            self.gone |= {message.message_id for message in chosen}

    @rule()
    def follow(self) -> None:
        """One round of a follower."""
        more = True
        while more:
            try:
                page = self.world.relay.inbox.page(self.account, self.cursor, limit=2, follow=True)
            except (Crash, Unavailable):
                continue
            self.followed |= {message.message_id for message in page.messages}
            self.cursor, more = page.cursor, page.more
        assert self._due() <= self.followed

    @rule()
    def process_ends(self) -> None:
        self.world.restarted()

    @invariant()
    def nothing_answered_with_success_is_lost(self) -> None:
        faults, self.world.store.faults = self.world.store.faults, None
        messages = self.world.relay.inbox.page(self.account, limit=1_000).messages
        self.world.store.faults = faults
        present = {message.message_id for message in messages}
        assert self._due() <= present
        now_ms = self.world.clock.now_ms()
        assert all(message.expires_at_ms > now_ms for message in messages)

    def _due(self) -> set[str]:
        return self.owed.keys() - self.gone - self.maybe_gone

    def _all(self) -> list:  # type: ignore[type-arg]
        faults, self.world.store.faults = self.world.store.faults, None
        messages = list(self.world.relay.inbox.page(self.account, limit=1_000).messages)
        self.world.store.faults = faults
        return messages

    def _submit(self, number: int) -> None:
        try:
            submitted = self.world.submit(self.letters[number])
        except (Crash, Unavailable):
            return
        receipt = submitted.receipt.to_json()
        assert self.receipts.setdefault(number, receipt) == receipt
        self.owed[submitted.receipt.message_id] = submitted.receipt.expires_at_ms


Lifecycle.TestCase.settings = settings(deadline=None, max_examples=30, stateful_step_count=25)
TestLifecycle = Lifecycle.TestCase
