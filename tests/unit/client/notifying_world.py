"""Relays without a network that tell people of new mail."""

from __future__ import annotations

from dataclasses import dataclass

from infra.local.gateway import Gateway
from tests.support.notifying import notify_over, notifying_application
from tests.unit.client.world import World


@dataclass
class NotifyingWorld(World):
    """The two relays, with the routes of notifications; `carriers` are those of both."""

    def start(self, name: str, *, lenient: bool = False) -> None:
        super().start(name, lenient=lenient)
        notify = notify_over(self.stores[name], self.clock, self.chance, self.carriers, self.relays[name])
        app = notifying_application(self.relays[name], notify)
        self._gateways[name] = Gateway(app, threads=1)
