"""Accounts: a profile comes in signed by its wallet, and everything goes when its owner leaves.

The address proves the account. `register` asks ENS which address the name has now and accepts the profile
only if that address has signed it, and in place of another one only by the rule of `relay.succession`; so
whoever points a name of theirs at somebody's address can do no more than give that account one more name.
A posted profile never opens a session (`relay.sessions` does).
"""

from __future__ import annotations

from dataclasses import replace

from chalicelib.names.directory import RememberingDirectory
from chalicelib.names.normalize import normalize
from chalicelib.names.records import MAX_PROFILE_CHARACTERS, MAX_PROFILE_VALUES
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.crypto import seal_for
from chalicelib.protocol.encoding import decode_base64
from chalicelib.protocol.errors import (
    Forbidden,
    InvalidEncoding,
    InvalidProfile,
    InvalidSignature,
    NotFound,
    TooBig,
)
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.profile import SignedUserProfile, UserProfile, profile_signer
from chalicelib.protocol.weight import outweighs
from chalicelib.relay.account_book import AccountBook, AccountRecord
from chalicelib.relay.inbox import RelayInbox
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.policy.rule_book import RuleBook
from chalicelib.relay.ports import AccountStore, Chance, Clock
from chalicelib.relay.quota import Quotas, source_lookups, source_registrations
from chalicelib.relay.residents import Resident, Residents
from chalicelib.relay.settings import Limits
from chalicelib.relay.standing import Standing
from chalicelib.relay.succession import Claim, confirmed_after, may_begin, may_replace
from chalicelib.relay.values import Account, AccountStatus, Export
from chalicelib.relay.vault import Vault

_SIGNING_KEY_BYTES = 32  # Ed25519
_RANDOM_ID_BYTES = 16
_PUBLISH_FIRST = "Publish the profile at ENS under the account's name first."


class RelayAccounts:
    """Implements `service.Accounts`."""

    def __init__(
        self,
        *,
        book: AccountBook,
        names: NameBook,
        residents: Residents,
        directory: RememberingDirectory,
        standing: Standing,
        store: AccountStore,
        inbox: RelayInbox,
        rules: RuleBook,
        quotas: Quotas,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        limits: Limits,
    ) -> None:
        self._book = book
        self._names = names
        self._residents = residents
        self._directory = directory
        self._standing = standing
        self._store = store
        self._inbox = inbox
        self._rules = rules
        self._quotas = quotas
        self._vault = vault
        self._clock = clock
        self._chance = chance
        self._limits = limits

    def register(self, name: str, signed_profile: JsonValue, *, source: str) -> None:
        """See `service.Accounts.register`. One lookup at ENS, asked for afresh."""
        name = normalize(name)
        signed = SignedUserProfile.parse(signed_profile)
        self._require_usable(signed.profile)
        self._quotas.charge(source_registrations(self._limits, source))
        toll = self._quotas.toll(source_lookups(self._limits, source))
        resolved = self._directory.lookup(name, fresh=True, toll=toll)
        if resolved.address is None:
            raise NotFound("The name has no address.")
        if not profile_signer(signed, resolved.address):
            raise InvalidSignature("The profile is not signed by the address of the name.")
        record = self._adopt(resolved.address, Claim(name, signed, resolved.signed))
        if resolved.profile != signed.profile:
            # What is remembered is not what the owner uses now: whoever asks next asks ENS.
            self._directory.invalidate(name)
        if name in record.names:
            self._names.link(name, resolved.address)
        self._residents.forget(self._book.key(resolved.address), name)

    def adopt_published(self, name: str, address: str, signed: SignedUserProfile) -> AccountRecord:
        """Take over the wallet-signed profile that ENS publishes for `name`, which resolves to `address`.

        Raises Forbidden if it may not replace the one that stands.
        """
        record = self._adopt(address, Claim(name, signed, published=signed))
        self._residents.forget(self._book.key(address), name)
        return record

    def profile(self, name: str, *, source: str = "", known_only: bool = False) -> SignedUserProfile:
        """See `service.Accounts.profile`."""
        if not known_only:
            return self._resident(name, source).record.signed_profile
        resident = self._residents.known(normalize(name))
        if resident is None:
            raise NotFound
        return resident.record.signed_profile

    def extension(self, name: str, *, source: str = "") -> ProfileExtension:
        """See `service.Accounts.extension`."""
        return self._rules.of(self._resident(name, source).inbox).extension()

    def status(self, account: Account, *, source: str = "") -> AccountStatus:
        """See `service.Accounts.status`. At most one lookup at ENS, remembered as others are."""
        record = self._book.load(account.key)
        if record is None:
            raise NotFound
        toll = self._quotas.toll(source_lookups(self._limits, source))
        return AccountStatus(
            address=record.address,
            names=record.known_names,
            created_at_ms=record.created_at_ms,
            public_encryption_key=record.encryption_key,
            former_keys=record.former_keys,
            listed=self._standing.listed(account.name, toll=toll),
        )

    def export(self, account: Account, cursor: str | None = None) -> Export:
        """See `service.Accounts.export`."""
        record = self._book.load(account.key)
        if record is None:
            raise NotFound
        return Export(
            address=record.address,
            signed_profile=record.signed_profile,
            names=record.known_names,
            created_at_ms=record.created_at_ms,
            rules=self._rules.load(account.inbox),
            former_keys=record.former_keys,
            page=self._inbox.page(account, cursor),
        )

    def delete(self, account: Account) -> None:
        """See `service.Accounts.delete`.

        Mail and rules go first and the account last, so that an owner whose deletion was cut short can still
        sign in and repeat it; what came in meanwhile goes at the end.

        The keyed hashes of replaced profiles stay: a stranger could begin the account anew with one of those.
        """
        self._inbox.empty(account.inbox)
        self._rules.delete(account.inbox)
        record = self._book.load(account.key)
        names = () if record is None else record.names
        for name in names:
            self._names.unlink(name, account.address)
        self._book.delete(account.key)
        self._residents.forget(account.key, account.name, *names)
        self._inbox.empty(account.inbox)
        self._rules.delete(account.inbox)

    def _resident(self, name: str, source: str) -> Resident:
        toll = self._quotas.toll(source_lookups(self._limits, source))
        resident = self._residents.find(normalize(name), toll=toll)
        if resident is None:
            raise NotFound
        return resident

    def _adopt(self, address: str, claim: Claim) -> AccountRecord:
        key = self._book.key(address)

        def change(standing: AccountRecord | None) -> AccountRecord:
            if standing is None:
                return self._begin(key, address, claim)
            if standing.signed_profile.profile != claim.signed.profile:
                standing = self._succeed(key, standing, claim)
            full = len(standing.names) >= self._limits.names_per_account
            # A name too many is not refused, or strangers could use up the names of an account: it still
            # leads here through ENS, and is only not remembered.
            if claim.name in standing.names or full:
                return standing
            return replace(standing, names=(*standing.names, claim.name))

        record = self._book.update(key, change)
        assert record is not None  # noqa: S101 - `change` never gives up
        return record

    def _begin(self, key: bytes, address: str, claim: Claim) -> AccountRecord:
        profile = self._profile_hash(key, claim.signed.profile)
        superseded = self._store.is_superseded(key, profile)
        if not may_begin(claim, superseded=superseded):
            raise Forbidden(_PUBLISH_FIRST)
        if superseded:
            self._store.reinstate(key, profile)
        return AccountRecord(
            address=address,
            signed_profile=claim.signed,
            names=(claim.name,),
            created_at_ms=self._clock.now_ms(),
            incarnation=self._chance.token(_RANDOM_ID_BYTES),
            session_epoch=self._chance.token(_RANDOM_ID_BYTES),
        )

    def _succeed(self, key: bytes, standing: AccountRecord, claim: Claim) -> AccountRecord:
        if not may_replace(claim, standing.confirmed):
            raise Forbidden(_PUBLISH_FIRST)
        self._store.reinstate(key, self._profile_hash(key, claim.signed.profile))
        # Before the new profile is written: a crash in between leaves the old one in use, and known.
        self._store.supersede(key, self._profile_hash(key, standing.signed_profile.profile))
        confirmed = confirmed_after(claim, standing.confirmed)
        succeeded = standing.succeeded_by(claim.signed, now_ms=self._clock.now_ms())
        return replace(succeeded, confirmed=confirmed)

    def _profile_hash(self, key: bytes, profile: UserProfile) -> bytes:
        return self._vault.index("profile", key, canonicalize(profile.to_json()))

    def _require_usable(self, profile: UserProfile) -> None:
        """Raises TooBig, and InvalidProfile for keys that nothing could be sealed to or verified with."""
        if outweighs(profile.to_json(), values=MAX_PROFILE_VALUES, characters=MAX_PROFILE_CHARACTERS):
            raise TooBig("The profile is too large.")
        try:
            seal_for("", profile.public_encryption_key, self._chance)
        except InvalidEncoding:
            raise InvalidProfile("The profile's encryption key cannot be used.") from None
        if len(decode_base64(profile.public_signing_key)) != _SIGNING_KEY_BYTES:
            raise InvalidProfile("The profile's signing key has the wrong length.")
