"""What the relay needs from the world: time, chance, names and storage.

The relay decides; adapters of these ports only keep what they are given. Every key and value that reaches
a store port is already a keyed hash or sealed (`relay.vault`), so an adapter never sees a name, an address
or a readable message, and neither do its backups and streams (DESIGN, decision 10).

Every store method raises `Unavailable` when the store did not answer or refused for want of capacity, and
nothing else of its own but `InternalError` for a request that can never succeed. After `Unavailable` from a
write the caller does not know whether it happened: each write here can therefore be repeated without harm.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Protocol


class Clock(Protocol):
    """Server time."""

    def now_ms(self) -> int:
        """Milliseconds since the Unix epoch."""
        ...


class Chance(Protocol):
    """A source of unpredictable bytes."""

    def token(self, size_bytes: int) -> bytes:
        """`size_bytes` unpredictable bytes."""
        ...


@dataclass(frozen=True, slots=True, order=True)
class InboxKey:
    """Where a message stands in its inbox: server time, then id. Orders as the inbox orders."""

    stored_at_ms: int
    message_id: bytes  # 16 bytes

    def to_bytes(self) -> bytes:
        """24 bytes (big-endian time, id) whose byte order is the order of the inbox."""
        return self.stored_at_ms.to_bytes(8, "big") + self.message_id

    @classmethod
    def from_bytes(cls, value: bytes) -> InboxKey:
        """Inverse of `to_bytes`. Raises ValueError if `value` is not 24 bytes."""
        if len(value) != 24:
            raise ValueError("an inbox key has 24 bytes")
        return cls(int.from_bytes(value[:8], "big"), value[8:])


@dataclass(frozen=True, slots=True)
class InboxItem:
    """One stored message: sealed bytes, and when they expire (seconds since the epoch)."""

    key: InboxKey
    blob: bytes
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Items in order. `last` is the position to continue after, None at the end of the inbox.

    An item whose body could not be read is left out and counted in `unreadable`, so that one bad item
    stops nobody; `last` moves past it.
    """

    items: tuple[InboxItem, ...]
    last: InboxKey | None
    unreadable: int = 0


class InboxStore(Protocol):
    """The inbox of each account: the truth about what was accepted and is not acknowledged."""

    def put(self, account: bytes, item: InboxItem) -> None:
        """Commit `item`; if its key is there already, leave it as it is. Large blobs go elsewhere first."""
        ...

    def exists(self, account: bytes, key: InboxKey, *, now_s: int) -> bool:
        """Whether an unexpired item stands under `key` (a consistent read)."""
        ...

    def page(
        self, account: bytes, *, after: InboxKey | None, limit: int, max_bytes: int, now_s: int
    ) -> InboxPage:
        """The oldest unexpired items after `after` (consistent), at most `limit` and `max_bytes` of blobs.

        At least one item is returned when there is one, however large it is.
        """
        ...

    def delete(self, account: bytes, keys: Sequence[InboxKey]) -> None:
        """Delete the items; missing ones are no error. Returns only when every one of them is gone."""
        ...


@dataclass(frozen=True, slots=True)
class Submission:
    """What the relay remembers of a submitted envelope (DESIGN, decision 8).

    `partition` is the keyed hash of (account, messageHash), `sort` of the sender, of the signed metadata and
    of the sealed message (16 bytes each). `stored` is False while only the intention is written. `receipt` is
    sealed.
    """

    partition: bytes
    sort: bytes
    inbox_key: InboxKey
    receipt: bytes
    stored: bool
    expires_at_s: int


class SubmissionStore(Protocol):
    """Submissions: they make submitting idempotent, and let the reference's client acknowledge by hash."""

    def get(self, partition: bytes, sort: bytes, *, now_s: int) -> Submission | None:
        """The unexpired submission (a consistent read)."""
        ...

    def begin(self, submission: Submission, *, now_s: int) -> Submission:
        """Write `submission` unless an unexpired one stands there; return the one that stands."""
        ...

    def complete(self, partition: bytes, sort: bytes) -> None:
        """Mark the submission as stored."""
        ...

    def find(self, partition: bytes, sort_prefix: bytes, *, now_s: int, limit: int) -> tuple[Submission, ...]:
        """The unexpired submissions whose sort key begins with `sort_prefix`, at most `limit`."""
        ...


@dataclass(frozen=True, slots=True)
class AccountRow:
    """One account under the keyed hash of its address; `sealed` holds what the relay knows of it.

    `version` counts writes: a write names the version it replaces.
    """

    account: bytes
    sealed: bytes
    version: int


class Conflict(Exception):
    """Somebody else wrote first: read again and decide again."""


class AccountStore(Protocol):
    """Accounts, the names that lead to them, and the profiles they have left behind."""

    def get(self, account: bytes) -> AccountRow | None:
        """The account (a consistent read)."""
        ...

    def put(self, row: AccountRow) -> None:
        """Write `row` if what stands there has version `row.version - 1` (0: nothing). Raises Conflict."""
        ...

    def delete(self, account: bytes) -> None:
        """Delete the account row; a missing account is no error.

        Its superseded profiles stay known (keyed hashes, nothing more): should the account begin anew, none
        of them may come back by a stranger's hand.
        """
        ...

    def link_name(self, name: bytes, sealed: bytes) -> None:
        """Remember `sealed` (the account a name leads to) under the keyed hash of a name."""
        ...

    def linked(self, name: bytes) -> bytes | None:
        """What `link_name` stored."""
        ...

    def unlink_name(self, name: bytes) -> None:
        """Forget the name; a missing one is no error."""
        ...

    def supersede(self, account: bytes, profile: bytes) -> None:
        """Remember the keyed hash of a profile that the account has replaced."""
        ...

    def is_superseded(self, account: bytes, profile: bytes) -> bool:
        """Whether `supersede` was called for it."""
        ...

    def reinstate(self, account: bytes, profile: bytes) -> None:
        """Undo `supersede`: ENS publishes the profile again."""
        ...


class RuleStore(Protocol):
    """Rules, those of each account and the operator's: sealed documents under keyed hashes of their owners.

    They have rows of their own, since the account's is read with every request and lists may be long.
    """

    def get(self, owner: bytes) -> AccountRow | None:
        """The rules of `owner` (a consistent read)."""
        ...

    def put(self, row: AccountRow) -> None:
        """As `AccountStore.put`, for rules. Raises Conflict."""
        ...

    def delete(self, owner: bytes) -> None:
        """Forget the rules; that there are none is no error."""
        ...


@dataclass(frozen=True, slots=True)
class NameRow:
    """What was read about a name, under its keyed hash; nothing in `sealed` says that it was dropped then."""

    name: bytes
    sealed: bytes
    read_at_ms: int
    expires_at_s: int

    def holding(self, sealed: bytes) -> NameRow:
        """This row with other contents."""
        return replace(self, sealed=sealed)


class NameStore(Protocol):
    """What ENS says about names, remembered for all processes. Everything here may be lost without harm."""

    def get(self, name: bytes, *, now_s: int) -> NameRow | None:
        """The unexpired row (a consistent read)."""
        ...

    def put(self, row: NameRow) -> bool:
        """Write `row`, unless what stands there is younger by `read_at_ms`; whether it is written."""
        ...


@dataclass(frozen=True, slots=True)
class Charge:
    """`amount` to add to a counter that may not pass `limit` before it is forgotten at `expires_at_s`."""

    counter: bytes
    amount: int
    limit: int
    expires_at_s: int


class CounterStore(Protocol):
    """Counters for quotas and single-use marks. They forget by themselves."""

    def charge(self, charge: Charge, *, now_s: int) -> bool:
        """Add in one atomic step unless the limit would be passed; False if it would."""
        ...

    def read(self, counters: Sequence[bytes], *, now_s: int) -> tuple[int, ...]:
        """The present value of each counter, 0 where there is none; at most 25 in one request."""
        ...

    def use_once(self, mark: bytes, *, expires_at_s: int, now_s: int) -> bool:
        """True for the first caller, False for every later one until `expires_at_s`."""
        ...


class Stores(Protocol):
    """All of a relay's storage: what `chalicelib.store` offers, in memory or on AWS."""

    @property
    def inbox(self) -> InboxStore:
        """The inboxes."""
        ...

    @property
    def submissions(self) -> SubmissionStore:
        """The submissions."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """The accounts."""
        ...

    @property
    def rules(self) -> RuleStore:
        """The rules."""
        ...

    @property
    def counters(self) -> CounterStore:
        """The counters."""
        ...

    @property
    def names(self) -> NameStore:
        """The remembered names."""
        ...
