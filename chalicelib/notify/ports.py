"""What telling receivers needs from the world: rows, a topic, queues, and carriers.

Every key that reaches a store is a keyed hash and every value is sealed (`relay.vault`), as in `relay.ports`;
and as there, a store method raises `Unavailable` when the store did not answer (then nobody knows whether a
write happened, and each can be repeated without harm), and nothing else of its own.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, Final, Protocol

from chalicelib.notify.events import MessageReceived
from chalicelib.relay.ports import AccountRow

PING_SHARDS: Final = 16
"""Over how many partitions open sockets are spread for the pinger."""
SCHEDULE_SHARDS: Final = 8
"""Over how many partitions things to do later are spread."""
MOST_DELAY_S: Final = 900
"""The longest delay that a queue itself can keep (SQS)."""


class Queue(StrEnum):
    """The queues, by what reads them. Each has a dead-letter queue."""

    SOCKETS = "sockets"
    WEBHOOKS = "webhooks"
    EMAIL = "email"
    PUSH = "push"
    SMS = "sms"
    GREETINGS = "greetings"
    """Sockets that have just been opened and wait for the first packet."""
    UNTOLD = "untold"
    """Where the outbox puts what it cannot tell: the on-failure queue of the stream."""


class Gone(Exception):
    """The other end does not exist any more (a closed socket, a subscription that was withdrawn)."""


class Refused(Exception):
    """The carrier will never take this (an invalid address, a suppressed one). Do not try again."""


class PreferenceStore(Protocol):
    """One sealed document for each account: what it wants to be told, and how. As `relay.ports.RuleStore`."""

    def get(self, owner: bytes) -> AccountRow | None:
        """The document of `owner` (a consistent read)."""
        ...

    def put(self, row: AccountRow) -> None:
        """Write `row` if version `row.version - 1` stands there (0: nothing). Raises relay.ports.Conflict."""
        ...

    def delete(self, owner: bytes) -> None:
        """Forget the document; a missing one is no error."""
        ...


@dataclass(frozen=True, slots=True)
class ConnectionRow:
    """An open socket. `connection` is the keyed hash (32 bytes) of the gateway's id, which `sealed` holds.

    `owner` is the inbox key of the account it speaks for, None before it has signed in; `shard` is its
    partition for the pinger. `pings` were sent and `pongs` came back: a socket whose `pongs` have reached the
    number of a ping has received everything that was sent before that ping. Only `get` tells the counts.
    """

    connection: bytes
    sealed: bytes
    expires_at_s: int
    owner: bytes | None = None
    shard: int = 0
    pings: int = 0
    pongs: int = 0


@dataclass(frozen=True, slots=True)
class ConnectionPage:
    """Some sockets of a shard; `last` is where to go on, None at the end."""

    rows: tuple[ConnectionRow, ...]
    last: bytes | None


class ConnectionStore(Protocol):
    """The open sockets, found by connection, by account (consistently) and by shard. Nothing is scanned.

    A row with an owner is three items: itself, one beside the account's others, one in its shard. `put`
    returns when all three are there, so a message that is committed after it finds the socket.
    """

    def put(self, row: ConnectionRow) -> None:
        """Remember the socket, or replace what is remembered of it, counts included."""
        ...

    def get(self, connection: bytes, *, now_s: int) -> ConnectionRow | None:
        """The unexpired socket (a consistent read)."""
        ...

    def of_account(self, owner: bytes, *, now_s: int) -> tuple[ConnectionRow, ...]:
        """All unexpired sockets of an account (consistent), the oldest hash first."""
        ...

    def of_shard(self, shard: int, *, after: bytes | None, limit: int, now_s: int) -> ConnectionPage:
        """The unexpired sockets of a shard, at most `limit` looked at."""
        ...

    def pinged(self, connection: bytes) -> int:
        """Count a ping before it is sent, and return its number; 0 for a socket that is not known."""
        ...

    def ponged(self, connection: bytes) -> None:
        """Count an answer; nothing is written for a socket that is not known."""
        ...

    def remove(self, row: ConnectionRow) -> None:
        """Forget the socket, all three items of it; missing ones are no error."""
        ...

    def mark(self, owner: bytes, message_id: bytes, pings: Mapping[bytes, int], *, expires_at_s: int) -> None:
        """Remember, for a message that was pushed, the number of the ping behind it on each connection."""
        ...

    def marks(self, owner: bytes, message_id: bytes, *, now_s: int) -> Mapping[bytes, int]:
        """What `mark` remembered, empty if nothing (a consistent read)."""
        ...


@dataclass(frozen=True, slots=True)
class DeliveryRow:
    """One event on its way to one webhook endpoint: an entry of the endpoint's log.

    `endpoint` is the keyed hash of account and endpoint; `sort` begins with the time of the event (8 bytes
    big-endian, ms) and orders the log. `version` counts writes, as in `relay.ports.AccountRow`.
    """

    endpoint: bytes
    sort: bytes
    sealed: bytes = field(repr=False)
    version: int
    expires_at_s: int


@dataclass(frozen=True, slots=True)
class DeliveryPage:
    """Entries of a log, newest first; `last` is the sort key to go on before, None at the end."""

    rows: tuple[DeliveryRow, ...]
    last: bytes | None


class DeliveryStore(Protocol):
    """The log of each webhook endpoint."""

    def get(self, endpoint: bytes, sort: bytes, *, now_s: int) -> DeliveryRow | None:
        """The unexpired entry (a consistent read)."""
        ...

    def put(self, row: DeliveryRow, *, now_s: int) -> None:
        """Write `row` if version `row.version - 1` stands there (0: nothing, or an expired one).

        Raises relay.ports.Conflict. A write that is repeated meets itself: that is success.
        """
        ...

    def newest(self, endpoint: bytes, *, before: bytes | None, limit: int, now_s: int) -> DeliveryPage:
        """The newest unexpired entries before `before`, at most `limit` looked at."""
        ...

    def delete_all(self, endpoint: bytes) -> None:
        """Forget the endpoint's whole log. Returns only when nothing is left."""
        ...


@dataclass(frozen=True, slots=True)
class DueRow:
    """A text that is to be put into `queue` at `due_at_ms`. `key` (16 bytes) tells it from others.

    Writing the same shard, time and key twice is writing once: what is to happen once gets the same key.
    """

    shard: int
    due_at_ms: int
    key: bytes
    queue: Queue
    sealed: bytes = field(repr=False)
    expires_at_s: int


class ScheduleStore(Protocol):
    """What is to be done later than a queue can wait, spread over shards. Nothing is scanned."""

    def put(self, row: DueRow) -> None:
        """Remember `row`."""
        ...

    def due(self, shard: int, *, now_ms: int, limit: int) -> tuple[DueRow, ...]:
        """The rows of a shard whose time has come, the oldest first (consistent)."""
        ...

    def delete(self, row: DueRow) -> None:
        """Forget `row`; a missing one is no error."""
        ...


class NotifyStores(Protocol):
    """All rows of this layer: what `chalicelib.store` offers, in memory or on AWS."""

    @property
    def preferences(self) -> PreferenceStore:
        """What accounts want to be told."""
        ...

    @property
    def connections(self) -> ConnectionStore:
        """The open sockets."""
        ...

    @property
    def deliveries(self) -> DeliveryStore:
        """The webhooks' logs."""
        ...

    @property
    def schedule(self) -> ScheduleStore:
        """What is to be done later."""
        ...


class Later(Protocol):
    """Puts texts into queues at a later time, however late."""

    def put(self, queue: Queue, text: str, *, delay_s: int, key: bytes) -> None:
        """Put `text` into `queue` in about `delay_s` seconds. It is kept when this returns.

        `key` (16 bytes): what is put twice with the same key, queue and time may come once or twice. Delays
        over `MOST_DELAY_S` are exact to about a minute. Raises Unavailable.
        """
        ...


class Topic(Protocol):
    """Where every event is published, for the relay's own queues and for whoever the operator lets in."""

    def publish(self, events: Sequence[MessageReceived]) -> tuple[int, ...]:
        """Publish at most 10 events; the positions of those that the topic did not take.

        Raises Unavailable if it did not answer: then any of them may be published.
        """
        ...


class StreamReader(Protocol):
    """The inbox's stream, for what its function could not work when it was handed it."""

    def read(self, shard_id: str, first: str, last: str) -> Sequence[Mapping[str, Any]]:
        """The records from sequence number `first` to `last`, in the form that Lambda hands them over in.

        Raises NotFound if the stream does not have them any more (it keeps a day), Unavailable.
        """
        ...


class Queues(Protocol):
    """The queues, to write to."""

    def send(self, queue: Queue, text: str, *, delay_s: int = 0) -> None:
        """Put `text` into `queue`, to be read in `delay_s` seconds (0 to 900) at the earliest.

        It is kept when this returns. Raises Unavailable.
        """
        ...


@dataclass(frozen=True, slots=True)
class Mail:
    """An e-mail in both forms. `unsubscribe_url` goes into List-Unsubscribe (RFC 8058), if there is one."""

    to: str = field(repr=False)
    subject: str
    plain: str = field(repr=False)
    html: str = field(repr=False)
    unsubscribe_url: str | None = field(default=None, repr=False)


class Mailer(Protocol):
    """Sends e-mail."""

    def send(self, mail: Mail) -> None:
        """Hand `mail` to the carrier. Raises Unavailable, Refused."""
        ...


class Texter(Protocol):
    """Sends short messages to telephones."""

    def send(self, number: str, text: str) -> None:
        """Hand `text` to the carrier, for a number in E.164 form. Raises Unavailable, Refused."""
        ...


class Poster(Protocol):
    """Posts to open sockets, by the gateway's own connection id."""

    def post(self, connection_id: str, text: str) -> None:
        """Send one frame of text. Success says that the gateway took it, not that anybody received it.

        Raises Gone (no such socket, or one whose opening has not been answered yet), protocol.errors.TooBig
        (beyond what the gateway carries), Unavailable.
        """
        ...

    def close(self, connection_id: str) -> None:
        """Close the socket; one that is gone is no error. Raises Unavailable."""
        ...
