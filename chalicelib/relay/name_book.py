"""Which account does a name lead to? Remembered at registration, and asked of ENS again now and then.

A name leads to the account of the address it resolves to; nobody has to register every name (DESIGN,
decision 4). A name that has moved at ENS stops leading to its former account: its link is believed for
`recheck_name_s` only, or for `trust_name_s` while ENS does not answer.
"""

from __future__ import annotations

import json

from chalicelib.names.directory import Directory, Toll
from chalicelib.protocol.errors import LimitExceeded, Unavailable, Undecryptable
from chalicelib.relay.in_process import Gate
from chalicelib.relay.ports import AccountStore, Clock
from chalicelib.relay.settings import RelaySettings
from chalicelib.relay.vault import Vault

# A closed gate refills by at least one lookup within this time at any sensible setting.
_GATE_RETRY_S = 5


class NameBook:
    """Links from normalised names to addresses, sealed under keyed hashes."""

    def __init__(
        self, store: AccountStore, vault: Vault, directory: Directory, clock: Clock, settings: RelaySettings
    ) -> None:
        self._store = store
        self._vault = vault
        self._directory = directory
        self._clock = clock
        self._settings = settings
        self._unknown_names = Gate(clock, settings.limits.unknown_names_per_minute)

    def address(self, name: str, *, recheck: bool = False, toll: Toll | None = None) -> str | None:
        """The address that `name` leads to, or None. `recheck` asks ENS even if the link is young.

        One read; when the link is missing or old, one lookup as well, and a write if it was old. Lookups of
        names without a link pass a gate, so that strangers cannot buy chain requests with made-up names, and
        before it they pay `toll`, so that no stranger closes it for the others. Raises what `toll` raises,
        LimitExceeded when the gate is closed, Unavailable when neither a link nor ENS can tell.
        """
        link = self._link(name)
        if link is None:
            if toll is not None:
                toll()
            if not self._unknown_names.try_pass():
                raise LimitExceeded(retry_after_s=_GATE_RETRY_S)
            return self._directory.lookup(name).address
        address, checked_at_s = link
        age_s = self._clock.now_ms() // 1_000 - checked_at_s
        if age_s < self._settings.recheck_name_s and not recheck:
            return address
        return self._recheck(name, address, age_s)

    def known(self, name: str) -> str | None:
        """The address that `name` leads to, as long as it is believed while ENS does not answer. One read."""
        link = self._link(name)
        if link is None or self._clock.now_ms() // 1_000 - link[1] >= self._settings.trust_name_s:
            return None
        return link[0]

    def _recheck(self, name: str, linked: str, age_s: int) -> str | None:
        try:
            address = self._directory.lookup(name).address
        except (Unavailable, LimitExceeded):
            if age_s < self._settings.trust_name_s:
                return linked
            raise
        if address != linked:
            self._store.unlink_name(self._key(name))
        elif age_s >= self._settings.recheck_name_s:
            self.link(name, linked)
        return address

    def link(self, name: str, address: str) -> None:
        """Remember that ENS has just said that `name` resolves to `address`."""
        link = json.dumps([address, self._clock.now_ms() // 1_000]).encode()
        key = self._key(name)
        self._store.link_name(key, self._vault.seal(link, b"name" + key))

    def is_linked(self, name: str, address: str) -> bool:
        """Whether there is a link from `name` to `address`, however old."""
        link = self._link(name)
        return link is not None and link[0] == address

    def unlink(self, name: str, address: str) -> None:
        """Forget `name`, unless it leads to another address by now."""
        if self.is_linked(name, address):
            self._store.unlink_name(self._key(name))

    def _link(self, name: str) -> tuple[str, int] | None:
        key = self._key(name)
        sealed = self._store.linked(key)
        if sealed is None:
            return None
        try:
            address, checked_at_s = json.loads(self._vault.open(sealed, b"name" + key))
        except Undecryptable:
            # Sealed under a storage key that is gone: ENS can still tell.
            return None
        return address, checked_at_s

    def _key(self, name: str) -> bytes:
        return self._vault.index("name", name)
