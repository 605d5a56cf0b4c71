"""The ports of telling receivers on AWS, each with its client made when it is first needed."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING

from chalicelib.config import Keys, WorkerSettings
from chalicelib.fetching.ports import Fetcher
from chalicelib.foundation import Clients, SystemChance, SystemClock
from chalicelib.names.counting import Counting
from chalicelib.notify.absent import Absent
from chalicelib.notify.compose import Workshop
from chalicelib.notify.ports import Mailer, Poster, Queues, StreamReader, Texter, Topic
from chalicelib.relay.ports import Chance, Clock
from chalicelib.relay.vault import Vault
from chalicelib.store.dynamodb import DynamoStore

if TYPE_CHECKING:
    from chalicelib.notify.channels.vapid import Vapid


def workshop(
    settings: WorkerSettings, keys: Keys, store: DynamoStore, clients: Clients, *, count: Counting
) -> Workshop:
    """Makes the parts of telling receivers, for `settings`. Touches nothing yet."""
    return Workshop(
        AwsPorts(settings, keys, store, clients, clock=SystemClock(), chance=SystemChance(), count=count)
    )


class AwsPorts:
    """Implements `notify.compose.Ports`. What the operator has not set up stands for nothing."""

    def __init__(
        self,
        settings: WorkerSettings,
        keys: Keys,
        store: DynamoStore,
        clients: Clients,
        *,
        clock: Clock,
        chance: Chance,
        count: Counting,
    ) -> None:
        self._settings = settings
        self._notify = settings.notify
        self._keys = keys
        self._clients = clients
        self.stores = store
        self.clock = clock
        self.chance = chance
        self.count = count
        self.url = settings.notify.url
        self.allow_local = settings.allow_local_urls

    @cached_property
    def vault(self) -> Vault:
        """Seals and hashes with the relay's keys."""
        newest, *older = self._keys.storage
        return Vault(self._keys.index, newest, self.chance, older_keys=older)

    @cached_property
    def topic(self) -> Topic:
        """SNS."""
        from chalicelib.aws.topic import SnsTopic

        arn = self._notify.topic_arn
        return Absent() if arn is None else SnsTopic(self._clients("sns"), arn)

    @cached_property
    def queues(self) -> Queues:
        """SQS."""
        from chalicelib.aws.queues import SqsQueues

        urls = self._notify.queues
        return SqsQueues(self._clients("sqs"), urls) if urls else Absent()

    @cached_property
    def stream(self) -> StreamReader:
        """The inbox table's stream."""
        from chalicelib.aws.stream import DynamoStreamReader

        arn = self._notify.stream_arn
        return Absent() if arn is None else DynamoStreamReader(self._clients("dynamodbstreams"), arn)

    @cached_property
    def poster(self) -> Poster:
        """The WebSocket API's management."""
        from chalicelib.aws.posting import ApiGatewayPoster

        if self._notify.sockets_url is None:
            return Absent()
        return ApiGatewayPoster(self._clients("apigatewaymanagementapi"))

    @cached_property
    def mailer(self) -> Mailer | None:
        """SES."""
        from chalicelib.aws.mail import SesMailer

        sender = self._notify.mail_sender
        return None if sender is None else SesMailer(self._clients("sesv2"), sender)

    @cached_property
    def texter(self) -> Texter | None:
        """SMS by SNS."""
        from chalicelib.aws.sms import SnsTexter

        return SnsTexter(self._clients("sns")) if self._notify.sms else None

    @cached_property
    def vapid(self) -> Vapid | None:
        """The key by which push services know the relay, and where its operator is found."""
        from chalicelib.notify.channels.vapid import Vapid

        sender = self._notify.mail_sender
        # The page on which ENS shows the contact records of the relay's name.
        page = f"https://app.ens.domains/{self._settings.relay_name}"
        subject = page if sender is None else f"mailto:{sender}"
        return None if self._keys.push is None else Vapid(self._keys.push, subject)

    @cached_property
    def fetcher(self) -> Fetcher:
        """Asks webhooks and push services."""
        from chalicelib.fetching.guarded_fetcher import GuardedFetcher

        return GuardedFetcher(allow_local=self._settings.allow_local_urls)
