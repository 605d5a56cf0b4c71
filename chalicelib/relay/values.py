"""What the relay hands to its callers: frozen values, opened for the authenticated owner only."""

from __future__ import annotations

from dataclasses import dataclass, field

from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.protocol.receipt import Receipt
from chalicelib.relay.policy.account_rules import AccountRules


@dataclass(frozen=True, slots=True)
class Account:
    """An authenticated account: its keyed hash, that of its mail, its address, the name the caller used."""

    key: bytes
    inbox: bytes
    address: str
    name: str


@dataclass(frozen=True, slots=True)
class Submitted:
    """The answer to a submission. A duplicate's receipt equals, byte for byte, the first one's."""

    receipt: Receipt
    duplicate: bool


@dataclass(frozen=True, slots=True)
class StoredMessage:
    """One message of an inbox.

    `id` acknowledges it (bound to the account). `message_id` is the one in the sender's receipt; messages
    delivered twice carry the same. `verified` is False only at a lenient relay. `envelope` is the wire form:
    `metadata.deliveryInformation` opened, `metadata.sealedDeliveryInformation` the original text, and
    `metadata.messageHash` with `metadata.relayAdded: ["messageHash"]` if the sender gave none.
    """

    id: str
    message_id: str
    stored_at_ms: int
    expires_at_ms: int
    verified: bool
    envelope: JsonObject

    def to_json(self) -> JsonObject:
        """The paged API's form: id, messageId, storedAt (ms), expiresAt (ms), verified, envelope."""
        return {
            "id": self.id,
            "messageId": self.message_id,
            "storedAt": self.stored_at_ms,
            "expiresAt": self.expires_at_ms,
            "verified": self.verified,
            "envelope": self.envelope,
        }


@dataclass(frozen=True, slots=True)
class Page:
    """A page of the inbox.

    `cursor` continues after it and is never None: at the end of the inbox it is what a follower polls with.
    `more` says whether something is known to be left now. `unreadable` counts items that could not be opened.
    """

    messages: tuple[StoredMessage, ...]
    cursor: str
    more: bool
    unreadable: int = 0


@dataclass(frozen=True, slots=True)
class Listing:
    """The reference's listing: envelopes, and a cursor for the paged API if there are more."""

    envelopes: tuple[JsonObject, ...]
    next_cursor: str | None


@dataclass(frozen=True, slots=True)
class Export:
    """Everything the relay stores for an account: what it knows of it, and a page of its mail."""

    address: str
    signed_profile: SignedUserProfile
    names: tuple[str, ...]
    created_at_ms: int
    rules: AccountRules = field(repr=False)
    page: Page = field(repr=False)

    def to_json(self) -> JsonObject:
        """JSON of the export; `cursor` fetches the next page while `more` is true."""
        return {
            "address": self.address,
            "profile": self.signed_profile.to_json(),
            "names": list(self.names),
            "createdAt": self.created_at_ms,
            "rules": self.rules.to_json(),
            "messages": [message.to_json() for message in self.page.messages],
            "cursor": self.page.cursor,
            "more": self.page.more,
        }
