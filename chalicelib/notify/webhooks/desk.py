"""Webhooks as their owner manages them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chalicelib.fetching.ports import Fetcher
from chalicelib.notify.ports import DeliveryStore, Queues
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Endpoint, EndpointState, Preferences, Secret
from chalicelib.notify.webhooks import endpoints
from chalicelib.notify.webhooks.challenge import Challenger
from chalicelib.notify.webhooks.deliveries import TEST, Delivery, DeliveryState
from chalicelib.notify.webhooks.forms import attempt_json, delivery_json, endpoint_json, with_secret
from chalicelib.notify.webhooks.log import DeliveryLog, delivery_id, entry_at, entry_of
from chalicelib.notify.webhooks.payload import event_body
from chalicelib.notify.webhooks.replays import Replays
from chalicelib.notify.webhooks.requests import (
    NewEndpoint,
    Replay,
    change_quota,
    host_quota,
    request_quota,
)
from chalicelib.notify.webhooks.sending import Outcome, Sender
from chalicelib.notify.webhooks.signing import kind_of, new_secret
from chalicelib.protocol.errors import Forbidden, InvalidInput, InvalidParams, NotFound
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.relay.ports import Chance, Clock, CounterStore
from chalicelib.relay.quota import Quotas
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault

PAGE: Final = 20
MAX_PAGE: Final = 100
_ID_BYTES = 12
_ID_PREFIX = "wh_"


class WebhookDesk:
    """Implements `service.Webhooks`.

    `still_there` raises Forbidden if the account has been deleted since the caller signed in.
    """

    def __init__(
        self,
        *,
        book: PreferenceBook,
        deliveries: DeliveryStore,
        fetcher: Fetcher,
        queues: Queues,
        counters: CounterStore,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        still_there: Callable[[Account], None],
    ) -> None:
        self._book = book
        self._log = DeliveryLog(deliveries, vault, clock)
        self._sender = Sender(fetcher, clock)
        self._challenger = Challenger(self._sender, clock, chance)
        self._replays = Replays(self._log, queues, clock)
        self._quotas = Quotas(counters, vault, clock, chance)
        self._clock = clock
        self._chance = chance
        self._still_there = still_there

    def list(self, account: Account) -> tuple[JsonObject, ...]:
        """See `service.Webhooks.list`."""
        now_ms = self._clock.now_ms()
        return tuple(endpoint_json(one, now_ms) for one in self._book.load(account.inbox).endpoints)

    def add(self, account: Account, document: JsonValue) -> JsonObject:
        """See `service.Webhooks.add`."""
        new = NewEndpoint.parse(document)
        _require_room(self._book.load(account.inbox), new.url)
        self._charge_request(account, new.url)
        now_ms = self._clock.now_ms()
        endpoint = Endpoint(
            _ID_PREFIX + self._chance.token(_ID_BYTES).hex(),
            new.url,
            EndpointState.UNVERIFIED,
            (Secret(new_secret(new.signature, self._chance), now_ms),),
            now_ms,
        )
        outcome, echoed = self._challenger.ask(endpoint)
        if echoed:
            endpoint = endpoints.verified(endpoint)

        def added(preferences: Preferences) -> Preferences:
            _require_room(preferences, new.url)
            return replace(preferences, endpoints=(*preferences.endpoints, endpoint))

        self._write(account, added)
        return {**with_secret(endpoint, now_ms), "challenge": attempt_json(outcome.attempt)}

    def verify(self, account: Account, endpoint_id: str) -> JsonObject:
        """See `service.Webhooks.verify`."""
        endpoint = self._endpoint(account, endpoint_id)
        self._charge_request(account, endpoint.url)
        outcome, echoed = self._challenger.ask(endpoint)
        if not echoed:
            raise InvalidInput(_refusal(outcome), data=dict(attempt_json(outcome.attempt)))
        return self._changed(account, endpoint_id, endpoints.verified)

    def pause(self, account: Account, endpoint_id: str) -> JsonObject:
        """See `service.Webhooks.pause`."""
        self._quotas.charge(change_quota(account))

        def paused(endpoint: Endpoint) -> Endpoint:
            if endpoint.state not in {EndpointState.ACTIVE, EndpointState.PAUSED}:
                raise InvalidInput("The webhook receives nothing as it is.")
            return replace(endpoint, state=EndpointState.PAUSED)

        return self._changed(account, endpoint_id, paused)

    def remove(self, account: Account, endpoint_id: str) -> None:
        """See `service.Webhooks.remove`."""
        self._endpoint(account, endpoint_id)
        log_key = self._log.key(account.inbox, endpoint_id)
        # First the log: once the endpoint is gone, nobody would know of what was left of it.
        self._log.forget(log_key)
        self._write(account, lambda standing: _without(standing, endpoint_id))
        self._log.forget(log_key)

    def rotate(self, account: Account, endpoint_id: str) -> JsonObject:
        """See `service.Webhooks.rotate`."""
        self._quotas.charge(change_quota(account))
        now_ms = self._clock.now_ms()
        kind = kind_of(self._endpoint(account, endpoint_id).secrets[0].value)
        secret = new_secret(kind, self._chance)
        preferences = self._change(
            account, endpoint_id, lambda endpoint: endpoints.rotated(endpoint, secret, now_ms)
        )
        return with_secret(preferences.endpoint(endpoint_id), now_ms)

    def test(self, account: Account, endpoint_id: str) -> JsonObject:
        """See `service.Webhooks.test`."""
        endpoint = self._endpoint(account, endpoint_id)
        if endpoint.state not in {EndpointState.ACTIVE, EndpointState.PAUSED}:
            raise InvalidInput("The webhook must be verified before anything is sent to it.")
        self._charge_request(account, endpoint.url)
        now_ms = self._clock.now_ms()
        entry = entry_at(now_ms, self._chance.token(16))
        delivery = Delivery(TEST, now_ms, DeliveryState.PENDING)
        outcome = self._sender.send(endpoint, delivery_id(entry), event_body(endpoint_id, delivery))
        tested = delivery.after(outcome.attempt, None)
        log_key = self._log.key(account.inbox, endpoint_id)
        filed = self._log.begin(log_key, entry, tested)
        try:
            self._endpoint(account, endpoint_id)
        except NotFound:
            # Removed, perhaps with its account, while the request was made: nothing may be left behind.
            self._log.forget(log_key)
            raise
        return delivery_json(filed)

    def log(self, account: Account, endpoint_id: str, cursor: str | None, limit: int | None) -> JsonObject:
        """See `service.Webhooks.log`."""
        self._endpoint(account, endpoint_id)
        wanted = PAGE if limit is None else limit
        if wanted < 1:
            raise InvalidParams("The limit must be at least 1.")
        log_key = self._log.key(account.inbox, endpoint_id)
        filed, following = self._log.page(log_key, cursor, min(wanted, MAX_PAGE))
        return {"deliveries": [delivery_json(one) for one in filed], "cursor": following}

    def replay(self, account: Account, endpoint_id: str, document: JsonValue) -> JsonObject:
        """See `service.Webhooks.replay`."""
        replay = Replay.parse(document)
        self._quotas.charge(change_quota(account))
        endpoint = self._endpoint(account, endpoint_id)
        if endpoint.state is not EndpointState.ACTIVE:
            raise InvalidInput("The webhook must be verified before anything is sent to it.")
        log_key = self._log.key(account.inbox, endpoint_id)
        if replay.delivery is None:
            replayed, following = self._replays.since(account.inbox, endpoint_id, log_key, replay)
            return {"replayed": replayed, "cursor": following}
        filed = self._log.find(log_key, entry_of(replay.delivery))
        if filed is None:
            raise NotFound("There is no such delivery.")
        self._replays.one(account.inbox, endpoint_id, filed)
        return {"replayed": 1, "cursor": None}

    def forget(self, account: Account) -> None:
        """Delete all endpoints of an account that leaves, and their logs. Repeatable."""
        standing = self._book.load(account.inbox).endpoints
        log_keys = [self._log.key(account.inbox, endpoint.endpoint_id) for endpoint in standing]
        for log_key in log_keys:
            self._log.forget(log_key)
        self._book.update(account.inbox, lambda preferences: replace(preferences, endpoints=()))
        for log_key in log_keys:
            self._log.forget(log_key)

    def _endpoint(self, account: Account, endpoint_id: str) -> Endpoint:
        return self._book.load(account.inbox).endpoint(endpoint_id)

    def _charge_request(self, account: Account, url: str) -> None:
        self._quotas.charge(request_quota(account))
        self._quotas.charge(host_quota(url))

    def _changed(
        self, account: Account, endpoint_id: str, change: Callable[[Endpoint], Endpoint]
    ) -> JsonObject:
        preferences = self._change(account, endpoint_id, change)
        return endpoint_json(preferences.endpoint(endpoint_id), self._clock.now_ms())

    def _change(
        self, account: Account, endpoint_id: str, change: Callable[[Endpoint], Endpoint]
    ) -> Preferences:
        return self._write(
            account, lambda standing: standing.with_endpoint(change(standing.endpoint(endpoint_id)))
        )

    def _write(self, account: Account, change: Callable[[Preferences], Preferences]) -> Preferences:
        preferences = self._book.update(account.inbox, change)
        try:
            self._still_there(account)
        except Forbidden:
            # Deleted since the caller signed in: nothing may be left behind.
            self._book.delete(account.inbox)
            raise
        return preferences


def _require_room(preferences: Preferences, url: str) -> None:
    if any(endpoint.url == url for endpoint in preferences.endpoints):
        raise InvalidInput("There is a webhook for this URL already.")
    if len(preferences.endpoints) >= endpoints.MAX_ENDPOINTS:
        raise InvalidInput(f"There are {endpoints.MAX_ENDPOINTS} webhooks already, and no more are kept.")


def _without(preferences: Preferences, endpoint_id: str) -> Preferences:
    left = tuple(one for one in preferences.endpoints if one.endpoint_id != endpoint_id)
    return replace(preferences, endpoints=left)


def _refusal(outcome: Outcome) -> str:
    if outcome.attempt.succeeded:
        return "The webhook did not answer with the challenge it was sent."
    if outcome.attempt.status is not None:
        return f"The webhook answered the challenge with {outcome.attempt.status}."
    return f"The webhook did not answer the challenge ({outcome.attempt.reason})."
