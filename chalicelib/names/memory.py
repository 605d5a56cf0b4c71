"""A directory without a chain: the simulator that tests use, also tests of other people's code."""

from __future__ import annotations

from dataclasses import dataclass, field
from threading import Lock

from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.normalize import normalize
from chalicelib.names.ports import ProfileLinks
from chalicelib.names.records import resolved_name, service_profile
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.profile import DeliveryServiceProfile


@dataclass(frozen=True, slots=True)
class _Records:
    address: str | None
    profile: str | None
    service: str | None


@dataclass(slots=True)
class MemoryDirectory:
    """Implements `names.directory.RememberingDirectory` over records kept in a dictionary; never caches.

    The toll is for the first reading of a name and for fresh ones, as if it did.

    Set `fail` to make every reading raise `Unavailable`. `readings` lists the name of every lookup,
    `fresh_readings` those that asked for a fresh one, and `invalidated` the names to be forgotten.
    """

    links: ProfileLinks | None = None
    fail: bool = False
    readings: list[str] = field(default_factory=list)
    fresh_readings: list[str] = field(default_factory=list)
    invalidated: list[str] = field(default_factory=list)
    _records: dict[str, _Records] = field(default_factory=dict)
    _lock: Lock = field(default_factory=Lock)

    def add(
        self, name: str, address: str | None, record_text: str | None = None, service_text: str | None = None
    ) -> None:
        """Publishes `name`, replacing what was there: its address, and the texts of its dm3 records.

        Raises `InvalidName`.
        """
        with self._lock:
            self._records[normalize(name)] = _Records(address, record_text, service_text)

    def remove(self, name: str) -> None:
        """Takes `name` off the directory; it is no error if it was not there."""
        with self._lock:
            self._records.pop(normalize(name), None)

    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        """As `Directory.lookup`."""
        if toll is not None and (fresh or name not in self.readings):
            toll()
        records = self._read(name, fresh=fresh)
        return resolved_name(name, records.address, records.profile, self.links)

    def delivery_service(self, name: str, *, fresh: bool = False) -> DeliveryServiceProfile | None:
        """As `Directory.delivery_service`."""
        return service_profile(self._read(name, fresh=fresh).service, self.links)

    def invalidate(self, name: str) -> None:
        """As `RememberingDirectory.invalidate`."""
        self.invalidated.append(name)

    def _read(self, name: str, *, fresh: bool) -> _Records:
        with self._lock:
            self.readings.append(name)
            if fresh:
                self.fresh_readings.append(name)
            if self.fail:
                raise Unavailable("The chain did not answer; try again.")
            return self._records.get(name, _Records(None, None, None))
