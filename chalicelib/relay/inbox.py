"""The inbox as its owner reads it: by page, as the reference lists it, and by contact.

A reader that follows with a cursor restarts 60 s before the newest message it has been given, since a message
stamped earlier may have been committed later (DESIGN, decision 7). It does so only from a cursor that had
reached the end; from any other it continues exactly, so that each round goes through the last minute once and
ends, however much is in it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from chalicelib.names.normalize import normalize
from chalicelib.protocol.errors import InvalidParams
from chalicelib.relay.account_book import AccountBook, AccountRecord
from chalicelib.relay.acknowledgements import Acknowledgements
from chalicelib.relay.mailbox import Batch, Mailbox, Opened, Work
from chalicelib.relay.ports import Clock, InboxKey, InboxStore
from chalicelib.relay.positions import Position, Positions
from chalicelib.relay.settings import Limits
from chalicelib.relay.values import Account, Listing, Page, StoredMessage

FOLLOW_OVERLAP_MS = 60_000
_DELETED_AT_ONCE = 100
# Messages opened for one call of `conversation`.
_CONVERSATION_WORK = 1_000
# Bytes opened for one call, in what a page may have: foreign mail is work, too.
_CONVERSATION_PAGES = 4


class RelayInbox:
    """Implements `service.Inbox`."""

    def __init__(
        self,
        *,
        mailbox: Mailbox,
        store: InboxStore,
        positions: Positions,
        acknowledgements: Acknowledgements,
        book: AccountBook,
        clock: Clock,
        limits: Limits,
    ) -> None:
        self._mailbox = mailbox
        self._store = store
        self._positions = positions
        self._acknowledgements = acknowledgements
        self._book = book
        self._clock = clock
        self._limits = limits

    def page(
        self, account: Account, cursor: str | None = None, limit: int | None = None, *, follow: bool = False
    ) -> Page:
        """See `service.Inbox.page`. A limit above the maximum is the maximum."""
        if limit is not None and limit < 1:
            raise InvalidParams("The limit must be at least 1.")
        count = min(limit or self._limits.page_messages, self._limits.page_messages_max)
        position = self._positions.read_cursor(account.inbox, cursor)
        start = _restart(position) if follow and position.at_end else position.after
        batch = self._mailbox.read(account.inbox, start, limit=count, max_bytes=self._limits.page_bytes)
        return Page(
            messages=tuple(_aged(item.message, account) for item in batch.opened),
            cursor=self._positions.cursor_of(account.inbox, _advance(position, batch)),
            more=batch.more,
            unreadable=batch.unreadable,
        )

    def incoming(self, account: Account) -> Listing:
        """See `service.Inbox.incoming`.

        When not all fits, the second half continues where the last listing's second half ended (kept in the
        account's record) and begins anew at the end of the inbox; it always holds at least one message,
        however large, so that repeated listings show everything.
        """
        count, space = self._limits.page_messages_max, self._limits.page_bytes
        oldest = self._mailbox.read(account.inbox, None, limit=count, max_bytes=space)
        if not oldest.more:
            return Listing(tuple(item.message.envelope for item in oldest.opened), None)
        head = _fitting(oldest.opened[: count // 2], space // 2)
        moving = self._moving_half(account, head[-1].key if head else None, count // 2, space // 2)
        head = _fitting(head, space - moving.size_bytes)
        self._remember(account.key, moving.last if moving.more else None)
        shown = dict.fromkeys(item.key for item in moving.opened)
        items = [*(item for item in head if item.key not in shown), *moving.opened]
        following = Position(after=head[-1].key if head else None)
        return Listing(
            tuple(item.message.envelope for item in items),
            self._positions.cursor_of(account.inbox, following),
        )

    def conversation(self, account: Account, contact: str, cursor: str | None = None) -> Listing:
        """See `service.Inbox.conversation`. Opens at most 1,000 messages and the bytes of four pages."""
        contact = normalize(contact)
        space = self._limits.page_bytes
        batch = self._mailbox.search(
            account.inbox,
            self._positions.read_cursor(account.inbox, cursor).after,
            sender=contact,
            max_bytes=space,
            work=Work(_CONVERSATION_WORK, _CONVERSATION_PAGES * space),
        )
        envelopes = tuple(item.message.envelope for item in batch.opened)
        if not batch.more:
            return Listing(envelopes, None)
        return Listing(envelopes, self._positions.cursor_of(account.inbox, Position(after=batch.last)))

    def acknowledge(self, account: Account, ids: Sequence[str]) -> int:
        """See `service.Inbox.acknowledge`. At a cost that does not depend on the inbox."""
        return self._acknowledgements.by_id(account.inbox, ids)

    def acknowledge_pairs(self, account: Account, pairs: Sequence[tuple[str, str]]) -> int:
        """See `service.Inbox.acknowledge_pairs`."""
        return self._acknowledgements.by_pairs(account.inbox, pairs)

    def empty(self, inbox: bytes) -> None:
        """Delete every message, a bounded batch at a time."""
        after: InboxKey | None = None
        while True:
            page = self._store.page(
                inbox,
                after=after,
                limit=_DELETED_AT_ONCE,
                max_bytes=self._limits.page_bytes,
                now_s=self._clock.now_ms() // 1_000,
            )
            if page.items:
                self._store.delete(inbox, [item.key for item in page.items])
            if page.last is None:
                return
            after = page.last

    def _moving_half(self, account: Account, head: InboxKey | None, count: int, space: int) -> Batch:
        record = self._book.load(account.key)
        start = _later(record.listing_after if record else None, head)
        moving = self._mailbox.read(account.inbox, start, limit=count, max_bytes=space)
        if moving.opened or start == head:
            return moving
        # What the position stood before has been acknowledged or has expired.
        return self._mailbox.read(account.inbox, head, limit=count, max_bytes=space)

    def _remember(self, account: bytes, listing_after: InboxKey | None) -> None:
        def change(record: AccountRecord | None) -> AccountRecord | None:
            return record and replace(record, listing_after=listing_after)

        self._book.update(account, change)


def _aged(message: StoredMessage, account: Account) -> StoredMessage:
    """The message, marked if the key it came in under has been replaced since."""
    return replace(message, older_key=message.encryption_key not in (None, account.encryption_key))


def _restart(position: Position) -> InboxKey | None:
    if position.newest is None:
        return None
    return InboxKey(max(0, position.newest.stored_at_ms - FOLLOW_OVERLAP_MS), bytes(16))


def _advance(position: Position, batch: Batch) -> Position:
    return Position(batch.last, _later(position.newest, batch.last), at_end=not batch.more)


def _later(one: InboxKey | None, other: InboxKey | None) -> InboxKey | None:
    if one is None or other is None:
        return one or other
    return max(one, other)


def _fitting(items: Sequence[Opened], space_bytes: int) -> tuple[Opened, ...]:
    """The longest beginning of `items` that takes no more than `space_bytes`, perhaps none."""
    for count, item in enumerate(items):
        space_bytes -= item.size_bytes
        if space_bytes < 0:
            return tuple(items[:count])
    return tuple(items)
