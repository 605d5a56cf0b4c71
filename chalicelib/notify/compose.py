"""Puts this layer together from its ports: the one place where its parts are made.

Every part is made, and its code imported, when it is first needed: on Lambda each worker is a function of its
own, and pays for no other at its start.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import cache, cached_property
from typing import TYPE_CHECKING, Any, Protocol

from chalicelib.fetching.ports import Fetcher
from chalicelib.names.counting import Counting
from chalicelib.notify.events import Channel
from chalicelib.notify.ports import (
    Mailer,
    NotifyStores,
    Poster,
    Queue,
    Queues,
    StreamReader,
    Texter,
    Topic,
)
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.service import Notify, Worker, Workers
from chalicelib.protocol.errors import Forbidden
from chalicelib.relay.account_book import AccountBook
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.ports import AccountStore, Chance, Clock, CounterStore, InboxStore
from chalicelib.relay.positions import Positions
from chalicelib.relay.quota import Quotas
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault

if TYPE_CHECKING:
    from chalicelib.notify.channels.carrier import Carrier
    from chalicelib.notify.channels.vapid import Vapid
    from chalicelib.notify.desk import NotificationDesk
    from chalicelib.notify.outbox import Outbox
    from chalicelib.notify.schedule import Schedule
    from chalicelib.notify.sockets.desk import SocketDesk
    from chalicelib.notify.sockets.registry import Registry
    from chalicelib.notify.webhooks.desk import WebhookDesk

SourceOf = Callable[[Mapping[str, Any]], str]


class TellingStores(NotifyStores, Protocol):
    """The rows of this layer, and those of the relay that it needs beside them."""

    @property
    def inbox(self) -> InboxStore:
        """The mail."""
        ...

    @property
    def accounts(self) -> AccountStore:
        """Whether an account is still there."""
        ...

    @property
    def counters(self) -> CounterStore:
        """Quotas and marks."""
        ...


class Ports(Protocol):
    """What telling receivers needs from the world. Each may be made when it is first asked for.

    A carrier that is None is not offered. `url` is the relay's public URL, for links in e-mails; without it
    none is sent. With `allow_local` people's URLs may lead to this machine, for a relay on a laptop.
    """

    @property
    def stores(self) -> TellingStores: ...  # noqa: D102 - told above, as the others

    @property
    def topic(self) -> Topic: ...  # noqa: D102

    @property
    def queues(self) -> Queues: ...  # noqa: D102

    @property
    def stream(self) -> StreamReader: ...  # noqa: D102

    @property
    def poster(self) -> Poster: ...  # noqa: D102

    @property
    def mailer(self) -> Mailer | None: ...  # noqa: D102

    @property
    def texter(self) -> Texter | None: ...  # noqa: D102

    @property
    def vapid(self) -> Vapid | None: ...  # noqa: D102

    @property
    def fetcher(self) -> Fetcher: ...  # noqa: D102

    @property
    def vault(self) -> Vault: ...  # noqa: D102

    @property
    def clock(self) -> Clock: ...  # noqa: D102

    @property
    def chance(self) -> Chance: ...  # noqa: D102

    @property
    def count(self) -> Counting: ...  # noqa: D102

    @property
    def url(self) -> str | None: ...  # noqa: D102

    @property
    def allow_local(self) -> bool: ...  # noqa: D102


class Workshop:
    """Makes the parts. Touches no port before a part does."""

    def __init__(self, ports: Ports) -> None:
        self._ports = ports

    def notify(
        self, relay: Relay, *, limits: Limits | None = None, source_of: SourceOf | None = None
    ) -> Notify:
        """This layer beside `relay`; for `limits` and `source_of` see `sockets`."""
        from chalicelib.notify.leaving import Leaving

        def close_sockets(account: Account) -> None:
            self.registry.close_all(account.inbox)

        leaving = Leaving(
            book=self.book,
            notifications=self.notifications,
            webhooks=self._webhooks,
            forget_webhooks=self._webhooks.forget,
            close_sockets=close_sockets,
        )
        return Notify(
            notifications=self.notifications,
            webhooks=self._webhooks,
            sockets=self.sockets(relay, limits=limits, source_of=source_of),
            workers=self.workers,
            export=leaving.export,
            forget=leaving.forget,
            close_sockets=close_sockets,
        )

    def sockets(
        self, relay: Relay, *, limits: Limits | None = None, source_of: SourceOf | None = None
    ) -> SocketDesk:
        """The routes of the sockets alone, whose functions need no carrier of e-mail and no webhooks.

        `limits` are those of `relay`. `source_of` tells from the event of a `$connect` who opens the socket;
        default: whom the gateway saw.
        """
        from chalicelib.notify.sockets.desk import SocketDesk, gateway_source

        ports = self._ports
        return SocketDesk(
            relay=relay,
            registry=self.registry,
            queues=ports.queues,
            counters=ports.stores.counters,
            vault=ports.vault,
            clock=ports.clock,
            chance=ports.chance,
            count=ports.count,
            limits=limits,
            source_of=source_of or gateway_source,
        )

    @cached_property
    def workers(self) -> Workers:
        """The workers, each of which is made at its first event."""
        return Workers(
            outbox=_lazily(lambda: self._outbox.handle),
            untold=_lazily(self._untold),
            sockets=_lazily(self._pusher),
            greetings=_lazily(self._greeter),
            webhooks=_lazily(self._webhook_worker),
            email=_lazily(lambda: self._wake_ups(Channel.EMAIL, Queue.EMAIL, self._email_carrier())),
            push=_lazily(lambda: self._wake_ups(Channel.PUSH, Queue.PUSH, self._push_carrier())),
            sms=_lazily(lambda: self._wake_ups(Channel.SMS, Queue.SMS, self._sms_carrier())),
            minute=_lazily(self._minute),
        )

    @cached_property
    def book(self) -> PreferenceBook:
        """What accounts want to be told."""
        return PreferenceBook(self._ports.stores.preferences, self._ports.vault)

    @cached_property
    def registry(self) -> Registry:
        """The open sockets."""
        from chalicelib.notify.sockets.registry import Registry

        ports = self._ports
        return Registry(
            store=ports.stores.connections,
            vault=ports.vault,
            poster=ports.poster,
            clock=ports.clock,
            count=ports.count,
        )

    @cached_property
    def notifications(self) -> NotificationDesk:
        """People's channels."""
        from chalicelib.notify.desk import NotificationDesk

        ports = self._ports
        return NotificationDesk(
            book=self.book,
            mailer=ports.mailer,
            texter=ports.texter,
            vapid=ports.vapid,
            counters=ports.stores.counters,
            vault=ports.vault,
            clock=ports.clock,
            chance=ports.chance,
            still_there=self._still_there,
            allow_local=ports.allow_local,
        )

    @cached_property
    def _schedule(self) -> Schedule:
        from chalicelib.notify.schedule import Schedule

        ports = self._ports
        return Schedule(
            store=ports.stores.schedule,
            queues=ports.queues,
            vault=ports.vault,
            clock=ports.clock,
            count=ports.count,
        )

    @cached_property
    def _webhooks(self) -> WebhookDesk:
        from chalicelib.notify.webhooks.desk import WebhookDesk

        ports = self._ports
        return WebhookDesk(
            book=self.book,
            deliveries=ports.stores.deliveries,
            fetcher=ports.fetcher,
            queues=ports.queues,
            counters=ports.stores.counters,
            vault=ports.vault,
            clock=ports.clock,
            chance=ports.chance,
            still_there=self._still_there,
        )

    @cached_property
    def _outbox(self) -> Outbox:
        from chalicelib.notify.outbox import Outbox

        ports = self._ports
        return Outbox(
            book=self.book,
            connections=ports.stores.connections,
            topic=ports.topic,
            queues=ports.queues,
            clock=ports.clock,
            count=ports.count,
        )

    def _untold(self) -> Worker:
        from chalicelib.notify.untold import Untold

        ports = self._ports
        return Untold(outbox=self._outbox, stream=ports.stream, queues=ports.queues, count=ports.count).handle

    def _pusher(self) -> Worker:
        from chalicelib.notify.sockets.pusher import Pusher

        ports = self._ports
        positions = Positions(ports.vault)
        return Pusher(
            registry=self.registry,
            mailbox=Mailbox(ports.stores.inbox, ports.vault, positions, ports.clock),
            positions=positions,
            clock=ports.clock,
            count=ports.count,
        ).handle

    def _greeter(self) -> Worker:
        from chalicelib.notify.sockets.greeter import Greeter

        return Greeter(registry=self.registry, count=self._ports.count).handle

    def _webhook_worker(self) -> Worker:
        from chalicelib.notify.channels.owner_notice import OwnerNotice
        from chalicelib.notify.webhooks.delivery import WebhookWorker

        ports = self._ports
        return WebhookWorker(
            book=self.book,
            deliveries=ports.stores.deliveries,
            counters=ports.stores.counters,
            fetcher=ports.fetcher,
            later=self._schedule,
            vault=ports.vault,
            clock=ports.clock,
            chance=ports.chance,
            count=ports.count,
            tell_owner=OwnerNotice(self.book, ports.mailer).endpoint_paused,
        ).handle

    def _wake_ups(self, channel: Channel, queue: Queue, carrier: Carrier | None) -> Worker:
        from chalicelib.notify.absent import not_offered
        from chalicelib.notify.wake_ups import WakeUps

        ports = self._ports
        if carrier is None:
            return not_offered(queue, ports.count)
        return WakeUps(
            channel=channel,
            carrier=carrier,
            book=self.book,
            inbox=ports.stores.inbox,
            connections=ports.stores.connections,
            counters=ports.stores.counters,
            vault=ports.vault,
            later=self._schedule,
            clock=ports.clock,
            count=ports.count,
        ).handle

    def _email_carrier(self) -> Carrier | None:
        from chalicelib.notify.channels.email import EmailCarrier

        ports = self._ports
        if ports.mailer is None or ports.url is None:
            return None
        return EmailCarrier(ports.mailer, ports.vault, ports.url)

    def _push_carrier(self) -> Carrier | None:
        from chalicelib.notify.channels.bounded import PUSH_FAILURES_PER_HOUR, Bounded, push_bounds
        from chalicelib.notify.channels.web_push import WebPushCarrier

        ports = self._ports
        if ports.vapid is None:
            return None
        carrier = WebPushCarrier(ports.fetcher, ports.vapid, ports.clock)
        return Bounded(carrier, push_bounds, failures_per_hour=PUSH_FAILURES_PER_HOUR, quotas=self._quotas)

    def _sms_carrier(self) -> Carrier | None:
        from chalicelib.notify.channels.bounded import Bounded, sms_bounds
        from chalicelib.notify.channels.sms import SmsCarrier

        texter = self._ports.texter
        if texter is None:
            return None
        return Bounded(SmsCarrier(texter), sms_bounds, failures_per_hour=0, quotas=self._quotas)

    @cached_property
    def _quotas(self) -> Quotas:
        ports = self._ports
        return Quotas(ports.stores.counters, ports.vault, ports.clock, ports.chance)

    def _minute(self) -> Worker:
        from chalicelib.notify.minute import Minute
        from chalicelib.notify.sockets.pinger import Pinger

        ports = self._ports
        tasks = {
            "schedule": self._schedule.run,
            "pings": Pinger(registry=self.registry, clock=ports.clock).run,
        }
        return Minute(tasks, ports.count).handle

    def _still_there(self, account: Account) -> None:
        """Raises Forbidden if the account has been deleted since its owner signed in."""
        accounts = AccountBook(self._ports.stores.accounts, self._ports.vault)
        record = accounts.load(account.key)
        if record is None or accounts.inbox(account.key, record) != account.inbox:
            raise Forbidden("The account does not exist any more.")


def _lazily(make: Callable[[], Worker]) -> Worker:
    made = cache(make)
    return lambda event: made()(event)
