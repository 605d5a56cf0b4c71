"""What accounts want to be told, sealed for the store and opened again.

A row belongs to one incarnation of an account, as its mail does: `inbox` is `Account.inbox`, and an event's
`owner`. Nothing is remembered between two calls: a channel that was turned off is off at once, everywhere.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.notify.ports import PreferenceStore
from chalicelib.notify.preference_text import from_bytes, to_bytes
from chalicelib.notify.preferences import Preferences
from chalicelib.protocol.errors import InternalError, Unavailable, Undecryptable
from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.relay.vault import Vault

_ATTEMPTS = 5


class PreferenceBook:
    """Reads and writes preferences by the account's inbox.

    Everything raises Unavailable when the store does not answer, and InternalError if a storage key is gone.
    """

    def __init__(self, store: PreferenceStore, vault: Vault) -> None:
        self._store = store
        self._vault = vault

    def load(self, inbox: bytes) -> Preferences:
        """The account's preferences as they stand; the default, which tells nothing, if there are none."""
        return self._open(self._store.get(self._owner(inbox)))

    def update(self, inbox: bytes, change: Callable[[Preferences], Preferences]) -> Preferences:
        """Replace the preferences by what `change` makes of them, and return that; equal ones stay unwritten.

        `change` is asked again when somebody else wrote in between. Raises Unavailable if that goes on, and
        what `change` raises.
        """
        owner = self._owner(inbox)
        for _ in range(_ATTEMPTS):
            row = self._store.get(owner)
            standing = self._open(row)
            preferences = change(standing)
            if preferences == standing:
                return preferences
            sealed = self._vault.seal(to_bytes(preferences), _context(owner))
            try:
                self._store.put(AccountRow(owner, sealed, 1 if row is None else row.version + 1))
            except Conflict:
                continue
            return preferences
        raise Unavailable

    def delete(self, inbox: bytes) -> None:
        """Delete the preferences with their account."""
        self._store.delete(self._owner(inbox))

    def _owner(self, inbox: bytes) -> bytes:
        return self._vault.index("preferences", inbox)

    def _open(self, row: AccountRow | None) -> Preferences:
        if row is None:
            return Preferences()
        try:
            return from_bytes(self._vault.open(row.sealed, _context(row.account)))
        except Undecryptable:
            # The operator took a storage key away too early; nobody who asks can help it.
            raise InternalError from None


def _context(owner: bytes) -> bytes:
    return b"preferences" + owner
