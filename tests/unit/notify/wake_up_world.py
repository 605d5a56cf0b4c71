"""One waking channel with everything around it in memory, and the part of SQS that repeats."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from itertools import count as counting_from
from typing import Any

from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.ports import ConnectionRow, Queue
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences, QuietHours, WakeUpChannel
from chalicelib.notify.schedule import Schedule
from chalicelib.notify.wake_ups import WakeUps
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from chalicelib.store.memory_guard import Faults, Guard
from tests.unit.notify.carriers import sqs_event
from tests.unit.notify.faults import Died, FaultyQueues, MemoryCarrier
from tests.unit.notify.outbox_world import owner
from tests.unit.relay.ports import HandClock, SeededChance

OWNER = owner(1)
BOB = WakeUpChannel(Channel.EMAIL, "bob@example.org", verified=True)
MAILED = Preferences(enabled=True, channels=(BOB,))
EVENT_DELAY_S = 30
DAY_S = 86_400


@dataclass
class WakeUpWorld:
    """An account's mail, its preferences, the queue of a channel and the schedule behind it.

    `clock` begins at noon, UTC, on a day in November.
    """

    preferences: Preferences = MAILED
    channel: Channel = Channel.EMAIL
    store: MemoryStore = field(default_factory=MemoryStore)
    clock: HandClock = field(default_factory=lambda: HandClock(1_700_049_600_000))
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.guard = Guard()
        self.carrier = MemoryCarrier(guard=self.guard)
        self.queues = FaultyQueues(guard=self.guard)
        self.vault = Vault(b"x" * 32, b"s" * 32, SeededChance())
        self.book = PreferenceBook(self.store.preferences, self.vault)
        self.book.update(OWNER, lambda _: self.preferences)
        self.schedule = Schedule(
            store=self.store.schedule,
            queues=self.queues,
            vault=self.vault,
            clock=self.clock,
            count=self.count,
        )
        self.worker = WakeUps(
            channel=self.channel,
            carrier=self.carrier,
            book=self.book,
            inbox=self.store.inbox,
            connections=self.store.connections,
            counters=self.store.counters,
            vault=self.vault,
            later=self.schedule,
            clock=self.clock,
            count=self.count,
        )
        self._numbers = counting_from(1)

    def count(self, event: str, /, **_dimensions: str) -> None:
        self.counts[event] += 1

    def strike(self, faults: Faults | None) -> None:
        """Let rows, queues and the carrier fail by `faults` from now on."""
        self.store.faults = self.guard.faults = faults

    @contextmanager
    def _unharmed(self) -> Iterator[None]:
        """What others do to the rows is not struck."""
        faults = self.store.faults
        self.strike(None)
        yield
        self.strike(faults)

    def prefer(self, **changes: Any) -> None:  # noqa: ANN401 - members of Preferences
        with self._unharmed():
            self.book.update(OWNER, lambda standing: replace(standing, **changes))

    def quiet(self, start_hour: int, end_hour: int) -> None:
        self.prefer(quiet_hours=QuietHours(start_hour * 60, end_hour * 60, "UTC"))

    def receive(self) -> InboxKey:
        """A message comes now; its event is not in the queue yet."""
        self.clock.pass_s(0.01)
        key = InboxKey(self.clock.at_ms, next(self._numbers).to_bytes(16, "big"))
        with self._unharmed():
            self.store.inbox.put(OWNER, InboxItem(key, b"sealed", self.clock.now_s + 40 * DAY_S))
        return key

    def acknowledge(self, *keys: InboxKey) -> None:
        with self._unharmed():
            self.store.inbox.delete(OWNER, keys)

    def show(self, key: InboxKey) -> None:
        """A socket is pushed the message and answers the ping behind it."""
        row = ConnectionRow(key.message_id * 2, b"sealed", self.clock.now_s + 40 * DAY_S, owner=OWNER)
        with self._unharmed():
            self.store.connections.put(row)
            pings = {row.connection: self.store.connections.pinged(row.connection)}
            self.store.connections.mark(OWNER, key.message_id, pings, expires_at_s=row.expires_at_s)
            self.store.connections.ponged(row.connection)

    def record(self, key: InboxKey) -> dict[str, Any]:
        """The event of a message, as its queue hands it over."""
        return self.as_record(MessageReceived(OWNER, key, SizeClass.SMALL).to_text())

    def as_record(self, text: str) -> dict[str, Any]:
        record: dict[str, Any] = sqs_event(text, channels=[self.channel])["Records"][0]
        return {**record, "messageId": f"record {next(self._numbers)}"}

    def handle(self, *records: Mapping[str, Any]) -> list[str]:
        """One invocation; the records that it names."""
        answer = self.worker.handle({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def tell(self, *keys: InboxKey) -> list[str]:
        """The events of these messages come, as they do after a while."""
        self.clock.pass_s(EVENT_DELAY_S)
        return self.handle(*(self.record(key) for key in keys))

    def pass_time(self, seconds: float, *, step_s: int = 60) -> None:
        """Let time pass; each step moves what is due, and the queue hands over what waits in it."""
        end_ms = self.clock.at_ms + int(seconds * 1_000)
        while self.clock.at_ms < end_ms:
            self.clock.at_ms = min(end_ms, self.clock.at_ms + step_s * 1_000)
            try:
                self.schedule.run()
            except (Unavailable, Died):
                continue
            self._take_what_waits()

    def _take_what_waits(self) -> None:
        waiting = [entry for entry in self.queues.sent if entry[0] is Queue(self.channel.value)]
        self.queues.sent = [entry for entry in self.queues.sent if entry not in waiting]
        for _, text, delay_s in waiting:
            self._until_taken(self.as_record(text), delay_s)

    def _until_taken(self, record: dict[str, Any], delay_s: int) -> None:
        """Hand a record over when its delay has passed, and again until it is taken."""
        self.clock.pass_s(delay_s)
        self.until_taken(record)

    def until_taken(self, *records: dict[str, Any], most: int = 5) -> None:
        """Hand records over, again as SQS does, a little later each time, until all are taken."""
        left = list(records)
        for _ in range(most):
            try:
                failed = self.handle(*left)
            except Died:
                failed = [record["messageId"] for record in left]
            left = [record for record in left if record["messageId"] in failed]
            if not left:
                return
            self.clock.pass_s(1)
        raise AssertionError("the record ends in the dead-letter queue")
