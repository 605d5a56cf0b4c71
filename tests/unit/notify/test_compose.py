"""The layer put together over a relay in memory: each part is there, and is made when it is needed."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from chalicelib.notify.compose import Workshop
from chalicelib.notify.events import Channel, MessageReceived, SizeClass
from chalicelib.notify.ports import Queue
from chalicelib.protocol.errors import Forbidden
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.ports import InboxKey
from tests.support.notifying import Carriers, MemoryPorts
from tests.unit.notify.carriers import sqs_event
from tests.unit.relay.world import ALICE, BOB, World

ROOT = Path(__file__).resolve().parents[3]
WORKERS = ("untold", "sockets", "greetings", "webhooks", "email", "push", "sms")


@pytest.fixture
def world() -> World:
    world = World()
    world.settle(ALICE, BOB)
    return world


@pytest.fixture
def carriers() -> Carriers:
    return Carriers()


@pytest.fixture
def ports(world: World, carriers: Carriers) -> MemoryPorts:
    return MemoryPorts(world.store, world.clock, world.chance, carriers)


def is_enabled(exported: JsonObject) -> bool:
    notifications: Any = exported["notifications"]
    return bool(notifications["enabled"])


@pytest.mark.parametrize("name", WORKERS)
def test_every_worker_takes_an_empty_batch(ports: MemoryPorts, name: str) -> None:
    worker = getattr(Workshop(ports).workers, name)
    assert worker({"Records": []}) == {"batchItemFailures": []}


def test_the_clock_sets_off_what_is_due_and_pings(ports: MemoryPorts) -> None:
    calls: list[str] = []
    ports.stores.faults = lambda name, _moment: calls.append(name)
    Workshop(ports).workers.minute({})
    assert {"schedule.due", "connections.of_shard"} <= set(calls)


def test_a_worker_is_made_once(ports: MemoryPorts) -> None:
    made: list[int] = []

    class Counted(MemoryPorts):
        @property
        def poster(self) -> Any:  # noqa: ANN401 - as the base
            made.append(1)
            return super().poster

    workers = Workshop(Counted(ports.stores, ports.clock, ports.chance)).workers
    assert made == []
    for _ in range(3):
        workers.greetings({"Records": []})
    assert made == [1]


def test_a_mail_without_a_carrier_wakes_nobody_and_is_done_with(world: World) -> None:
    ports = MemoryPorts(world.store, world.clock, world.chance, url=None, vapid=None)
    workers = Workshop(ports).workers
    event = MessageReceived(b"o" * 32, InboxKey(1, b"m" * 16), SizeClass.SMALL)
    batch = sqs_event(event.to_text(), channels=[Channel.EMAIL])
    for worker in (workers.email, workers.push, workers.sms):
        assert worker(batch) == {"batchItemFailures": []}


def test_the_parts_know_of_each_other(world: World, ports: MemoryPorts, carriers: Carriers) -> None:
    notify = Workshop(ports).notify(world.relay)
    bob = world.account(BOB)
    carriers.poster.open_ids.add("c")
    context = {"connectionId": "c", "identity": {"sourceIp": "192.0.2.1"}}
    assert notify.sockets.connect({"requestContext": context, "headers": {}})["statusCode"] == 200
    subscribe = {"type": "subscribe", "name": BOB.name, "token": world.token(BOB), "cursor": None}
    notify.sockets.message(
        {"requestContext": context, "body": json.dumps(subscribe), "isBase64Encoded": False}
    )
    assert "subscribed" in "".join(carriers.poster.take("c"))
    notify.notifications.set_enabled(bob, value=True)
    assert is_enabled(notify.export(bob))
    notify.forget(bob)
    assert not is_enabled(notify.export(bob))
    assert carriers.poster.closed == ["c"]


def test_a_socket_that_is_opened_the_reference_s_way_waits_for_the_greeter(
    world: World, ports: MemoryPorts, carriers: Carriers
) -> None:
    workshop = Workshop(ports)
    notify = workshop.notify(world.relay, source_of=lambda _event: "198.51.100.1")
    context = {"connectionId": "c", "identity": {"sourceIp": "192.0.2.1"}}
    query = {"EIO": "4", "transport": "websocket"}
    opened = {"requestContext": context, "headers": {}, "queryStringParameters": query}
    assert notify.sockets.connect(opened)["statusCode"] == 200
    carriers.poster.open_ids.add("c")
    ((text, _),) = carriers.queues.take(Queue.GREETINGS)
    assert workshop.workers.greetings(sqs_event(text)) == {"batchItemFailures": []}
    assert carriers.poster.take("c")[0].startswith("0{")


def test_an_account_that_is_gone_gets_no_channels(world: World, ports: MemoryPorts) -> None:
    notify = Workshop(ports).notify(world.relay)
    bob = world.account(BOB)
    world.relay.accounts.delete(bob)
    with pytest.raises(Forbidden):
        notify.notifications.set_enabled(bob, value=True)
    assert not is_enabled(notify.export(bob))
    world.settle(BOB)
    with pytest.raises(Forbidden):
        notify.notifications.set_enabled(bob, value=True)
    notify.notifications.set_enabled(world.account(BOB), value=True)


def test_a_part_is_imported_when_it_is_needed() -> None:
    program = "import chalicelib.carriers, sys; print(' '.join(sys.modules))"
    run = subprocess.run(
        [sys.executable, "-c", program], cwd=ROOT, capture_output=True, text=True, check=True
    )
    late = ("sockets.desk", "webhooks.desk", "desk", "outbox", "wake_ups", "channels.web_push")
    loaded = run.stdout.split()
    assert not {f"chalicelib.notify.{name}" for name in late} & set(loaded)
    assert not {"socketio", "cryptography", "email_validator", "standardwebhooks"} & set(loaded)
