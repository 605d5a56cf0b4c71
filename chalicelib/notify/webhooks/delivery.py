"""The worker: an event goes to each endpoint of its account, and each delivery is tried until it is settled.

A worker may die at any line. What it writes therefore comes in this order: what the attempt makes of the
endpoint, then the next try in the queue, then the attempt in the log. A record that was not finished comes
again, and its delivery, still unsettled in the log, is tried again with the same `webhook-id`: a double,
never a loss. Once the log says that a try is settled, every further text for that try is stale.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import Any, Final

from chalicelib.fetching.ports import Fetcher
from chalicelib.names.counting import Counting
from chalicelib.notify.batches import work
from chalicelib.notify.events import MessageReceived
from chalicelib.notify.ports import DeliveryStore, Later, Queue
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Endpoint, EndpointState
from chalicelib.notify.webhooks import endpoints
from chalicelib.notify.webhooks.deliveries import Attempt, Delivery, DeliveryState
from chalicelib.notify.webhooks.due_tries import DueTry
from chalicelib.notify.webhooks.log import DeliveryLog, Filed
from chalicelib.notify.webhooks.patience import Patience
from chalicelib.notify.webhooks.payload import event_body
from chalicelib.notify.webhooks.sending import Outcome, Sender
from chalicelib.notify.webhooks.tries import TRIES, next_delay_s
from chalicelib.protocol.errors import NotFound
from chalicelib.relay.ports import Chance, Clock, CounterStore
from chalicelib.relay.quota import Quotas
from chalicelib.relay.vault import Vault

TRIED: Final = "WebhookTried"
"""Metric: a request was made. With the dimension `Outcome`: a class of status ("2xx") or a reason."""
PUT_OFF: Final = "WebhookPutOff"
"""Metric: a try waits, since the servers of its account fail or are slow, and have taken enough time."""
EXHAUSTED: Final = "WebhookExhausted"
"""Metric: a delivery failed for the last time."""
PAUSED: Final = "WebhookPaused"
"""Metric: an endpoint was paused, since it has failed for days."""
GONE: Final = "WebhookGone"
"""Metric: an endpoint answered that it wants no more."""
MAX_AT_ONCE: Final = 10

_KEY_BYTES = 16


class WebhookWorker:
    """Works the queue of webhooks: events from the topic, and tries that have come due.

    `tell_owner` gets the inbox of the account and the id of an endpoint that has been paused.
    """

    def __init__(
        self,
        *,
        book: PreferenceBook,
        deliveries: DeliveryStore,
        counters: CounterStore,
        fetcher: Fetcher,
        later: Later,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        count: Counting,
        tell_owner: Callable[[bytes, str], None],
    ) -> None:
        self._book = book
        self._log = DeliveryLog(deliveries, vault, clock)
        self._sender = Sender(fetcher, clock)
        self._patience = Patience(Quotas(counters, vault, clock, chance), chance)
        self._later = later
        self._vault = vault
        self._clock = clock
        self._chance = chance
        self._count = count
        self._tell_owner = tell_owner

    def handle(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Work a batch, its records side by side: one slow endpoint holds nobody else up."""
        records = event["Records"]
        with ThreadPoolExecutor(MAX_AT_ONCE) as pool:
            begun = {record["messageId"]: pool.submit(self._work, record) for record in records}
            return work(
                event, lambda record: begun[record["messageId"]].result(), self._count, Queue.WEBHOOKS
            )

    def _work(self, record: Mapping[str, Any]) -> None:
        due = DueTry.read(record["body"])
        if due is None:
            self._begin(MessageReceived.of_record(record))
        else:
            self._try(due)

    def _begin(self, event: MessageReceived) -> None:
        """Enter the event in the log of each endpoint, and try it."""
        entered = [
            (DueTry(event.owner, endpoint.endpoint_id, filed.entry, 1), endpoint, filed)
            for endpoint in self._book.load(event.owner).endpoints
            if (filed := self._enter(event, endpoint)) is not None
        ]
        begun = [one for one in entered if one[2].delivery.awaits(1)]
        if len(begun) == 1:
            self._take(*begun[0])
        else:
            # Each on its own, so that what keeps one of them waiting or failing is no matter of the others.
            for due, _, _ in begun:
                self._later.put(Queue.WEBHOOKS, due.to_text(), delay_s=0, key=self._key(due))
        for due, _, filed in entered:
            if not filed.delivery.awaits(1) and self._endpoint(due) is None:
                self._forget(due)

    def _enter(self, event: MessageReceived, endpoint: Endpoint) -> Filed | None:
        """The entry of the event, if it has one. What happens while an endpoint is paused is kept."""
        if endpoint.state is EndpointState.UNVERIFIED:
            return None
        log_key = self._log.key(event.owner, endpoint.endpoint_id)
        entry = self._log.entry_for(log_key, event)
        if endpoint.state is EndpointState.GONE:
            # Nothing is begun, but what a worker that died had begun is brought to its end.
            return self._log.find(log_key, entry)
        held = endpoint.state is EndpointState.PAUSED
        return self._log.begin(log_key, entry, Delivery.of(event, held=held))

    def _try(self, due: DueTry) -> None:
        endpoint = self._endpoint(due)
        if endpoint is None:
            self._forget(due)
            return
        filed = self._log.find(self._log.key(due.owner, due.endpoint_id), due.entry)
        self._take(due, endpoint, filed)

    def _take(self, due: DueTry, endpoint: Endpoint, filed: Filed | None) -> None:
        if filed is not None and filed.delivery.awaits(due.number):
            if endpoint.state is EndpointState.ACTIVE:
                self._send(due, endpoint, filed)
            else:
                self._log.change(filed, Delivery.held)
        self._look_again(due)

    def _send(self, due: DueTry, endpoint: Endpoint, filed: Filed) -> None:
        wait_s = self._patience.wait_s(due.owner)
        if wait_s:
            self._put_off(due, filed, wait_s)
            return
        body = event_body(due.endpoint_id, filed.delivery)
        outcome = self._sender.send(endpoint, filed.delivery_id, body, number=due.number)
        attempt = outcome.attempt
        self._count(TRIED, Outcome=_told(attempt))
        self._patience.charge(due.owner, attempt)
        was_last = filed.delivery.step(due.number) >= TRIES
        active = self._judge(due, endpoint, attempt, was_last=was_last)
        due_at_ms = None
        if active and not attempt.succeeded:
            due_at_ms = self._put_next(due, filed.delivery, outcome)
        settled = self._log.change(filed, lambda delivery: delivery.after(attempt, due_at_ms))
        if settled is not None and settled.delivery.state is DeliveryState.FAILED:
            self._count(EXHAUSTED)

    def _put_off(self, due: DueTry, filed: Filed, wait_s: int) -> None:
        """The same try, later: the account's servers have taken enough of the workers' time."""
        due_at_ms = self._clock.now_ms() + wait_s * 1_000
        self._later.put(Queue.WEBHOOKS, due.to_text(), delay_s=wait_s, key=self._key(due))
        self._log.change(filed, lambda delivery: delivery.put_off(due.number, due_at_ms))
        self._count(PUT_OFF)

    def _judge(self, due: DueTry, endpoint: Endpoint, attempt: Attempt, *, was_last: bool) -> bool:
        """Write what the attempt makes of the endpoint; whether it is active still."""
        if endpoints.after(endpoint, attempt, was_last=was_last) == endpoint:
            return True
        try:
            preferences = self._book.update(
                due.owner,
                lambda standing: standing.with_endpoint(
                    endpoints.after(standing.endpoint(due.endpoint_id), attempt, was_last=was_last)
                ),
            )
        except NotFound:
            return False
        state = preferences.endpoint(due.endpoint_id).state
        if state is not EndpointState.ACTIVE:
            self._count(GONE if state is EndpointState.GONE else PAUSED)
        return state is EndpointState.ACTIVE

    def _put_next(self, due: DueTry, delivery: Delivery, outcome: Outcome) -> int | None:
        """Put the next try into the queue; when it is due, None if this was the last."""
        delay_s = next_delay_s(delivery.step(due.number), outcome.retry_after_s, self._chance)
        if delay_s is None:
            return None
        following = DueTry(due.owner, due.endpoint_id, due.entry, due.number + 1)
        due_at_ms = self._clock.now_ms() + delay_s * 1_000
        self._later.put(Queue.WEBHOOKS, following.to_text(), delay_s=delay_s, key=self._key(following))
        return due_at_ms

    def _look_again(self, due: DueTry) -> None:
        """Finish what belongs to the endpoint: also what a worker that died has left undone."""
        endpoint = self._endpoint(due)
        if endpoint is None:
            self._forget(due)
        elif endpoint.owner_untold:
            self._tell_owner(due.owner, due.endpoint_id)
            with suppress(NotFound):  # removed meanwhile
                self._book.update(
                    due.owner,
                    lambda standing: standing.with_endpoint(
                        endpoints.told(standing.endpoint(due.endpoint_id))
                    ),
                )

    def _forget(self, due: DueTry) -> None:
        """Delete the log of an endpoint that was removed, perhaps while a worker wrote into it."""
        self._log.forget(self._log.key(due.owner, due.endpoint_id))

    def _endpoint(self, due: DueTry) -> Endpoint | None:
        try:
            return self._book.load(due.owner).endpoint(due.endpoint_id)
        except NotFound:
            return None

    def _key(self, due: DueTry) -> bytes:
        return self._vault.index("webhook try", due.to_text())[:_KEY_BYTES]


def _told(attempt: Attempt) -> str:
    if attempt.status is not None:
        return f"{attempt.status // 100}xx"
    return attempt.reason or "unknown"
