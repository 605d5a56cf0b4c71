"""The relay as its callers see it: five parts, each a protocol, and the service properties.

Callers (the API, tests, an operator's script) depend on this module only; `relay.compose` builds the parts.
Every method raises errors of `chalicelib.protocol.errors` and nothing else. `Unavailable` (a store or a chain
did not answer) and `LimitExceeded` are possible everywhere and not repeated below. Names are normalised here
(`InvalidName` if that is impossible); callers pass what they were given. `source` is always the caller's
network address, to which lookups at ENS are charged among others.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Protocol

from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.protocol.properties import DeliveryServiceProperties
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.values import Account, AccountStatus, Export, Listing, Page, Submitted


class Admission(Protocol):
    """Takes envelopes in."""

    def submit(self, envelope: JsonValue, *, source: str) -> Submitted:
        """Admit one envelope (an object, or its JSON text as the reference sends it).

        `source` is the caller's network address, for quotas. A returned receipt means a committed write.
        Raises TooBig, ParseError (text that is not JSON), InvalidEnvelope, Undecryptable,
        VersionNotSupported, UnknownReceiver, ReceiverMoved, UnverifiedSender, Spam, LimitExceeded.
        """
        ...


class Inbox(Protocol):
    """Gives mail out and deletes what is acknowledged. Expired messages are never served."""

    def page(
        self, account: Account, cursor: str | None = None, limit: int | None = None, *, follow: bool = False
    ) -> Page:
        """The oldest messages after `cursor`, bounded by `limit` (count) and by bytes.

        With `follow`, reading restarts 60 s before the cursor, because a message stamped earlier may have
        been committed later: the caller drops what it has seen by `message_id`. Raises InvalidParams for a
        cursor that is not of this account and for a limit below 1.
        """
        ...

    def incoming(self, account: Account) -> Listing:
        """The reference's listing. When not all fits, half holds the oldest messages and half moves on."""
        ...

    def conversation(self, account: Account, contact: str, cursor: str | None = None) -> Listing:
        """The messages from one contact, oldest first, with bounded work; `next_cursor` continues."""
        ...

    def acknowledge(self, account: Account, ids: Sequence[str]) -> int:
        """Delete by `StoredMessage.id`; ids already gone count too. Returns how many distinct ids.

        Raises InvalidParams, before deleting anything, for an id that is not of this account and for over
        1,000 distinct ones.
        """
        ...

    def acknowledge_pairs(self, account: Account, pairs: Sequence[tuple[str, str]]) -> int:
        """Delete by (contact name, messageHash), as the reference's client does. Returns how many went.

        A wrong contact and an incomplete pair are no-ops. Of over 1,000 distinct pairs the first are worked.
        """
        ...


class Accounts(Protocol):
    """Accounts, their profiles and their names."""

    def register(self, name: str, signed_profile: JsonValue, *, source: str) -> None:
        """Store a profile signed by the wallet that `name` resolves to now. Never opens a session.

        Raises InvalidProfile, TooBig, NotFound (the name has no address), InvalidSignature (not signed by
        that address), Forbidden (a profile that was replaced and that ENS does not publish).
        """
        ...

    def profile(self, name: str, *, source: str = "", known_only: bool = False) -> SignedUserProfile:
        """The stored signed profile of a name. With `known_only` ENS is not asked. Raises NotFound."""
        ...

    def extension(self, name: str, *, source: str = "") -> ProfileExtension:
        """The profile extension of a name. Raises NotFound."""
        ...

    def status(self, account: Account, *, source: str = "") -> AccountStatus:
        """How the account stands: its keys, and whether ENS lists this relay. Raises NotFound."""
        ...

    def export(self, account: Account, cursor: str | None = None) -> Export:
        """Everything stored for the account, opened, with one page of its mail. Raises NotFound."""
        ...

    def delete(self, account: Account) -> None:
        """Delete the account with profile, names, rules and mail. Repeatable; nothing is left on success."""
        ...


class Rules(Protocol):
    """The rules by which the owner of an account is protected from spam."""

    def get(self, account: Account) -> AccountRules:
        """The account's rules as they stand now; the default, which accepts everybody, if there are none."""
        ...

    def replace(self, account: Account, document: JsonValue) -> AccountRules:
        """Put the rules of `document` (`AccountRules.to_json`) in place of all others; they are returned.

        This process goes by them at once, others within 30 s. Raises InvalidInput, Forbidden (the account
        was deleted meanwhile), LimitExceeded (too many changes within the hour).
        """
        ...

    def edit_lists(self, account: Account, changes: JsonValue) -> AccountRules:
        """Put entries on the lists and take entries off, `{allow?, block?, remove?}`; returns all rules.

        An entry put on one list leaves the other. As `replace` otherwise.
        """
        ...

    def clear(self, account: Account) -> None:
        """Back to accepting everybody. Raises Forbidden as `replace`."""
        ...


class Sessions(Protocol):
    """Tells who is calling."""

    def challenge(self, name: str, *, source: str = "") -> str:
        """A challenge for `name`; nothing is written. Raises NotFound if it leads to no account here."""
        ...

    def sign_in(self, name: str, challenge: str, signature: str, *, source: str = "") -> str:
        """A session token for a challenge signed by the account's profile key.

        Raises InvalidSignature (HTTP 400 "Signature invalid" to the letter), InvalidInput (a challenge that
        is expired, used, altered or another name's), NotFound, Forbidden (after too many wrong signatures).
        """
        ...

    def authenticate(self, authorization: str | None, name: str, *, source: str = "") -> Account:
        """The account of a `Bearer` token, if `name` is one of its names.

        Raises SignInRequired where signing in cures it (no token, expired, revoked) and Forbidden where it
        does not (another account's name).
        """
        ...

    def authenticate_socket(self, token: str, name: str, *, source: str = "", opens: bool = False) -> Account:
        """The account of a token on a Socket.IO socket, if `name` is one of its names.

        The reference's client comes back with the token that it had: one that has opened a socket (`opens`)
        counts there for 24 hours after it first did, though expired, unless it was revoked or the account
        deleted. Nowhere else does an expired token count. Raises as `authenticate`.
        """
        ...

    def sign_out_everywhere(self, account: Account) -> None:
        """Revoke every session token issued to the account until now."""
        ...


class Operator(Protocol):
    """Lets the operator change rules while the relay runs.

    Whoever calls the other two has been let through by `authenticate`.
    """

    def authenticate(self, authorization: str | None, *, source: str) -> None:
        """Return if this is the `Bearer` of the operator's token.

        Raises NotFound (the relay knows no operator), SignInRequired (no token), Forbidden (a wrong one).
        """
        ...

    def rules(self) -> JsonObject:
        """The rules as they stand in the store; for the document see `relay.operator_rules`."""
        ...

    def set_rules(self, document: JsonValue) -> JsonObject:
        """Replace all of the rules, and return them as stored. Raises InvalidInput, TooBig.

        They are in force at once in this process, and within 30 s in every other.
        """
        ...


@dataclass(frozen=True, slots=True)
class Relay:
    """A dm3 delivery service, ready to serve."""

    admission: Admission
    inbox: Inbox
    accounts: Accounts
    sessions: Sessions
    rules: Rules
    operator: Operator
    properties: Callable[[], DeliveryServiceProperties]
