"""Who has an account here, by name, remembered for a moment.

Two reads when cold (where the name leads, what the account says), none when warm. What is remembered may be
`remember_s` old: that long other processes may seal postmarks for a replaced key, or miss a new account.
"""

from __future__ import annotations

from dataclasses import dataclass

from chalicelib.names.directory import Toll
from chalicelib.relay.account_book import AccountBook, AccountRecord
from chalicelib.relay.in_process import Recent
from chalicelib.relay.name_book import NameBook
from chalicelib.relay.ports import Clock


@dataclass(frozen=True, slots=True)
class Resident:
    """An account of this relay under its key; `inbox` is the key of its mail."""

    key: bytes
    inbox: bytes
    record: AccountRecord


class Residents:
    """Finds accounts by normalised name; unknown names are remembered too."""

    def __init__(self, names: NameBook, book: AccountBook, clock: Clock, *, remember_s: int) -> None:
        self._names = names
        self._book = book
        self._addresses = Recent[str, str | None](clock, lifetime_s=remember_s)
        self._records = Recent[bytes, AccountRecord | None](clock, lifetime_s=remember_s)

    def find(self, name: str, *, toll: Toll | None = None) -> Resident | None:
        """The account that `name` leads to. Raises LimitExceeded and Unavailable as `NameBook.address`."""
        address = self.address(name, toll=toll)
        return None if address is None else self.at(address)

    def known(self, name: str) -> Resident | None:
        """As `find`, without asking ENS: None for a name of which nothing is remembered."""
        address = self._names.known(name)
        return None if address is None else self.at(address)

    def at(self, address: str) -> Resident | None:
        """The account of `address`, as remembered; one read when cold. Raises Unavailable."""
        key = self._book.key(address)
        record = self._records.get_or(key, lambda: self._book.load(key))
        return None if record is None else Resident(key, self._book.inbox(key, record), record)

    def address(self, name: str, *, toll: Toll | None = None) -> str | None:
        """The address that `name` leads to, whether or not it has an account here."""
        return self._addresses.get_or(name, lambda: self._names.address(name, toll=toll))

    def forget(self, key: bytes, *names: str) -> None:
        """Read the account and where these names lead afresh next time."""
        self._records.forget(key)
        for name in names:
            self._addresses.forget(name)
