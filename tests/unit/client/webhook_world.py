"""Relays in memory that keep webhooks: the real routes over the real desk and worker."""

from __future__ import annotations

import json
from dataclasses import dataclass, replace
from typing import Any, cast

from chalice.app import Chalice

from chalicelib.api import webhooks
from chalicelib.api.edge import middleware
from chalicelib.client import Request, Response
from chalicelib.client.identity import Identity
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.counting import uncounted
from chalicelib.notify.events import MessageReceived, SizeClass
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.service import Notify
from chalicelib.notify.webhooks.delivery import WebhookWorker
from chalicelib.notify.webhooks.desk import WebhookDesk
from chalicelib.protocol.signing import sign
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault
from infra.local.gateway import Gateway
from tests.unit.client.world import RELAY, World
from tests.unit.notify.carriers import MemoryLater, MemoryQueues, sqs_event


@dataclass(frozen=True)
class OnlyWebhooks:
    """As much of `Notify` as the routes of webhooks look at."""

    webhooks: WebhookDesk


class WebhookWorld(World):
    """A world whose relays answer `/webhooks/…`, too."""

    def __post_init__(self) -> None:
        super().__post_init__()
        self.later, self.queues = MemoryLater(), MemoryQueues()
        self._webhooks = {name: self._application(name) for name in self.relays}

    def ask(self, request: Request) -> Response:
        """As of every world; the routes of webhooks stand beside the relay's."""
        start, path, rest = request.url.partition("/webhooks/")
        if not path:
            return super().ask(request)
        gateway, self._gateways = self._gateways, {name: part[0] for name, part in self._webhooks.items()}
        try:
            return super().ask(replace(request, url=start + path + rest))
        finally:
            self._gateways = gateway

    def happen(self, identity: Identity, number: int = 1, relay: str = RELAY) -> None:
        """A message comes in, and the worker has the event."""
        key = InboxKey(self.clock.time_ms, bytes([number]) * 16)
        event = MessageReceived(self.account(identity, relay).inbox, key, SizeClass.SMALL)
        answer = self._webhooks[relay][1].handle(sqs_event(event.to_text()))
        assert answer == {"batchItemFailures": []}

    def account(self, identity: Identity, relay: str = RELAY) -> Account:
        """The account, signed in."""
        return self.relays[relay].sessions.authenticate(
            f"Bearer {self.token(identity, relay)}", identity.name
        )

    def token(self, identity: Identity, relay: str = RELAY) -> str:
        sessions = self.relays[relay].sessions
        challenge = sessions.challenge(identity.name)
        signature = sign(identity.keys.signing.private_key, challenge)
        return sessions.sign_in(identity.name, challenge, signature)

    def call(
        self, method: str, path: str, token: str | None = None, body: object = None
    ) -> tuple[int, Any, Response]:
        """Status, JSON (None for an empty body), and the whole answer of one request to the first relay."""
        headers = {} if token is None else {"authorization": f"Bearer {token}"}
        content = b"" if body is None else json.dumps(body).encode()
        answer = self.ask(Request(method, f"https://{RELAY}/api{path}", headers, content))
        return answer.status, json.loads(answer.body) if answer.body else None, answer

    def _application(self, name: str) -> tuple[Gateway, WebhookWorker]:
        vault = Vault(b"i" * 32, b"s" * 32, self.chance)
        store, fetcher = self.stores[name], GuardedFetcher(allow_local=True)
        book = PreferenceBook(store.preferences, vault)
        desk = WebhookDesk(
            book=book,
            deliveries=store.deliveries,
            fetcher=fetcher,
            queues=self.queues,
            counters=store.counters,
            vault=vault,
            clock=self.clock,
            chance=self.chance,
            still_there=lambda _account: None,
        )
        worker = WebhookWorker(
            book=book,
            deliveries=store.deliveries,
            counters=store.counters,
            fetcher=fetcher,
            later=self.later,
            vault=vault,
            clock=self.clock,
            chance=self.chance,
            count=uncounted,
            tell_owner=lambda _owner, _endpoint_id: None,
        )
        app = Chalice("webhooks", configure_logs=False)
        app.register_middleware(middleware(None), "http")
        notify = cast("Notify", OnlyWebhooks(desk))
        app.register_blueprint(webhooks.routes(lambda: self.relays[name], lambda: notify).blueprint)
        return Gateway(app, threads=1), worker
