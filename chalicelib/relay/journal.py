"""Committing a message once: the row, then the item, then the row again (DESIGN, decision 8).

    row `pending` ──▶ inbox item, if absent ──▶ row `stored` ──▶ success is answered

A crash after the first arrow leaves a row without an item; whoever submits the envelope again completes it
under the key that stands in the row, so two submitters at once store one item. But a message may not appear
in the inbox long after the time it is stamped with, or a reader that follows would be past it: a row that has
been pending for longer than any request lives is left behind, and a next attempt (the sort key and a number)
begins with a new time and the same message id. If the first item was there after all, fetched and
acknowledged before the crash, that is the one rare double, recognisable by its id.

A receipt is given out only when the row says `stored`, so every caller gets the same one.

The signature of two of the three revisions does not cover the ciphertext: whoever has one genuine letter can
put its metadata on others. Rows of the same signed metadata therefore stand next to one another, so that the
read which looks for a submission also counts these variants (at the same moment, a few more may begin).

    sort key = sender (16 bytes) | signed metadata (16) | sealed message (16) | number of the attempt (0 or 1)
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.receipt import Receipt, make_receipt
from chalicelib.relay.ports import (
    Chance,
    Clock,
    InboxItem,
    InboxKey,
    InboxStore,
    Submission,
    SubmissionStore,
)
from chalicelib.relay.settings import RelayKeys
from chalicelib.relay.vault import Vault

# Longer than API Gateway lets a request live (29 s), shorter than a follower's overlap (60 s).
ATTEMPT_MS = 30_000
_ATTEMPTS = 16
_PART_BYTES = 16
# Different sealed messages under the same signed metadata; an honest sender needs one.
MAX_VARIANTS = 4
# Rows read for one signed metadata: all variants with all attempts, and some that began at the same moment.
_ROWS_PER_LETTER = 2 * MAX_VARIANTS * _ATTEMPTS
_MESSAGE_ID_BYTES = 16
# Rows read for one (contact, messageHash): a sender who gives one hash to more messages harms only these.
_ROWS_PER_HASH = 100


@dataclass(frozen=True, slots=True)
class Ticket:
    """What makes two submissions the same: inbox, sender, whether verified, what was signed and sealed.

    `inbox` is new when a deleted account comes back, so that neither what is remembered of the former one nor
    a process that has not heard of the deletion puts anything into the new one's. `message_hash` is the one
    the reference acknowledges with and `receipt_hash` the one in the receipt, `signed_hash` is that of the
    text under the metadata's signature, `sealed_hash` that of the sealed message.
    """

    inbox: bytes
    sender: str
    verified: bool
    message_hash: str
    receipt_hash: str
    signed_hash: str
    sealed_hash: str


@dataclass(frozen=True, slots=True)
class Attempt:
    """Where a submission stands: the row of an earlier one, or None and what a new row is to begin with.

    `variants` counts other messages that came with the same signed metadata before.
    """

    partition: bytes
    sort: bytes
    standing: Submission | None
    variants: int
    message_id: bytes | None = None


class Journal:
    """Remembers submissions, and commits messages."""

    def __init__(
        self,
        *,
        submissions: SubmissionStore,
        inbox: InboxStore,
        vault: Vault,
        keys: RelayKeys,
        clock: Clock,
        chance: Chance,
        lifetime_s: int,
    ) -> None:
        self._submissions = submissions
        self._inbox = inbox
        self._vault = vault
        self._keys = keys
        self._clock = clock
        self._chance = chance
        self._lifetime_s = lifetime_s

    def find(self, ticket: Ticket) -> Attempt:
        """Has this been submitted before? One query, unless an earlier submission was cut short."""
        partition = self._partition(ticket.inbox, ticket.message_hash)
        letter = self._sender_part(ticket.inbox, ticket.sender) + self._signed_part(ticket)
        sort = letter + self._sealed_part(ticket)
        found = self._submissions.find(partition, letter, now_s=self._now_s(), limit=_ROWS_PER_LETTER)
        rows = {row.sort: row for row in found}
        variants = len({key[: len(sort)] for key in rows} - {sort})
        message_id: bytes | None = None
        for number in range(_ATTEMPTS):
            numbered = sort + bytes([number]) if number else sort
            row = rows.get(numbered)
            if row is None:
                return Attempt(partition, numbered, None, variants, message_id)
            if row.stored or number == _ATTEMPTS - 1 or not self._is_abandoned(ticket.inbox, row):
                return Attempt(partition, numbered, row, variants)
            message_id = row.inbox_key.message_id
        raise AssertionError  # the loop returns at its last number

    def commit(
        self, ticket: Ticket, attempt: Attempt, item: Callable[[InboxKey, int], InboxItem]
    ) -> tuple[Receipt, bool]:
        """Store the message; its receipt, and whether another submission's row stood already.

        `item` makes the inbox item for a key and an expiry in seconds. On return the message is committed.
        Three writes when nothing stood there, none when the row says `stored`.
        """
        mine = None if attempt.standing else self._new_row(ticket, attempt)
        row = attempt.standing
        if mine is not None:
            row = self._submissions.begin(mine, now_s=self._now_s())
        assert row is not None  # noqa: S101 - one of the two is there
        if not row.stored:
            self._inbox.put(ticket.inbox, item(row.inbox_key, row.expires_at_s))
            self._submissions.complete(row.partition, row.sort)
        duplicate = mine is None or row.inbox_key != mine.inbox_key
        return self._open_receipt(row), duplicate

    def inbox_keys(self, inbox: bytes, sender: str, message_hash: str) -> tuple[InboxKey, ...]:
        """Where the messages stand that `sender` submitted under `message_hash`. One query."""
        rows = self._submissions.find(
            self._partition(inbox, message_hash),
            self._sender_part(inbox, sender),
            now_s=self._now_s(),
            limit=_ROWS_PER_HASH,
        )
        return tuple(row.inbox_key for row in rows)

    def _new_row(self, ticket: Ticket, attempt: Attempt) -> Submission:
        message_id = attempt.message_id or self._chance.token(_MESSAGE_ID_BYTES)
        now_ms = self._clock.now_ms()
        expires_at_s = now_ms // 1_000 + 1 + self._lifetime_s
        receipt = make_receipt(
            message_id=message_id.hex(),
            message_hash=ticket.receipt_hash,
            incoming_timestamp_ms=now_ms,
            expires_at_ms=expires_at_s * 1_000,
            signing_private_key=self._keys.signing.private_key,
        )
        sealed = self._vault.seal(canonicalize(receipt.to_json()).encode(), attempt.partition + attempt.sort)
        key = InboxKey(now_ms, message_id)
        return Submission(
            attempt.partition, attempt.sort, key, sealed, stored=False, expires_at_s=expires_at_s
        )

    def _open_receipt(self, row: Submission) -> Receipt:
        return Receipt.parse(parse_json(self._vault.open(row.receipt, row.partition + row.sort)))

    def _is_abandoned(self, inbox: bytes, row: Submission) -> bool:
        if self._clock.now_ms() - row.inbox_key.stored_at_ms < ATTEMPT_MS:
            return False
        return not self._inbox.exists(inbox, row.inbox_key, now_s=self._now_s())

    def _partition(self, inbox: bytes, message_hash: str) -> bytes:
        return self._vault.index("submission", inbox, message_hash)

    def _sender_part(self, inbox: bytes, sender: str) -> bytes:
        return self._vault.index("submission sender", inbox, sender)[:_PART_BYTES]

    def _signed_part(self, ticket: Ticket) -> bytes:
        # Who merely claims to be the sender must not swallow what the sender submits.
        standing = "verified" if ticket.verified else "claimed"
        return self._vault.index("submission signed", standing, ticket.signed_hash)[:_PART_BYTES]

    def _sealed_part(self, ticket: Ticket) -> bytes:
        return self._vault.index("submission sealed", ticket.sealed_hash)[:_PART_BYTES]

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1_000
