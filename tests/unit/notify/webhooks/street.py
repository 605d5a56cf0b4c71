"""A relay's webhooks in memory, on a clock that is moved from one due try to the next."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass, field
from hashlib import sha256
from heapq import heappop, heappush
from itertools import count
from threading import Lock
from typing import Any

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Fetcher
from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.ports import MOST_DELAY_S, Queue
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Endpoint
from chalicelib.notify.webhooks.delivery import WebhookWorker
from chalicelib.notify.webhooks.desk import WebhookDesk
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import Faults, MemoryStore, Moment
from tests.unit.notify.carriers import sqs_event
from tests.unit.relay.ports import HandClock, SeededChance

VISIBILITY_S = 90
MAX_RECEIVES = 5


class Killed(BaseException):
    """The end of a worker at some line."""


@dataclass
class ForwardQueues:
    """Implements `Later` and `Queues` over one clock: texts with the time at which they are due."""

    clock: HandClock
    faults: Faults | None = None
    waiting: list[tuple[int, int, str, int]] = field(default_factory=list)
    failure: Exception | None = None
    _order: Any = field(default_factory=count)
    _lock: Lock = field(default_factory=Lock)

    def put(self, queue: Queue, text: str, *, delay_s: int, key: bytes) -> None:
        assert len(key) == 16
        self._keep("later.put", queue, text, delay_s)

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        assert delay_s <= MOST_DELAY_S
        self._keep("queues.send", queue, text, delay_s)

    def _keep(self, operation: str, queue: Queue, text: str, delay_s: int) -> None:
        assert queue is Queue.WEBHOOKS
        assert type(delay_s) is int
        if self.failure is not None:
            raise self.failure
        self._ask(operation, Moment.BEFORE)
        self.lay(text, delay_s)
        self._ask(operation, Moment.AFTER)

    def lay(self, text: str, delay_s: int, receives: int = 0) -> None:
        """Put `text` in, which has been received so often."""
        with self._lock:
            heappush(self.waiting, (self.clock.at_ms + delay_s * 1_000, next(self._order), text, receives))

    def _ask(self, operation: str, moment: Moment) -> None:
        if self.faults is not None:
            self.faults(operation, moment)


@dataclass
class Street:
    """One account with a worker and a desk. `told` is what its owner was told."""

    clock: HandClock = field(default_factory=HandClock)
    chance: SeededChance = field(default_factory=SeededChance)
    fetcher: Fetcher = field(default_factory=lambda: GuardedFetcher(allow_local=True))
    store: MemoryStore = field(default_factory=MemoryStore)
    told: list[str] = field(default_factory=list)
    telling_fails: Exception | None = None
    deleted: set[bytes] = field(default_factory=set)
    counted: Counter[str] = field(default_factory=Counter)
    dead: list[str] = field(default_factory=list)
    kills: int = 0

    def __post_init__(self) -> None:
        self.vault = Vault(b"i" * 32, b"s" * 32, self.chance)
        self.queues = ForwardQueues(self.clock)
        self.book = PreferenceBook(self.store.preferences, self.vault)
        self.account = Account(
            sha256(b"key").digest(), sha256(b"inbox").digest(), "0x" + "a" * 40, "bob.eth", "key"
        )
        self.worker = WebhookWorker(
            book=self.book,
            deliveries=self.store.deliveries,
            counters=self.store.counters,
            fetcher=self.fetcher,
            later=self.queues,
            vault=self.vault,
            clock=self.clock,
            chance=self.chance,
            count=self._count,
            tell_owner=self._tell,
        )
        self.desk = WebhookDesk(
            book=self.book,
            deliveries=self.store.deliveries,
            fetcher=self.fetcher,
            queues=self.queues,
            counters=self.store.counters,
            vault=self.vault,
            clock=self.clock,
            chance=self.chance,
            still_there=self._still_there,
        )

    def add(self, url: str, signature: str = "v1") -> dict[str, Any]:
        """A webhook that must become active."""
        added = dict(self.desk.add(self.account, {"url": url, "signature": signature}))
        assert added["state"] == "active", added
        return added

    def event(self, number: int = 1, size: SizeClass = SizeClass.SMALL) -> MessageReceived:
        """A message that comes in now."""
        message_id = sha256(f"message {number}".encode()).digest()[:16]
        key = InboxKey(self.clock.at_ms, message_id)
        return MessageReceived(self.account.inbox, key, size, frozenset({Channel.WEBHOOK}))

    def receive(self, *events: MessageReceived) -> None:
        """Put events into the queue, as the topic does."""
        for event in events or (self.event(),):
            self.queues.lay(event.to_text(), 0)

    def run(self, until_ms: int | None = None, *, batch: int = 1) -> None:
        """Move the clock from text to text, and let the worker have them, until nothing waits.

        `batch` is how many of those that are due it gets at once.
        """
        while self.queues.waiting and (until_ms is None or self.queues.waiting[0][0] <= until_ms):
            self.clock.at_ms = max(self.clock.at_ms, self.queues.waiting[0][0])
            taken: list[tuple[str, int]] = []
            while (
                self.queues.waiting and len(taken) < batch and self.queues.waiting[0][0] <= self.clock.at_ms
            ):
                taken.append(heappop(self.queues.waiting)[2:])
            try:
                answer = self.worker.handle(sqs_event(*(text for text, _ in taken)))
                failed = {failure["itemIdentifier"] for failure in answer["batchItemFailures"]}
            except Killed:
                failed = {f"m{index}" for index in range(len(taken))}
                self.kills += 1
            for index, (text, receives) in enumerate(taken):
                if f"m{index}" in failed:
                    self._again(text, receives + 1)

    def _again(self, text: str, receives: int) -> None:
        if receives < MAX_RECEIVES:
            self.queues.lay(text, VISIBILITY_S, receives)
        else:
            self.dead.append(text)

    def redrive(self) -> int:
        """Put the dead letters back into the queue; how many there were."""
        dead, self.dead = self.dead, []
        for text in dead:
            self.queues.lay(text, 0)
        return len(dead)

    def step(self) -> dict[str, Any]:
        """Let the worker have the next text; what it answers."""
        due_at_ms, _, text, _ = heappop(self.queues.waiting)
        self.clock.at_ms = max(self.clock.at_ms, due_at_ms)
        return self.worker.handle(sqs_event(text))

    def endpoint(self, endpoint_id: str) -> Endpoint:
        return self.book.load(self.account.inbox).endpoint(endpoint_id)

    def log(self, endpoint_id: str) -> list[dict[str, Any]]:
        """The whole log, page by page."""
        entries: list[dict[str, Any]] = []
        cursor = None
        while True:
            page: Any = self.desk.log(self.account, endpoint_id, cursor, 7)
            entries += page["deliveries"]
            cursor = page["cursor"]
            if cursor is None:
                return entries

    def faults(self, faults: Callable[[str, Moment], None] | None) -> None:
        """Ask `faults` around every call of the stores and the queues."""
        self.store.faults = faults
        self.queues.faults = faults

    def kill_at(self, call: int) -> Callable[[], bool]:
        """Kill the worker at the `call`th moment of the stores and queues; whether that has come."""
        asked = count(1)
        struck: list[str] = []

        def faults(operation: str, moment: Moment) -> None:
            if next(asked) == call:
                struck.append(f"{operation} {moment}")
                raise Killed

        self.faults(faults)
        return lambda: bool(struck)

    def _tell(self, owner: bytes, endpoint_id: str) -> None:
        assert owner == self.account.inbox
        if self.telling_fails is not None:
            raise self.telling_fails
        if self.queues.faults is not None:
            self.queues.faults("tell_owner", Moment.BEFORE)
        self.told.append(endpoint_id)
        if self.queues.faults is not None:
            self.queues.faults("tell_owner", Moment.AFTER)

    def _still_there(self, account: Account) -> None:
        from chalicelib.protocol.errors import Forbidden

        if account.key in self.deleted:
            raise Forbidden("The account does not exist any more.")

    def _count(self, event: str, /, **dimensions: str) -> None:
        self.counted[" ".join((event, *dimensions.values()))] += 1
