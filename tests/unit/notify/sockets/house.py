"""A relay in memory with open sockets in the test's hands."""

from __future__ import annotations

import json
from collections import Counter
from dataclasses import dataclass, field
from typing import Any

from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.ports import Queue
from chalicelib.notify.service import Sockets
from chalicelib.notify.sockets.desk import SocketDesk
from chalicelib.notify.sockets.greeter import Greeter
from chalicelib.notify.sockets.open_socket import OpenSocket
from chalicelib.notify.sockets.pinger import Pinger
from chalicelib.notify.sockets.pusher import Pusher
from chalicelib.notify.sockets.registry import Registry
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.mailbox import Mailbox
from chalicelib.relay.ports import InboxKey
from chalicelib.relay.positions import Positions
from chalicelib.relay.values import Submitted
from chalicelib.relay.vault import Vault
from tests.unit.notify.carriers import MemoryPoster, MemoryQueues, sqs_event
from tests.unit.relay.world import ALICE, BOB, MALLORY, SECRETS, SOURCE, Person, World

ENGINE = {"EIO": "4", "transport": "websocket"}


@dataclass
class House:
    """Alice, Bob and Mallory have accounts; sockets are opened, spoken to and listened to by id."""

    world: World = field(default_factory=World)
    poster: MemoryPoster = field(default_factory=MemoryPoster)
    queues: MemoryQueues = field(default_factory=MemoryQueues)
    counted: Counter[str] = field(default_factory=Counter)
    paused: list[float] = field(default_factory=list)

    def __post_init__(self) -> None:
        world = self.world
        world.settle(ALICE, BOB, MALLORY)
        self.vault = Vault(SECRETS.index_key, SECRETS.storage_key, world.chance)
        self.positions = Positions(self.vault)
        self.registry = Registry(
            store=world.store.connections,
            vault=self.vault,
            poster=self.poster,
            clock=world.clock,
            count=self.count,
        )
        self.desk: Sockets = SocketDesk(
            relay=world.relay,
            registry=self.registry,
            queues=self.queues,
            counters=world.store.counters,
            vault=self.vault,
            clock=world.clock,
            chance=world.chance,
            count=self.count,
            limits=world.settings.limits,
        )
        self.pusher = Pusher(
            registry=self.registry,
            mailbox=Mailbox(world.store.inbox, self.vault, self.positions, world.clock),
            positions=self.positions,
            clock=world.clock,
            count=self.count,
        )
        self.pinger = Pinger(registry=self.registry, clock=world.clock, pause=self.paused.append)
        self.greeter = Greeter(registry=self.registry, count=self.count, pause=self.paused.append)

    def count(self, event: str, /, **_dimensions: str) -> None:
        self.counted[event] += 1

    def connect(self, connection_id: str, query: dict[str, str] | None = None, source: str = SOURCE) -> int:
        """Open a socket, as the gateway does: the status of `$connect`."""
        answer = self.desk.connect(event(connection_id, query=query, source=source))
        if answer["statusCode"] == 200:
            self.poster.open_ids.add(connection_id)
        return int(answer["statusCode"])

    def say(self, connection_id: str, frame: str | JsonObject) -> list[str]:
        """Send a frame, and take what was posted to the socket since the last time."""
        text = frame if isinstance(frame, str) else json.dumps(frame)
        assert self.desk.message(event(connection_id, body=text)) == {"statusCode": 200}
        return self.poster.take(connection_id)

    def leave(self, connection_id: str) -> None:
        """The socket closes, and the gateway says so."""
        self.poster.open_ids.discard(connection_id)
        assert self.desk.disconnect(event(connection_id)) == {"statusCode": 200}

    def plain(self, connection_id: str, person: Person = BOB, cursor: str | None = None) -> list[Any]:
        """Open a socket and subscribe: the frames that came."""
        assert self.connect(connection_id) == 200
        frame = {
            "type": "subscribe",
            "name": person.name,
            "token": self.world.token(person),
            "cursor": cursor,
        }
        return [json.loads(text) for text in self.say(connection_id, frame)]

    def socket_io(self, connection_id: str, person: Person = BOB, token: str | None = None) -> list[str]:
        """Open a socket and connect to the root namespace: the frames that came."""
        assert self.connect(connection_id, ENGINE) == 200
        auth = {"account": {"ensName": person.name}, "token": token or self.world.token(person)}
        return self.say(connection_id, f"40{json.dumps(auth)}")

    def socket(self, connection_id: str) -> OpenSocket:
        found = self.registry.find(connection_id)
        assert found is not None
        return found

    def submit(self, envelope: JsonObject | None = None) -> Submitted:
        return self.world.submit(envelope)

    def tell(
        self,
        submitted: Submitted,
        person: Person = BOB,
        *,
        channels: tuple[Channel, ...] = (Channel.SOCKET,),
        size: SizeClass = SizeClass.SMALL,
        tries: int = 1,
    ) -> list[str]:
        """Let the pusher work the event of a message: the ids of records that failed."""
        told = self.event_of(submitted, person, size)
        batch = sqs_event(told.to_text(), channels=channels)
        batch["Records"][0]["attributes"]["ApproximateReceiveCount"] = str(tries)
        failures = self.pusher.handle(batch)["batchItemFailures"]
        return [failure["itemIdentifier"] for failure in failures]

    def event_of(
        self, submitted: Submitted, person: Person = BOB, size: SizeClass = SizeClass.SMALL
    ) -> MessageReceived:
        receipt = submitted.receipt
        key = InboxKey(receipt.incoming_timestamp_ms, bytes.fromhex(receipt.message_id))
        return MessageReceived(self.world.account(person).inbox, key, size)

    def standing(self) -> str:
        """Everything stored but the sockets' own rows and counters."""
        store = self.world.store
        parts = (store.inbox, store.submissions, store.accounts, store.rules, store.preferences)
        return repr(
            [{name: value for name, value in vars(part).items() if name != "_guard"} for part in parts]
        )

    def minute(self) -> int:
        """Which minute since the epoch it is."""
        return self.world.clock.now_ms() // 60_000

    def greet(self) -> dict[str, Any]:
        return self.greeter.handle(sqs_event(*(text for text, _ in self.queues.take(Queue.GREETINGS))))


def event(
    connection_id: str, *, body: str | None = None, query: dict[str, str] | None = None, source: str = SOURCE
) -> dict[str, Any]:
    """What API Gateway hands to a route of a WebSocket API, as far as the relay reads it."""
    return {
        "requestContext": {"connectionId": connection_id, "identity": {"sourceIp": source}},
        "queryStringParameters": query,
        "headers": {},
        "body": body,
        "isBase64Encoded": False,
    }
