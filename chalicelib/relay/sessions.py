"""Who is calling? A challenge signed by the account's profile key opens a session (DESIGN, decision 13).

Nothing is written for a challenge; it is used up when a right signature comes in for it. Only a profile that
the account's wallet has signed counts, the stored one or, if that does not fit, the one ENS publishes now.
A right signature by the stored profile always opens a session, however many wrong ones came before it, and so
does one by the profile published under a confirmed name, so that nobody can lock an owner out. A session
opened under a name confirms it (`relay.succession`).
"""

from __future__ import annotations

import hmac
from dataclasses import replace

from chalicelib.names.directory import Directory, Toll
from chalicelib.names.normalize import normalize
from chalicelib.protocol.encoding import encode_base64
from chalicelib.protocol.errors import (
    Forbidden,
    InvalidEncoding,
    InvalidInput,
    InvalidSignature,
    LimitExceeded,
    NotFound,
    SignInRequired,
)
from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.protocol.signing import verify
from chalicelib.relay.account_book import AccountBook, AccountRecord
from chalicelib.relay.accounts import RelayAccounts
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.ports import Chance, Charge, Clock, CounterStore
from chalicelib.relay.quota import Quotas, sign_in_failures, source_lookups
from chalicelib.relay.residents import Residents
from chalicelib.relay.settings import Limits
from chalicelib.relay.tokens import REOPENING_S, Challenge, Session, Tokens, bearer
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault

_SUBJECT_BYTES = 16
_EPOCH_BYTES = 16


class RelaySessions:
    """Implements `service.Sessions`."""

    def __init__(
        self,
        *,
        tokens: Tokens,
        book: AccountBook,
        names: NameBook,
        residents: Residents,
        accounts: RelayAccounts,
        directory: Directory,
        counters: CounterStore,
        quotas: Quotas,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        limits: Limits,
    ) -> None:
        self._tokens = tokens
        self._book = book
        self._names = names
        self._residents = residents
        self._accounts = accounts
        self._directory = directory
        self._counters = counters
        self._quotas = quotas
        self._vault = vault
        self._clock = clock
        self._chance = chance
        self._limits = limits

    def challenge(self, name: str, *, source: str = "") -> str:
        """See `service.Sessions.challenge`."""
        name = normalize(name)
        resident = self._residents.find(name, toll=self._toll(source))
        if resident is None:
            raise NotFound
        return self._tokens.challenge(name, self._subject(resident.record.address))

    def sign_in(self, name: str, challenge: str, signature: str, *, source: str = "") -> str:
        """See `service.Sessions.sign_in`. ENS is asked whether the name still leads to the account."""
        name = normalize(name)
        issued = self._tokens.read_challenge(challenge)
        if issued is None or issued.name != name:
            raise InvalidInput("The challenge is not valid for this name; ask for a new one.")
        address = self._names.address(name, recheck=True, toll=self._toll(source))
        record = None if address is None else self._book.load(self._book.key(address))
        if record is None:
            raise NotFound
        if not self._is_subject(issued.subject, record.address):
            raise InvalidInput("The challenge is not valid for this account; ask for a new one.")
        if not _signed_by(record.signed_profile, challenge, signature):
            published = self._published(name, record, challenge, signature)
            record = self._accounts.adopt_published(name, record.address, published)
        self._use_up(issued)
        self._confirm(name, record)
        return self._tokens.session(name, self._subject(record.address), record.session_epoch)

    def authenticate(self, authorization: str | None, name: str, *, source: str = "") -> Account:
        """See `service.Sessions.authenticate`. The account is read every time: tokens can be revoked."""
        session = self._tokens.read_session(bearer(authorization))
        if session is None:
            raise SignInRequired
        return self._account(session, name, source)

    def authenticate_socket(self, token: str, name: str, *, source: str = "", opens: bool = False) -> Account:
        """See `service.Sessions.authenticate_socket`. Whether it counts late is told by a counter's mark."""
        session = self._tokens.read_session(token)
        if session is None:
            session = self._tokens.read_late_session(token)
            if session is None or not self._has_opened(token):
                raise SignInRequired
            return self._account(session, name, source)
        account = self._account(session, name, source)
        if opens:
            self._note_opening(token)
        return account

    def sign_out_everywhere(self, account: Account) -> None:
        """See `service.Sessions.sign_out_everywhere`. Works at once in every process."""

        def change(record: AccountRecord | None) -> AccountRecord | None:
            return record and replace(record, session_epoch=self._chance.token(_EPOCH_BYTES))

        self._book.update(account.key, change)

    def _account(self, session: Session, name: str, source: str) -> Account:
        name = normalize(name)
        address = self._residents.address(name, toll=self._toll(source))
        if address is None or not self._is_subject(session.subject, address):
            raise Forbidden
        key = self._book.key(address)
        record = self._book.load(key)
        if record is None:
            raise Forbidden("The account does not exist any more.")
        if session.epoch != record.session_epoch.hex():
            raise SignInRequired
        return Account(key, self._book.inbox(key, record), address, name, record.encryption_key)

    def _note_opening(self, token: str) -> None:
        """The first opening counts: later ones find the mark standing, and leave it as it is."""
        now_s = self._clock.now_ms() // 1_000
        mark = Charge(self._opening(token), amount=1, limit=1, expires_at_s=now_s + REOPENING_S)
        self._counters.charge(mark, now_s=now_s)

    def _has_opened(self, token: str) -> bool:
        (count,) = self._counters.read([self._opening(token)], now_s=self._clock.now_ms() // 1_000)
        return count > 0

    def _opening(self, token: str) -> bytes:
        return self._vault.index("socket opened", token)

    def _published(
        self, name: str, record: AccountRecord, challenge: str, signature: str
    ) -> SignedUserProfile:
        """The stored profile does not fit: the one on ENS must, signed by the account's own wallet.

        After too many failures ENS is asked for confirmed names only: the owner's, few, and each read afresh
        no more often than the directory grants.
        """
        refusal: InvalidSignature | Forbidden = InvalidSignature()
        try:
            self._quotas.charge(sign_in_failures(self._limits, self._book.key(record.address)))
        except LimitExceeded:
            refusal = Forbidden("Too many wrong signatures; try again later.")
            if name not in record.confirmed:
                raise refusal from None
        resolved = self._directory.lookup(name, fresh=True)
        published = resolved.signed if resolved.address == record.address else None
        if published is None or not _signed_by(published, challenge, signature):
            raise refusal
        return published

    def _confirm(self, name: str, signed_in: AccountRecord) -> None:
        """Remember that the key of the standing profile has opened a session under `name`. Seldom a write."""

        def change(record: AccountRecord | None) -> AccountRecord | None:
            if record is None or name in record.confirmed:
                return None
            if record.signed_profile.profile != signed_in.signed_profile.profile:
                # Replaced meanwhile: the key that has just signed confirms nothing any more.
                return None
            return replace(record, confirmed=(*record.confirmed, name))

        if name not in signed_in.confirmed and len(signed_in.confirmed) < self._limits.names_per_account:
            self._book.update(self._book.key(signed_in.address), change)

    def _toll(self, source: str) -> Toll:
        return self._quotas.toll(source_lookups(self._limits, source))

    def _use_up(self, issued: Challenge) -> None:
        now_s = self._clock.now_ms() // 1_000
        mark = self._vault.index("challenge", issued.challenge_id)
        if not self._counters.use_once(mark, expires_at_s=issued.expires_at_s, now_s=now_s):
            raise InvalidInput("The challenge has been used; ask for a new one.")

    def _subject(self, address: str) -> bytes:
        return self._vault.index("subject", address.lower())[:_SUBJECT_BYTES]

    def _is_subject(self, subject: str, address: str) -> bool:
        return hmac.compare_digest(subject, encode_base64(self._subject(address)))


def _signed_by(signed: SignedUserProfile, text: str, signature: str) -> bool:
    try:
        return verify(signed.profile.public_signing_key, text, signature)
    except InvalidEncoding:
        return False
