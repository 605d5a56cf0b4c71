"""Stored messages, sealed and opened: the one place that knows what the bytes of an inbox item are."""

from __future__ import annotations

import zlib
from dataclasses import dataclass

from chalicelib.protocol.errors import Undecryptable
from chalicelib.relay.ports import Clock, InboxItem, InboxKey, InboxStore
from chalicelib.relay.positions import Positions
from chalicelib.relay.sizes import carried_bytes
from chalicelib.relay.stored_envelope import StoredEnvelope
from chalicelib.relay.values import StoredMessage
from chalicelib.relay.vault import Vault

# Rounds of reading in one call when whole pages of the store hold nothing that can be opened.
_ROUNDS = 10
# Of one search; a page of the store may be short, or hold expired items only.
_SEARCH_ROUNDS = 100


@dataclass(frozen=True, slots=True)
class Opened:
    """An opened message with its key, its verified or claimed sender, and its `carried_bytes`."""

    key: InboxKey
    sender: str
    message: StoredMessage
    size_bytes: int


@dataclass(frozen=True, slots=True)
class Batch:
    """Opened messages in order; `last` is the key after which to continue, `more` whether to."""

    opened: tuple[Opened, ...]
    last: InboxKey | None
    more: bool
    unreadable: int

    @property
    def size_bytes(self) -> int:
        """What all of them take in an answer."""
        return sum(item.size_bytes for item in self.opened)


@dataclass(frozen=True, slots=True)
class Work:
    """What one search may cost: messages looked at, and their bytes, stored or opened (whichever is more)."""

    messages: int
    size_bytes: int

    def after(self, messages: int, size_bytes: int) -> Work:
        """What is left after so much of it."""
        return Work(self.messages - messages, self.size_bytes - size_bytes)

    @property
    def is_done(self) -> bool:
        """Whether nothing is left."""
        return self.messages <= 0 or self.size_bytes <= 0


class Mailbox:
    """Seals messages into items and reads them back in batches bounded by count and by opened size."""

    def __init__(self, store: InboxStore, vault: Vault, positions: Positions, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._positions = positions
        self._clock = clock

    def seal(self, account: bytes, key: InboxKey, stored: StoredEnvelope, expires_at_s: int) -> InboxItem:
        """The item for `stored`. Its bytes open under this account and key only."""
        return InboxItem(key, self._vault.seal(stored.to_bytes(), _context(account, key)), expires_at_s)

    def read(self, account: bytes, after: InboxKey | None, *, limit: int, max_bytes: int) -> Batch:
        """The oldest messages after `after`: at most `limit`, and at most `max_bytes` unless it is only one.

        Sizes are those of the opened messages, since a small item may open to a large message. What cannot be
        opened is counted and passed over.
        """
        unreadable, last = 0, after
        for _ in range(_ROUNDS):
            batch = self._read_once(account, last, limit, max_bytes)
            unreadable += batch.unreadable
            last = batch.last
            if batch.opened or not batch.more:
                return Batch(batch.opened, last, batch.more, unreadable)
        return Batch((), last, more=True, unreadable=unreadable)

    def search(
        self, account: bytes, after: InboxKey | None, *, sender: str, max_bytes: int, work: Work
    ) -> Batch:
        """The oldest messages from `sender` after `after`: at most `max_bytes` unless it is only one.

        Ends when `work` is done, with the key after which to continue. Nothing is read twice.
        """
        found: list[Opened] = []
        unreadable, last, size_bytes = 0, after, 0
        for _ in range(_SEARCH_ROUNDS):
            now_s = self._clock.now_ms() // 1_000
            page = self._store.page(
                account, after=last, limit=work.messages, max_bytes=max_bytes, now_s=now_s
            )
            work = work.after(page.unreadable, 0)
            unreadable += page.unreadable
            for item in page.items:
                if work.is_done:
                    return Batch(tuple(found), last, more=True, unreadable=unreadable)
                opened = self._open(account, item)
                work = work.after(1, max(len(item.blob), opened.size_bytes if opened else 0))
                if opened is None:
                    unreadable += 1
                elif opened.sender == sender:
                    size_bytes += opened.size_bytes
                    if found and size_bytes > max_bytes:
                        return Batch(tuple(found), last, more=True, unreadable=unreadable)
                    found.append(opened)
                last = item.key
            last = page.last or last
            if page.last is None or work.is_done:
                return Batch(tuple(found), last, page.last is not None, unreadable)
        return Batch(tuple(found), last, more=True, unreadable=unreadable)

    def _read_once(self, account: bytes, after: InboxKey | None, limit: int, max_bytes: int) -> Batch:
        now_s = self._clock.now_ms() // 1_000
        page = self._store.page(account, after=after, limit=limit, max_bytes=max_bytes, now_s=now_s)
        opened: list[Opened] = []
        unreadable, last, size_bytes = page.unreadable, after, 0
        for item in page.items:
            message = self._open(account, item)
            if message is None:
                unreadable += 1
            else:
                size_bytes += message.size_bytes
                if opened and size_bytes > max_bytes:
                    return Batch(tuple(opened), last, more=True, unreadable=unreadable)
                opened.append(message)
            last = item.key
        return Batch(tuple(opened), page.last or last, page.last is not None, unreadable)

    def _open(self, account: bytes, item: InboxItem) -> Opened | None:
        try:
            stored = StoredEnvelope.from_bytes(self._vault.open(item.blob, _context(account, item.key)))
        except (Undecryptable, ValueError, KeyError, zlib.error):
            # Not written by this relay, or under a storage key it no longer has.
            return None
        message = StoredMessage(
            id=self._positions.id_of(account, item.key),
            message_id=item.key.message_id.hex(),
            stored_at_ms=item.key.stored_at_ms,
            expires_at_ms=item.expires_at_s * 1_000,
            verified=stored.verified,
            encryption_key=stored.encryption_key,
            envelope=stored.wire_form(),
        )
        return Opened(item.key, stored.sender, message, carried_bytes(message.to_json()))


def _context(account: bytes, key: InboxKey) -> bytes:
    return b"message" + account + key.to_bytes()
