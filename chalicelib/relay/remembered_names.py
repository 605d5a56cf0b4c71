"""What ENS says about names, remembered for all processes of the relay, sealed (DESIGN, decision 10).

A row stands under a keyed hash of the name and holds the answer sealed, with the time it was read: whoever
has the table learns when some name was read, and not which. How long an answer lives follows from that time
and the operator's present policy, so that a shorter lifetime counts for what was read before, too.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Generic

from chalicelib.names.aliases import Aliases
from chalicelib.names.answer_json import resolved_from_json, resolved_to_json
from chalicelib.names.cache import Answer, CachePolicy, Remembered
from chalicelib.names.counting import Counting, uncounted
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.ports import ChainTransport, OffchainGateway, ProfileLinks
from chalicelib.names.two_levels import TwoLevels
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.errors import Dm3Error, Undecryptable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.relay.ports import Clock, NameRow, NameStore
from chalicelib.relay.vault import Vault

# Long after any reading that was under way when a name was dropped has ended.
_DROPPED_S = 300


class RememberedNames(Generic[Answer]):
    """Implements `names.two_levels.SharedAnswers` for one `kind` of answer.

    `to_json` and `from_json` are each other's inverse; the latter raises a Dm3Error for what it cannot read.
    """

    def __init__(
        self,
        kind: str,
        store: NameStore,
        vault: Vault,
        clock: Clock,
        policy: CachePolicy,
        *,
        to_json: Callable[[Answer], JsonObject],
        from_json: Callable[[JsonValue], Answer],
    ) -> None:
        self._kind = kind
        self._store = store
        self._vault = vault
        self._clock = clock
        self._policy = policy
        self._to_json = to_json
        self._from_json = from_json

    def get(self, name: str) -> Remembered[Answer] | None:
        """See `SharedAnswers.get`. One read."""
        key = self._key(name)
        row = self._store.get(key, now_s=self._clock.now_ms() // 1_000)
        if row is None or not row.sealed:
            return None
        try:
            answer = self._from_json(json.loads(self._vault.open(row.sealed, _context(row))))
        except (Undecryptable, Dm3Error):
            # Sealed under a key that is gone, or written by another version of the relay.
            return None
        end_ms = row.read_at_ms + self._policy.positive_ms
        if self._clock.now_ms() >= end_ms + self._policy.stale_ms:
            return None
        return Remembered(
            answer, known=True, check_at_ms=end_ms, expires_at_ms=end_ms, read_at_ms=row.read_at_ms
        )

    def put(self, name: str, answer: Remembered[Answer]) -> bool:
        """See `SharedAnswers.put`. One write."""
        plain = json.dumps(self._to_json(answer.value), separators=(",", ":")).encode()
        useless_at_ms = answer.read_at_ms + self._policy.positive_ms + self._policy.stale_ms
        row = NameRow(self._key(name), b"", answer.read_at_ms, useless_at_ms // 1_000 + 1)
        return self._store.put(row.holding(self._vault.seal(plain, _context(row))))

    def drop(self, name: str, *, now_ms: int) -> None:
        """See `SharedAnswers.drop`. One write: an empty row, which older answers cannot replace."""
        self._store.put(NameRow(self._key(name), b"", now_ms, now_ms // 1_000 + _DROPPED_S))

    def _key(self, name: str) -> bytes:
        return self._vault.index("remembered", self._kind, name)


def _context(row: NameRow) -> bytes:
    return b"remembered" + row.name + row.read_at_ms.to_bytes(8, "big")


def ens_directory(
    transport: ChainTransport,
    store: NameStore,
    vault: Vault,
    clock: Clock,
    *,
    links: ProfileLinks | None = None,
    gateway: OffchainGateway | None = None,
    policy: CachePolicy | None = None,
    universal_resolver: str = UNIVERSAL_RESOLVER,
    aliases: Aliases | None = None,
    count: Counting = uncounted,
) -> EnsDirectory:
    """A directory over ENS that remembers in two levels: this process, and `store`, sealed by `vault`."""
    policy = policy or CachePolicy()
    users = RememberedNames(
        "user", store, vault, clock, policy, to_json=resolved_to_json, from_json=resolved_from_json
    )
    services = RememberedNames(
        "service", store, vault, clock, policy, to_json=_service_to_json, from_json=_service_from_json
    )
    return EnsDirectory(
        transport,
        links,
        TwoLevels(users, process_ms=policy.process_ms, clock_ms=clock.now_ms, count=count),
        clock_ms=clock.now_ms,
        service_cache=TwoLevels(services, process_ms=policy.process_ms, clock_ms=clock.now_ms, count=count),
        policy=policy,
        gateway=gateway,
        universal_resolver=universal_resolver,
        aliases=aliases,
        count=count,
    )


def _service_to_json(profile: DeliveryServiceProfile | None) -> JsonObject:
    return {} if profile is None else profile.to_json()


def _service_from_json(value: JsonValue) -> DeliveryServiceProfile | None:
    return DeliveryServiceProfile.parse(value)
