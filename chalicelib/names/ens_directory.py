"""The directory over ENS: records through the Universal Resolver, remembered as a policy says."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

from chalicelib.names.aliases import Aliases
from chalicelib.names.cache import AnswerCache, CachePolicy, MemoryCache
from chalicelib.names.counting import Counting, uncounted
from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.ports import ChainTransport, OffchainGateway, ProfileLinks
from chalicelib.names.read_through import Rates, Reading, ReadThrough
from chalicelib.names.records import resolved_name, service_profile
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER, UniversalResolver
from chalicelib.protocol.profile import (
    DELIVERY_SERVICE_RECORD,
    USER_PROFILE_RECORD,
    DeliveryServiceProfile,
)


class EnsDirectory:
    """Implements `names.directory.RememberingDirectory`. Safe for use by several threads.

    `transport` reaches a node, `links` follows links in records (without it they are `Unavailable`),
    `gateway` answers lookups off chain (likewise), `clock_ms` tells milliseconds since the Unix epoch.
    `cache` remembers what `lookup` found, `service_cache` what `delivery_service` found, both under the name
    as it was asked for; the chain is asked for what `aliases` make of it. `count` is told what happens.
    """

    def __init__(
        self,
        transport: ChainTransport,
        links: ProfileLinks | None = None,
        cache: AnswerCache[ResolvedName] | None = None,
        *,
        clock_ms: Callable[[], int],
        service_cache: AnswerCache[DeliveryServiceProfile | None] | None = None,
        policy: CachePolicy | None = None,
        gateway: OffchainGateway | None = None,
        universal_resolver: str = UNIVERSAL_RESOLVER,
        aliases: Aliases | None = None,
        count: Counting = uncounted,
    ) -> None:
        policy = policy or CachePolicy()
        rates = Rates.of(policy)
        self._resolver = UniversalResolver(transport, address=universal_resolver, gateway=gateway)
        self._links = links
        self._aliases = aliases or Aliases()
        self._users = ReadThrough(
            self._read_user,
            cache=cache or MemoryCache(),
            policy=policy,
            rates=rates,
            clock_ms=clock_ms,
            count=count,
        )
        self._services = ReadThrough(
            self._read_service,
            cache=service_cache or MemoryCache(),
            policy=policy,
            rates=rates,
            clock_ms=clock_ms,
            count=count,
        )

    def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
        """As `Directory.lookup`: at most one round trip to the node, for address and record together."""
        found = self._users.get(name, fresh=fresh, toll=toll)
        # Not remembered with the answer: aliases may be configured anew.
        _, *aliases = self._aliases.spellings(name)
        return replace(found, aliases=tuple(aliases)) if aliases else found

    def delivery_service(self, name: str, *, fresh: bool = False) -> DeliveryServiceProfile | None:
        """As `Directory.delivery_service`: at most one round trip to the node."""
        return self._services.get(name, fresh=fresh)

    def invalidate(self, name: str) -> None:
        """As `RememberingDirectory.invalidate`, for every spelling that aliases give `name`."""
        for spelling in self._aliases.spellings(name):
            self._users.forget(spelling)
            self._services.forget(spelling)

    def _read_user(self, name: str) -> Reading[ResolvedName]:
        records = self._resolver.address_and_text(self._aliases.target(name), USER_PROFILE_RECORD)
        found = resolved_name(name, records.address, records.text, self._links)
        return Reading(found, known=found.profile is not None, published=records.text is not None)

    def _read_service(self, name: str) -> Reading[DeliveryServiceProfile | None]:
        text = self._resolver.text(self._aliases.target(name), DELIVERY_SERVICE_RECORD)
        found = service_profile(text, self._links)
        return Reading(found, known=found is not None, published=text is not None)
