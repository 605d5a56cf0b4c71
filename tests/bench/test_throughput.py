"""How many submits a second one process handles, with everything in memory: its own CPU time, and no I/O."""

from __future__ import annotations

import json
import time
from typing import NoReturn

from chalicelib.api.application import application
from chalicelib.client.wallet import Wallet
from chalicelib.foundation import SystemChance, SystemClock
from chalicelib.names.memory import MemoryDirectory
from chalicelib.relay.compose import compose
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits, RelayKeys, RelaySettings
from chalicelib.store.memory import MemoryStore
from infra.local.gateway import Gateway
from tests.faults.ground import RELAY_NAME, relay_keys
from tests.faults.people import Person
from tests.faults.world import SOURCE, random_secrets

SUBMITS = 300


def relay_in_memory(keys: RelayKeys, alice: Person, bob: Person) -> Relay:
    directory = MemoryDirectory()
    for person in (alice, bob):
        directory.add(person.name, person.identity.address, person.record)
    relay = compose(
        settings=RelaySettings(RELAY_NAME, limits=Limits()),
        keys=keys,
        secrets=random_secrets(),
        stores=MemoryStore(),
        directory=directory,
        clock=SystemClock(),
        chance=SystemChance(),
    )
    relay.accounts.register(bob.name, bob.signed_profile, source=SOURCE)
    return relay


def test_submits_a_second_in_one_process(quiet: None) -> None:
    keys = relay_keys()
    alice, bob = (
        Person.create(name, Wallet.create(SystemChance()), RELAY_NAME) for name in ("alice.eth", "bob.eth")
    )
    relay = relay_in_memory(keys, alice, bob)

    def no_notify() -> NoReturn:
        raise AssertionError("submitting tells nobody by itself")

    gateway = Gateway(application(lambda: relay, no_notify, lambda: None))
    bodies = [
        json.dumps(
            {
                "jsonrpc": "2.0",
                "method": "dm3_submitMessage",
                "params": [json.dumps(alice.seal_to(bob, f"message {number}", keys).to_json())],
            }
        ).encode()
        for number in range(SUBMITS)
    ]
    scope = {
        "type": "http",
        "method": "POST",
        "path": "/rpc",
        "query_string": b"",
        "http_version": "1.1",
        "headers": [(b"content-type", b"application/json")],
    }
    started, cpu = time.perf_counter(), time.process_time()
    answers = [gateway.answer(scope, body) for body in bodies]
    wall_s, cpu_s = time.perf_counter() - started, time.process_time() - cpu
    gateway.close()
    print(  # noqa: T201 - a bench prints what it measured
        f"\nsubmits in one process, storage in memory: {SUBMITS / wall_s:.0f} a second, "
        f"{cpu_s / SUBMITS * 1_000:.2f} ms of CPU each"
    )
    assert [answer.status for answer in answers] == [200] * SUBMITS
