"""The routes of a person's channels over a relay in memory, with the carriers in the test's hands."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

from chalice.app import Chalice

from chalicelib.api import notifications, unsubscribe
from chalicelib.api.application import application
from chalicelib.notify.desk import NotificationDesk
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.service import Notify
from chalicelib.relay.ports import Chance, Clock
from chalicelib.relay.service import Relay
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault
from chalicelib.store.memory import MemoryStore
from tests.unit.notify.carriers import MemoryMailer, MemoryTexter
from tests.unit.notify.desk_world import VAPID, code_in


@dataclass
class Carriers:
    """What the desks of a test send with. `texter` None: no SMS."""

    mailer: MemoryMailer = field(default_factory=MemoryMailer)
    texter: MemoryTexter | None = None

    @property
    def code(self) -> str:
        """The code in the last mail."""
        return code_in(self.mailer.sent[-1].plain)


def vault_of(chance: Chance) -> Vault:
    """The vault of every desk in a test."""
    return Vault(b"1" * 32, b"2" * 32, chance)


def notify_over(store: MemoryStore, clock: Clock, chance: Chance, carriers: Carriers) -> Notify:
    """A notification layer of which only a person's channels are there."""

    def still_there(_account: Account) -> None:
        pass

    vault = vault_of(chance)
    desk = NotificationDesk(
        book=PreferenceBook(store.preferences, vault),
        mailer=carriers.mailer,
        texter=carriers.texter,
        vapid=VAPID,
        counters=store.counters,
        vault=vault,
        clock=clock,
        chance=chance,
        still_there=still_there,
        allow_local=True,
    )
    missing = cast("Any", None)
    return Notify(desk, missing, missing, missing, missing, missing)


def notifying_application(relay: Relay, notify: Notify) -> Chalice:
    """The whole application with the routes of notifications beside it."""
    app = application(lambda: relay, lambda: None)
    for routes in (notifications.routes(lambda: relay, lambda: notify), unsubscribe.routes(lambda: notify)):
        app.register_blueprint(routes.blueprint)
    return app
