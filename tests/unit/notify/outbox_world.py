"""The outbox with everything around it in memory, and the part of Lambda that repeats."""

from __future__ import annotations

import base64
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalicelib.notify.events import MessageReceived
from chalicelib.notify.outbox import Outbox
from chalicelib.notify.ports import ConnectionRow, Queue
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences
from chalicelib.relay.ports import AccountRow, InboxKey
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from chalicelib.store.memory_guard import Faults, Guard
from tests.unit.notify.faults import Died, FaultyQueues, FaultyTopic
from tests.unit.relay.ports import START_MS, HandClock, SeededChance

Record = dict[str, Any]


def owner(number: int) -> bytes:
    """The inbox key of some account."""
    return bytes([number]) * 32


def message(number: int) -> InboxKey:
    """The key of some message."""
    return InboxKey(START_MS + number, number.to_bytes(16, "big"))


def inserted(
    number: int, account: bytes = owner(1), *, size_bytes: int = 1_000, sequence: str | None = None
) -> Record:
    """What Lambda hands over when message `number` was stored: bytes in base64, numbers as text."""
    return {
        "eventID": "e",
        "eventName": "INSERT",
        "eventSource": "aws:dynamodb",
        "dynamodb": {
            "Keys": {"pk": _bytes(account), "sk": _bytes(message(number).to_bytes())},
            "NewImage": {
                "pk": _bytes(account),
                "sk": _bytes(message(number).to_bytes()),
                "payload": _bytes(b"sealed"),
                "size_bytes": {"N": str(size_bytes)},
                "expires_at": {"N": "1800000000"},
            },
            "SequenceNumber": sequence or str(1_000 + number),
            "StreamViewType": "NEW_AND_OLD_IMAGES",
        },
    }


def _bytes(value: bytes) -> dict[str, str]:
    return {"B": base64.b64encode(value).decode()}


@dataclass
class OutboxWorld:
    """Accounts with preferences and sockets, a topic, queues, and the outbox between them."""

    store: MemoryStore = field(default_factory=MemoryStore)
    clock: HandClock = field(default_factory=HandClock)
    counts: Counter[str] = field(default_factory=Counter)

    def __post_init__(self) -> None:
        self.guard = Guard()
        self.topic = FaultyTopic(guard=self.guard)
        self.queues = FaultyQueues(guard=self.guard)
        self.vault = Vault(b"x" * 32, b"s" * 32, SeededChance())
        self.book = PreferenceBook(self.store.preferences, self.vault)
        self.outbox = Outbox(
            book=self.book,
            connections=self.store.connections,
            topic=self.topic,
            queues=self.queues,
            clock=self.clock,
            count=self.count,
        )

    def count(self, event: str, /, **_dimensions: str) -> None:
        self.counts[event] += 1

    def strike(self, faults: Faults | None) -> None:
        """Let rows and carriers fail by `faults` from now on."""
        self.store.faults = self.guard.faults = faults

    def wants(self, account: bytes, preferences: Preferences) -> None:
        self.book.update(account, lambda _: preferences)

    def spoil(self, account: bytes) -> None:
        """Give the account a document that nobody can open."""
        row = AccountRow(self.vault.index("preferences", account), b"spoilt", 1)
        self.store.preferences.put(row)

    def connect(self, account: bytes) -> None:
        row = ConnectionRow(account[::-1], b"sealed", self.clock.now_s + 60, owner=account)
        self.store.connections.put(row)

    def handle(self, *records: Mapping[str, Any]) -> list[str]:
        """One invocation; the sequence numbers that it names."""
        answer = self.outbox.handle({"Records": list(records)})
        return [failure["itemIdentifier"] for failure in answer["batchItemFailures"]]

    def work_off(self, records: Sequence[Record], *, most: int = 20) -> None:
        """Hand the records over until nothing is left, as Lambda does: again from the first that failed."""
        left = list(records)
        for _ in range(most):
            try:
                failed = self.handle(*left)
            except Died:
                continue
            if not failed:
                return
            numbers = [record["dynamodb"]["SequenceNumber"] for record in left]
            left = left[numbers.index(failed[0]) :]
        raise AssertionError("the shard is stuck")

    @property
    def told(self) -> Counter[MessageReceived]:
        """What was published, and how often."""
        return Counter(self.topic.published)

    def untold(self) -> list[str]:
        """The texts that were set aside since the last time."""
        return [text for text, _ in self.queues.take(Queue.UNTOLD)]
