"""What the relay knows of an account, sealed for the store and opened again.

An account is an Ethereum address (DESIGN, decision 4). Its row stands under a keyed hash of the address and
holds one sealed record; nothing of it can be read or guessed in the table.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, replace

from chalicelib.protocol.errors import InternalError, Unavailable, Undecryptable
from chalicelib.protocol.profile import SignedUserProfile
from chalicelib.relay.ports import AccountRow, AccountStore, Conflict, InboxKey
from chalicelib.relay.values import FormerKey
from chalicelib.relay.vault import Vault

FORMER_KEYS = 10
_ATTEMPTS = 5


@dataclass(frozen=True, slots=True)
class AccountRecord:
    """An account: its checksummed address, its wallet-signed profile, and the names that led to it.

    `incarnation` (16 random bytes) is new when a deleted account comes back, so that nothing remembered of
    the former one is taken for the new one's. `session_epoch` (16 random bytes) is in every session token; a
    new one signs out everywhere. `listing_after` is where the second half of the reference's listing
    continues (None: from the start). `confirmed` are the names that count when the profile is to be replaced
    (`relay.succession`). `former_keys` are the encryption keys that were replaced, the last ten, the oldest
    first.
    """

    address: str
    signed_profile: SignedUserProfile
    names: tuple[str, ...]
    created_at_ms: int
    incarnation: bytes
    session_epoch: bytes
    listing_after: InboxKey | None = None
    confirmed: tuple[str, ...] = ()
    former_keys: tuple[FormerKey, ...] = ()

    @property
    def encryption_key(self) -> str:
        """The public encryption key of the profile that stands."""
        return self.signed_profile.profile.public_encryption_key

    @property
    def known_names(self) -> tuple[str, ...]:
        """Every name that is remembered of the account, once."""
        return tuple(dict.fromkeys((*self.names, *self.confirmed)))

    def succeeded_by(self, signed: SignedUserProfile, *, now_ms: int) -> AccountRecord:
        """The record with another profile; a key that is replaced by another one is kept among the former."""
        now = signed.profile.public_encryption_key
        if now == self.encryption_key:
            return replace(self, signed_profile=signed)
        replaced = FormerKey(self.encryption_key, now_ms)
        either = (now, self.encryption_key)
        others = (former for former in self.former_keys if former.public_encryption_key not in either)
        return replace(self, signed_profile=signed, former_keys=(*others, replaced)[-FORMER_KEYS:])

    def to_bytes(self) -> bytes:
        """JSON in UTF-8."""
        after = self.listing_after
        members = {
            "address": self.address,
            "profile": self.signed_profile.to_json(),
            "names": self.names,
            "createdAt": self.created_at_ms,
            "incarnation": self.incarnation.hex(),
            "sessionEpoch": self.session_epoch.hex(),
            "listingAfter": after and after.to_bytes().hex(),
            "confirmed": self.confirmed,
            "formerKeys": [
                [former.public_encryption_key, former.replaced_at_ms] for former in self.former_keys
            ],
        }
        return json.dumps(members, separators=(",", ":")).encode()

    @classmethod
    def from_bytes(cls, data: bytes) -> AccountRecord:
        """Inverse of `to_bytes`, for what this relay has sealed itself."""
        members = json.loads(data)
        after = members["listingAfter"]
        return cls(
            address=members["address"],
            signed_profile=SignedUserProfile.parse(members["profile"]),
            names=tuple(members["names"]),
            created_at_ms=members["createdAt"],
            incarnation=bytes.fromhex(members["incarnation"]),
            session_epoch=bytes.fromhex(members["sessionEpoch"]),
            listing_after=after and InboxKey.from_bytes(bytes.fromhex(after)),
            confirmed=tuple(members["confirmed"]),
            # Rows of before have none.
            former_keys=tuple(FormerKey(*former) for former in members.get("formerKeys", ())),
        )


class AccountBook:
    """Reads and writes account records. Everything raises Unavailable when the store does not answer."""

    def __init__(self, store: AccountStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def key(self, address: str) -> bytes:
        """The keyed hash under which everything of the account at `address` stands."""
        return self._vault.index("account", address.lower())

    def inbox(self, key: bytes, record: AccountRecord) -> bytes:
        """The keyed hash under which the mail of this incarnation of the account stands."""
        return self._vault.index("inbox", key, record.incarnation)

    def load(self, key: bytes) -> AccountRecord | None:
        """The account's record as it stands now. Raises InternalError if its storage key is gone."""
        row = self._store.get(key)
        return None if row is None else self._open(row)

    def update(
        self, key: bytes, change: Callable[[AccountRecord | None], AccountRecord | None]
    ) -> AccountRecord | None:
        """Replace the record by what `change` makes of it, and return that; None leaves it as it is.

        `change` is asked again when somebody else wrote in between. Raises Unavailable if that goes on.
        """
        for _ in range(_ATTEMPTS):
            row = self._store.get(key)
            record = change(None if row is None else self._open(row))
            if record is None:
                return None
            sealed = self._vault.seal(record.to_bytes(), _context(key))
            version = 1 if row is None else row.version + 1
            try:
                self._store.put(AccountRow(key, sealed, version))
            except Conflict:
                continue
            return record
        raise Unavailable

    def delete(self, key: bytes) -> None:
        """Delete the record; which profiles it has left behind stays known (`AccountStore.delete`)."""
        self._store.delete(key)

    def _open(self, row: AccountRow) -> AccountRecord:
        try:
            return AccountRecord.from_bytes(self._vault.open(row.sealed, _context(row.account)))
        except Undecryptable:
            # The operator took a storage key away too early; nobody who asks can help it.
            raise InternalError from None


def _context(key: bytes) -> bytes:
    return b"account" + key
