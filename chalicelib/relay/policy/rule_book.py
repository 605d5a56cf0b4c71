"""The rules of accounts, sealed for the store, opened again, and remembered for a moment.

A row belongs to one incarnation of an account, as its mail does: an account that is deleted and begins anew
has no rules. What is remembered may be `remember_s` old: that long other processes may go by rules that have
been changed, while the process that wrote them goes by the new ones at once.
"""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.protocol.errors import InternalError, Unavailable, Undecryptable
from chalicelib.relay.in_process import Recent
from chalicelib.relay.policy.account_rules import AccountRules
from chalicelib.relay.ports import AccountRow, Clock, Conflict, RuleStore
from chalicelib.relay.vault import Vault

_ATTEMPTS = 5
# Documents of up to 64 KiB, which take about twice that when they are opened.
_REMEMBERED = 1_000


class RuleBook:
    """Reads and writes rules by the account's inbox (`AccountBook.inbox`), which is new for each incarnation.

    Everything raises Unavailable when the store does not answer, and InternalError if a storage key is gone.
    """

    def __init__(self, store: RuleStore, vault: Vault, clock: Clock, *, remember_s: int) -> None:
        self._store = store
        self._vault = vault
        self._recent = Recent[bytes, AccountRules](clock, lifetime_s=remember_s, size=_REMEMBERED)

    def of(self, inbox: bytes) -> AccountRules:
        """The account's rules, as remembered; the default if there are none. One read when cold."""
        return self._recent.get_or(inbox, lambda: self.load(inbox))

    def load(self, inbox: bytes) -> AccountRules:
        """The account's rules as they stand now."""
        return self._open(self._store.get(self._owner(inbox)))

    def update(self, inbox: bytes, change: Callable[[AccountRules], AccountRules]) -> AccountRules:
        """Replace the rules by what `change` makes of them, and return that; what is equal is not written.

        `change` is asked again when somebody else wrote in between. Raises Unavailable if that goes on.
        """
        owner = self._owner(inbox)
        for _ in range(_ATTEMPTS):
            row = self._store.get(owner)
            standing = self._open(row)
            rules = change(standing)
            if rules == standing:
                return rules
            sealed = self._vault.seal(rules.to_bytes(), _context(owner))
            try:
                self._store.put(AccountRow(owner, sealed, 1 if row is None else row.version + 1))
            except Conflict:
                continue
            finally:
                # Also when nobody knows whether it was written.
                self._recent.forget(inbox)
            return rules
        raise Unavailable

    def delete(self, inbox: bytes) -> None:
        """Delete the rules with their account. An owner who wants none writes the default.

        Versions would begin anew, and a writer who is late could replace what another one has written since.
        """
        self._store.delete(self._owner(inbox))
        self._recent.forget(inbox)

    def _owner(self, inbox: bytes) -> bytes:
        return self._vault.index("rules", inbox)

    def _open(self, row: AccountRow | None) -> AccountRules:
        if row is None:
            return _NONE
        try:
            return AccountRules.from_bytes(self._vault.open(row.sealed, _context(row.account)))
        except Undecryptable:
            # The operator took a storage key away too early; nobody who asks can help it.
            raise InternalError from None


_NONE = AccountRules()


def _context(owner: bytes) -> bytes:
    return b"rules" + owner
