"""Telling receivers over a relay in memory, put together as in production; tests hold the carriers."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from chalice.app import Chalice

from chalicelib.api.application import application
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Fetcher
from chalicelib.names.counting import Counting, uncounted
from chalicelib.notify.channels.vapid import Vapid
from chalicelib.notify.compose import Workshop
from chalicelib.notify.service import Notify
from chalicelib.protocol.errors import NotFound
from chalicelib.relay.ports import Chance, Clock
from chalicelib.relay.service import Relay
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.carriers import (
    MemoryMailer,
    MemoryPoster,
    MemoryQueues,
    MemoryTexter,
    MemoryTopic,
)
from tests.unit.notify.desk_world import VAPID, code_in
from tests.unit.relay.world import World


@dataclass
class Carriers:
    """What receivers are told with in a test. `texter` None: no SMS; `mailer` None: no e-mail."""

    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    texter: MemoryTexter | None = None
    topic: MemoryTopic = field(default_factory=MemoryTopic)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    poster: MemoryPoster = field(default_factory=MemoryPoster)
    fetcher: Fetcher = field(default_factory=lambda: GuardedFetcher(allow_local=True))

    @property
    def code(self) -> str:
        """The code in the last mail."""
        return code_in(self.mailer.sent[-1].plain)


class NoStream:
    """Implements `StreamReader`: nothing is there any more."""

    def read(self, shard_id: str, first: str, last: str) -> Sequence[Mapping[str, Any]]:
        raise NotFound


@dataclass
class MemoryPorts:
    """Implements `notify.compose.Ports`."""

    stores: MemoryStore
    clock: Clock
    chance: Chance
    carriers: Carriers = field(default_factory=Carriers)
    count: Counting = uncounted
    url: str | None = "https://relay.example"
    vapid: Vapid | None = VAPID
    stream: NoStream = field(default_factory=NoStream)
    allow_local: bool = True

    @property
    def vault(self) -> Vault:
        return vault_of(self.chance)

    @property
    def topic(self) -> MemoryTopic:
        return self.carriers.topic

    @property
    def queues(self) -> MemoryQueues:
        return self.carriers.queues

    @property
    def poster(self) -> MemoryPoster:
        return self.carriers.poster

    @property
    def mailer(self) -> MemoryMailer | None:
        return self.carriers.mailer

    @property
    def texter(self) -> MemoryTexter | None:
        return self.carriers.texter

    @property
    def fetcher(self) -> Fetcher:
        return self.carriers.fetcher


def vault_of(chance: Chance) -> Vault:
    """The vault of every relay in a test."""
    return Vault(b"1" * 32, b"2" * 32, chance)


def notify_over(store: MemoryStore, clock: Clock, chance: Chance, carriers: Carriers, relay: Relay) -> Notify:
    """The whole layer beside `relay`, over its own storage."""
    return Workshop(MemoryPorts(store, clock, chance, carriers)).notify(relay)


def notify_beside(world: World, carriers: Carriers | None = None) -> Notify:
    """The whole layer beside the relay of `world`."""
    return notify_over(world.store, world.clock, world.chance, carriers or Carriers(), world.relay)


def notifying_application(relay: Relay, notify: Notify) -> Chalice:
    """The application of both."""
    return application(lambda: relay, lambda: notify, lambda: None)
