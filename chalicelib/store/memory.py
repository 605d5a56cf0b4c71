"""The relay's storage in memory: the simulator that tests and the laptop use in place of AWS.

It keeps the promises of `chalicelib.relay.ports` to the letter and from many threads at once: one lock makes
every operation atomic. Like DynamoDB it deletes nothing because it has expired; expired items are filtered
when they are read and count as absent in every condition (DESIGN, decision 7).

A test makes it fail through `MemoryStore.faults`: the callable is asked before and after every operation and
may raise `Unavailable`, or an exception of the test's own that stands for a crash.
"""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Sequence
from dataclasses import replace

from chalicelib.relay.ports import (
    AccountRow,
    Charge,
    Conflict,
    InboxItem,
    InboxKey,
    InboxPage,
    NameRow,
    Submission,
)
from chalicelib.store.memory_guard import Faults, Guard, Moment
from chalicelib.store.memory_notify import (
    MemoryConnections,
    MemoryDeliveries,
    MemoryPreferences,
    MemorySchedule,
)

__all__ = ["Faults", "MemoryStore", "Moment"]


class MemoryInbox:
    """`InboxStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._items: dict[bytes, dict[InboxKey, InboxItem]] = {}
        self.unreadable: set[InboxKey] = set()

    def put(self, account: bytes, item: InboxItem) -> None:
        """See `InboxStore.put`."""
        with self._guard.operation("inbox.put"):
            self._items.setdefault(account, {}).setdefault(item.key, item)

    def exists(self, account: bytes, key: InboxKey, *, now_s: int) -> bool:
        """See `InboxStore.exists`."""
        with self._guard.operation("inbox.exists"):
            item = self._items.get(account, {}).get(key)
            return item is not None and item.expires_at_s > now_s

    def page(
        self, account: bytes, *, after: InboxKey | None, limit: int, max_bytes: int, now_s: int
    ) -> InboxPage:
        """See `InboxStore.page`. Keys in `unreadable` behave like items whose body is gone."""
        with self._guard.operation("inbox.page"):
            inbox = self._items.get(account, {})
            keys = sorted(key for key, item in inbox.items() if item.expires_at_s > now_s)
            start = 0 if after is None else bisect_right(keys, after)
            return self._collect(inbox, keys[start:], limit, max_bytes)

    def _collect(
        self, inbox: dict[InboxKey, InboxItem], keys: Sequence[InboxKey], limit: int, max_bytes: int
    ) -> InboxPage:
        taken: list[InboxItem] = []
        unreadable = size_bytes = 0
        last: InboxKey | None = None
        for key in keys:
            item = inbox[key]
            full = size_bytes + len(item.blob) > max_bytes
            if len(taken) + unreadable >= limit or (taken and full):
                return InboxPage(tuple(taken), last, unreadable)
            last = key
            if key in self.unreadable:
                unreadable += 1
                continue
            taken.append(item)
            size_bytes += len(item.blob)
        return InboxPage(tuple(taken), None, unreadable)

    def delete(self, account: bytes, keys: Sequence[InboxKey]) -> None:
        """See `InboxStore.delete`."""
        with self._guard.operation("inbox.delete"):
            inbox = self._items.get(account, {})
            for key in keys:
                inbox.pop(key, None)


class MemorySubmissions:
    """`SubmissionStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[tuple[bytes, bytes], Submission] = {}

    def get(self, partition: bytes, sort: bytes, *, now_s: int) -> Submission | None:
        """See `SubmissionStore.get`."""
        with self._guard.operation("submissions.get"):
            return self._standing(partition, sort, now_s)

    def _standing(self, partition: bytes, sort: bytes, now_s: int) -> Submission | None:
        row = self._rows.get((partition, sort))
        return row if row is not None and row.expires_at_s > now_s else None

    def begin(self, submission: Submission, *, now_s: int) -> Submission:
        """See `SubmissionStore.begin`."""
        with self._guard.operation("submissions.begin"):
            standing = self._standing(submission.partition, submission.sort, now_s)
            if standing is not None:
                return standing
            self._rows[submission.partition, submission.sort] = submission
            return submission

    def complete(self, partition: bytes, sort: bytes) -> None:
        """See `SubmissionStore.complete`. A row that is gone is not brought back."""
        with self._guard.operation("submissions.complete"):
            row = self._rows.get((partition, sort))
            if row is not None:
                self._rows[partition, sort] = replace(row, stored=True)

    def find(self, partition: bytes, sort_prefix: bytes, *, now_s: int, limit: int) -> tuple[Submission, ...]:
        """See `SubmissionStore.find`."""
        with self._guard.operation("submissions.find"):
            found = (
                row
                for (row_partition, sort), row in sorted(self._rows.items())
                if row_partition == partition and sort.startswith(sort_prefix) and row.expires_at_s > now_s
            )
            return tuple(found)[:limit]


class MemoryAccounts:
    """`AccountStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, AccountRow] = {}
        self._names: dict[bytes, bytes] = {}
        self._superseded: dict[bytes, set[bytes]] = {}

    def get(self, account: bytes) -> AccountRow | None:
        """See `AccountStore.get`."""
        with self._guard.operation("accounts.get"):
            return self._rows.get(account)

    def put(self, row: AccountRow) -> None:
        """See `AccountStore.put`. Writing once more what stands there already is no conflict."""
        with self._guard.operation("accounts.put"):
            _replace(self._rows, row)

    def delete(self, account: bytes) -> None:
        """See `AccountStore.delete`."""
        with self._guard.operation("accounts.delete"):
            self._rows.pop(account, None)

    def link_name(self, name: bytes, sealed: bytes) -> None:
        """See `AccountStore.link_name`."""
        with self._guard.operation("accounts.link_name"):
            self._names[name] = sealed

    def linked(self, name: bytes) -> bytes | None:
        """See `AccountStore.linked`."""
        with self._guard.operation("accounts.linked"):
            return self._names.get(name)

    def unlink_name(self, name: bytes) -> None:
        """See `AccountStore.unlink_name`."""
        with self._guard.operation("accounts.unlink_name"):
            self._names.pop(name, None)

    def supersede(self, account: bytes, profile: bytes) -> None:
        """See `AccountStore.supersede`."""
        with self._guard.operation("accounts.supersede"):
            self._superseded.setdefault(account, set()).add(profile)

    def is_superseded(self, account: bytes, profile: bytes) -> bool:
        """See `AccountStore.is_superseded`."""
        with self._guard.operation("accounts.is_superseded"):
            return profile in self._superseded.get(account, set())

    def reinstate(self, account: bytes, profile: bytes) -> None:
        """See `AccountStore.reinstate`."""
        with self._guard.operation("accounts.reinstate"):
            self._superseded.get(account, set()).discard(profile)


class MemoryRules:
    """`RuleStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, AccountRow] = {}

    def get(self, owner: bytes) -> AccountRow | None:
        """See `RuleStore.get`."""
        with self._guard.operation("rules.get"):
            return self._rows.get(owner)

    def put(self, row: AccountRow) -> None:
        """See `RuleStore.put`. Writing once more what stands there already is no conflict."""
        with self._guard.operation("rules.put"):
            _replace(self._rows, row)

    def delete(self, owner: bytes) -> None:
        """See `RuleStore.delete`."""
        with self._guard.operation("rules.delete"):
            self._rows.pop(owner, None)


class MemoryCounters:
    """`CounterStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._counts: dict[bytes, tuple[int, int]] = {}
        self._marks: dict[bytes, int] = {}

    def charge(self, charge: Charge, *, now_s: int) -> bool:
        """See `CounterStore.charge`. The first charge sets when the counter is forgotten."""
        with self._guard.operation("counters.charge"):
            count, expires_at_s = self._counts.get(charge.counter, (0, 0))
            if expires_at_s <= now_s:
                count, expires_at_s = 0, charge.expires_at_s
            if count + charge.amount > charge.limit:
                return False
            self._counts[charge.counter] = (count + charge.amount, expires_at_s)
            return True

    def read(self, counters: Sequence[bytes], *, now_s: int) -> tuple[int, ...]:
        """See `CounterStore.read`."""
        with self._guard.operation("counters.read"):
            found = (self._counts.get(counter, (0, 0)) for counter in counters)
            return tuple(count if expires_at_s > now_s else 0 for count, expires_at_s in found)

    def use_once(self, mark: bytes, *, expires_at_s: int, now_s: int) -> bool:
        """See `CounterStore.use_once`."""
        with self._guard.operation("counters.use_once"):
            if self._marks.get(mark, 0) > now_s:
                return False
            self._marks[mark] = expires_at_s
            return True


class MemoryNames:
    """`NameStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, NameRow] = {}

    def get(self, name: bytes, *, now_s: int) -> NameRow | None:
        """See `NameStore.get`."""
        with self._guard.operation("names.get"):
            row = self._rows.get(name)
            return row if row is not None and row.expires_at_s > now_s else None

    def put(self, row: NameRow) -> bool:
        """See `NameStore.put`."""
        with self._guard.operation("names.put"):
            standing = self._rows.get(row.name)
            if standing is not None and standing.read_at_ms > row.read_at_ms:
                return False
            self._rows[row.name] = row
            return True


class MemoryStore:
    """Every store of the relay and of its notifications in one place, with one lock.

    `faults` is None, or a callable asked with the operation's name ("inbox.put", "counters.charge", ...) and
    the `Moment`, before and after each operation, outside the lock.
    """

    def __init__(self) -> None:
        self._guard = Guard()
        self.inbox = MemoryInbox(self._guard)
        self.submissions = MemorySubmissions(self._guard)
        self.accounts = MemoryAccounts(self._guard)
        self.rules = MemoryRules(self._guard)
        self.counters = MemoryCounters(self._guard)
        self.names = MemoryNames(self._guard)
        self.preferences = MemoryPreferences(self._guard)
        self.connections = MemoryConnections(self._guard)
        self.deliveries = MemoryDeliveries(self._guard)
        self.schedule = MemorySchedule(self._guard)

    @property
    def faults(self) -> Faults | None:
        """What is asked around every operation."""
        return self._guard.faults

    @faults.setter
    def faults(self, faults: Faults | None) -> None:
        self._guard.faults = faults


def _replace(rows: dict[bytes, AccountRow], row: AccountRow) -> None:
    standing = rows.get(row.account)
    version = 0 if standing is None else standing.version
    if standing != row and version != row.version - 1:
        raise Conflict
    rows[row.account] = row
