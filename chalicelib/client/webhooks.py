"""One's own webhooks: servers that one's delivery services tell of new mail.

Each delivery service keeps its own: its own secret, its own log. `Dm3Client.webhooks` is a `Webhooks`.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TypeVar

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.several import at_each
from chalicelib.client.values import Unreached
from chalicelib.protocol.errors import Dm3Error, NotFound, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class WebhookAttempt:
    """One request: the status of the answer, or a word for why there was none that counts. Times in ms."""

    number: int
    at_ms: int
    latency_ms: int
    status: int | None
    reason: str | None


@dataclass(frozen=True, slots=True)
class Webhook:
    """A webhook at one delivery service.

    `state` is "unverified", "active", "paused" or "gone", `signature` "v1" or "v1a". `secret` (`whsec_…`) is
    told only by `add` and `rotate`, `public_key` (`whpk_…`) always, if the signature is v1a. `challenge` is
    how the challenge of `add` went.
    """

    delivery_service: str
    id: str
    url: str = field(repr=False)
    state: str
    signature: str
    created_at_ms: int
    failing_since_ms: int | None
    old_secret_until_ms: int | None
    public_key: str | None = None
    secret: str | None = field(default=None, repr=False)
    challenge: WebhookAttempt | None = None


@dataclass(frozen=True, slots=True)
class KeptWebhooks:
    """Webhooks of one's delivery services, and which services did not do as asked."""

    webhooks: tuple[Webhook, ...]
    unreached: tuple[Unreached, ...] = ()


@dataclass(frozen=True, slots=True)
class WebhookDelivery:
    """An event on its way to a webhook. `id` is the `webhook-id` of every request made for it.

    `state` is "pending", "delivered", "failed" or "held" (the webhook was paused).
    """

    id: str
    type: str
    state: str
    at_ms: int
    message_id: str | None
    size: str | None
    tries: int
    next_try_at_ms: int | None
    attempts: tuple[WebhookAttempt, ...]


@dataclass(frozen=True, slots=True)
class WebhookLog:
    """A page of a log, the newest first; `cursor` continues, None at the end."""

    deliveries: tuple[WebhookDelivery, ...]
    cursor: str | None


class Webhooks:
    """The webhooks of one identity. Every method may raise Unavailable and LimitExceeded.

    Those that take the id of a webhook ask the delivery service that knows it, and raise NotFound if none
    does.
    """

    def __init__(self, identity: Identity, services: Services, sessions: Sessions) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions

    def list(self) -> KeptWebhooks:
        """The webhooks at each delivery service of the profile. The error is raised if none answered."""

        def act(service: DeliveryService) -> tuple[Webhook, ...]:
            answer = _read(dict, self._ask(service, "GET"))
            return tuple(_webhook(service.name, one) for one in _read(list, answer.get("webhooks")))

        return self._at_each(act)

    def add(self, url: str, *, signature: str = "v1") -> KeptWebhooks:
        """Add `url` at each delivery service, which challenges it at once.

        One that does not answer the challenge is unverified: see `verify`. Raises InvalidInput: there
        are too many, it is there already, or it is a URL that is never called.
        """
        body: JsonObject = {"url": url, "signature": signature}
        return self._at_each(lambda service: (_webhook(service.name, self._ask(service, "POST", body=body)),))

    def verify(self, webhook_id: str) -> Webhook:
        """Challenge it again; then it is active. Raises InvalidInput if it does not answer as it should."""
        return self._at_its_own(webhook_id, "verify")

    def pause(self, webhook_id: str) -> Webhook:
        """Send nothing more until it is verified again. Raises InvalidInput for one that gets nothing."""
        return self._at_its_own(webhook_id, "pause")

    def rotate(self, webhook_id: str) -> Webhook:
        """A new secret; the old one signs beside it for 24 hours."""
        return self._at_its_own(webhook_id, "rotate")

    def remove(self, webhook_id: str) -> None:
        """Forget it and its log."""
        self._where_known(lambda service: self._ask(service, "DELETE", webhook_id))

    def test(self, webhook_id: str) -> WebhookDelivery:
        """Send it a test event; how that went. Raises InvalidInput for one that is not verified."""
        return _delivery(self._where_known(lambda service: self._ask(service, "POST", webhook_id, "test")))

    def log(self, webhook_id: str, cursor: str | None = None, *, limit: int | None = None) -> WebhookLog:
        """What was sent to it in the last 30 days. Raises InvalidParams for a foreign cursor."""
        query = {"cursor": cursor, "limit": None if limit is None else str(limit)}
        answer = _read(
            dict, self._where_known(lambda service: self._ask(service, "GET", webhook_id, "log", **query))
        )
        deliveries = tuple(map(_delivery, _read(list, answer.get("deliveries"))))
        return WebhookLog(deliveries, _maybe(str, answer.get("cursor")))

    def replay(self, webhook_id: str, delivery_id: str) -> None:
        """Send one delivery again, whatever came of it. Raises InvalidInput unless the webhook is active."""
        self._replay(webhook_id, {"delivery": delivery_id})

    def replay_since(self, webhook_id: str, since_ms: int) -> int:
        """Send everything again that failed, or was held, since `since_ms`; how many that are."""
        replayed, cursor = self._replay(webhook_id, {"since": since_ms})
        while cursor is not None:
            more, cursor = self._replay(webhook_id, {"since": since_ms, "cursor": cursor})
            replayed += more
        return replayed

    def _replay(self, webhook_id: str, body: JsonObject) -> tuple[int, str | None]:
        answer = _read(
            dict,
            self._where_known(lambda service: self._ask(service, "POST", webhook_id, "replay", body=body)),
        )
        return _read(int, answer.get("replayed")), _maybe(str, answer.get("cursor"))

    def _ask(
        self, service: DeliveryService, method: str, *below: str, body: JsonValue = None, **query: str | None
    ) -> JsonValue:
        where = path("webhooks", self._identity.name, *below)
        return self._sessions.request(service, method, where, body=body, **query)

    def _at_each(self, act: Callable[[DeliveryService], tuple[Webhook, ...]]) -> KeptWebhooks:
        at, unreached = at_each(self._identity.delivery_services, lambda name: act(self._services.find(name)))
        return KeptWebhooks(tuple(one for webhooks in at.values() for one in webhooks), unreached)

    def _at_its_own(self, webhook_id: str, verb: str) -> Webhook:
        return self._where_known(
            lambda service: _webhook(service.name, self._ask(service, "POST", webhook_id, verb))
        )

    def _where_known(self, act: Callable[[DeliveryService], Result]) -> Result:
        """What `act` gives at the first service that knows the webhook it is about."""
        failure: Dm3Error = NotFound("No delivery service of the profile has such a webhook.")
        for name in dict.fromkeys(self._identity.delivery_services):
            try:
                return act(self._services.find(name))
            except NotFound:
                continue
            except Unavailable as error:
                failure = error
        raise failure


def _webhook(service: str, answer: JsonValue) -> Webhook:
    members = _read(dict, answer)
    challenge = members.get("challenge")
    return Webhook(
        service,
        id=_read(str, members.get("id")),
        url=_read(str, members.get("url")),
        state=_read(str, members.get("state")),
        signature=_read(str, members.get("signature")),
        created_at_ms=_read(int, members.get("createdAt")),
        failing_since_ms=_maybe(int, members.get("failingSince")),
        old_secret_until_ms=_maybe(int, members.get("oldSecretUntil")),
        public_key=_maybe(str, members.get("publicKey")),
        secret=_maybe(str, members.get("secret")),
        challenge=None if challenge is None else _attempt(challenge),
    )


def _delivery(answer: JsonValue) -> WebhookDelivery:
    members = _read(dict, answer)
    return WebhookDelivery(
        id=_read(str, members.get("id")),
        type=_read(str, members.get("type")),
        state=_read(str, members.get("state")),
        at_ms=_read(int, members.get("at")),
        message_id=_maybe(str, members.get("messageId")),
        size=_maybe(str, members.get("size")),
        tries=_read(int, members.get("tries")),
        next_try_at_ms=_maybe(int, members.get("nextTryAt")),
        attempts=tuple(map(_attempt, _read(list, members.get("attempts")))),
    )


def _attempt(answer: JsonValue) -> WebhookAttempt:
    members = _read(dict, answer)
    return WebhookAttempt(
        number=_read(int, members.get("try")),
        at_ms=_read(int, members.get("at")),
        latency_ms=_read(int, members.get("latency")),
        status=_maybe(int, members.get("status")),
        reason=_maybe(str, members.get("reason")),
    )


def _read(kind: type[Result], value: JsonValue) -> Result:
    """`value`, which a delivery service has answered, if it is of this kind. Raises Unavailable."""
    if not isinstance(value, kind) or isinstance(value, bool):
        raise Unavailable("The delivery service gave an answer that makes no sense.")
    return value


def _maybe(kind: type[Result], value: JsonValue) -> Result | None:
    return None if value is None else _read(kind, value)
