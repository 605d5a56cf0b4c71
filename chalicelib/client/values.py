"""What the SDK hands to its callers: frozen values."""

from __future__ import annotations

from dataclasses import dataclass, field
from enum import StrEnum
from typing import Literal

from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.message import Attachment, Message
from chalicelib.protocol.postmark import Postmark
from chalicelib.protocol.profile import UserProfile
from chalicelib.protocol.receipt import Receipt


@dataclass(frozen=True, slots=True)
class Contact:
    """Somebody who can be written to. `proven`: the wallet of `address` has signed the profile."""

    name: str
    address: str | None
    profile: UserProfile
    proven: bool


@dataclass(frozen=True, slots=True)
class Sent:
    """A message that a delivery service has accepted.

    `message_hash` is what replies, edits and receipts refer to. `receipt` is verified; it is None at services
    of the reference, which give none. `duplicate`: the same envelope had been accepted before.
    """

    message_hash: str
    message: Message = field(repr=False)
    delivery_service: str
    receipt: Receipt | None
    duplicate: bool = False
    delivered: Literal[True] = True


@dataclass(frozen=True, slots=True)
class Queued:
    """A message that nobody could take yet. It is kept in the outbox; `flush` tries again.

    `reason` says why, and `retry_after_s` for how many seconds the service has asked to wait, if it did.
    """

    message_hash: str
    message: Message = field(repr=False)
    reason: Dm3Error
    retry_after_s: float | None = None
    delivered: Literal[False] = False


@dataclass(frozen=True, slots=True)
class Refused:
    """A kept message that nobody will ever take. It has been removed from the outbox."""

    message_hash: str
    message: Message = field(repr=False)
    reason: Dm3Error
    delivered: Literal[False] = False


class Verdict(StrEnum):
    """What came of a check. UNCHECKED: what it needs could not be had just now (a chain did not answer)."""

    PASSED = "passed"
    FAILED = "failed"
    UNCHECKED = "unchecked"


@dataclass(frozen=True, slots=True)
class Check:
    """One check of a received message, and the reason unless it passed.

    - `message`: signed by the profile of the name it says it is from
    - `envelope`: so is its envelope, which names the same sender
    - `receiver`: it was written to the reader
    - `postmark`: the delivery service has signed when it came in
    """

    name: str
    verdict: Verdict
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Received:
    """A message that came in, opened. `verified` only if every check passed.

    `id` acknowledges it and is good for the account it was fetched with. `sender` is the normalised name the
    message says it is from: a claim unless `verified`. `message_hash` is what replies refer to, and by which
    doubles are known. Times are milliseconds since the Unix epoch; `received_at_ms` is the postmark's if that
    is genuine, else when the relay says it stored the message.
    """

    id: str
    message_hash: str
    sender: str
    message: Message = field(repr=False)
    checks: tuple[Check, ...]
    postmark: Postmark | None = field(repr=False)
    received_at_ms: int
    expires_at_ms: int
    delivery_service: str

    @property
    def verified(self) -> bool:
        """Whether every check passed."""
        return all(check.verdict is Verdict.PASSED for check in self.checks)

    @property
    def reasons(self) -> tuple[str, ...]:
        """Why it is not verified: one sentence for each check that did not pass."""
        return tuple(check.reason for check in self.checks if check.verdict is not Verdict.PASSED)

    @property
    def type(self) -> str:
        """The message's type: a `MessageType`, or one of an extension."""
        return self.message.type

    @property
    def text(self) -> str | None:
        """What was written. It is the sender's: escape it before it is shown."""
        return self.message.message

    @property
    def attachments(self) -> tuple[Attachment, ...]:
        """What came with it."""
        return self.message.attachments or ()


@dataclass(frozen=True, slots=True)
class Unreadable:
    """An item of the inbox that cannot be opened with the present keys, and why.

    It is never acknowledged by itself: perhaps another key opens it. `envelope` is as it came.
    """

    id: str
    reason: str
    delivery_service: str
    envelope: JsonObject = field(repr=False)


@dataclass(frozen=True, slots=True)
class Unreached:
    """One's own delivery service that did not do what it was asked for, and why."""

    delivery_service: str
    reason: Dm3Error


@dataclass(frozen=True, slots=True)
class FormerKey:
    """A public encryption key that was replaced. Mail of before (ms) is likely to be sealed for it."""

    public_encryption_key: str
    replaced_at_ms: int


@dataclass(frozen=True, slots=True)
class AccountStatus:
    """What one's own delivery service says of the account there.

    `listed`: whether the service sees itself in the profile at ENS; if not, it refuses new mail, and what it
    has can still be read. None if it could not tell. `former_keys` are the replaced ones, the oldest first.
    """

    delivery_service: str
    address: str
    names: tuple[str, ...]
    created_at_ms: int
    public_encryption_key: str
    former_keys: tuple[FormerKey, ...]
    listed: bool | None


@dataclass(frozen=True, slots=True)
class InboxPage:
    """Part of the inbox, the oldest first.

    `cursor` continues after it. `more` says whether something is known to be left. `unreached` are own
    delivery services that gave no mail, and why; the cursor stays where it was for them.
    """

    messages: tuple[Received, ...]
    unreadable: tuple[Unreadable, ...]
    cursor: str
    more: bool
    unreached: tuple[Unreached, ...] = ()

    @property
    def unreachable(self) -> tuple[str, ...]:
        """The names of the `unreached`."""
        return tuple(failure.delivery_service for failure in self.unreached)
