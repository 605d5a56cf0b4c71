"""What happens, step by step, when all providers die and come back: a relay over HTTP, a node behind two."""

from __future__ import annotations

import logging
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

import pytest

from chalicelib.metrics import Metrics
from chalicelib.names.cache import CachePolicy
from chalicelib.names.circuit import CircuitPolicy
from chalicelib.names.heads import HeadPolicy
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.ports import RpcCall
from chalicelib.names.providers import ProviderPolicy, Providers
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.relay.compose import compose
from chalicelib.relay.remembered_names import ens_directory
from chalicelib.relay.settings import RelaySettings
from chalicelib.relay.vault import Vault
from infra.local.chain import Chain, start_chain
from tests.integration.http_house import Heard, House, open_house
from tests.support.chain_proxy import ChainProxy, Manner, chain_proxy
from tests.unit.relay.ports import HandClock
from tests.unit.relay.world import ALICE, BOB, MALLORY, RELAY_KEYS, RELAY_NAME, SECRETS, Person, World

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("providers")]

LIFETIME_S, STALE_S, PAUSE_S, LONGEST_PAUSE_S = 300, 3_600, 10, 60
CAROL = Person("carol.eth")


class Lines(logging.Handler):
    """Adds up the metrics that are written."""

    def __init__(self) -> None:
        super().__init__()
        self.sums: Counter[str] = Counter()

    def emit(self, record: logging.LogRecord) -> None:
        fields: dict[str, Any] = record.__dict__["fields"]
        for metric in fields["_aws"]["CloudWatchMetrics"][0]["Metrics"]:
            place = f" {fields['Provider']}" if "Provider" in fields else ""
            self.sums[metric["Name"] + place] += fields[metric["Name"]]


@dataclass
class Story:
    """The relay at `house`, the providers it asks, and a clock that only the story moves."""

    chain: Chain
    first: ChainProxy
    second: ChainProxy
    house: House
    clock: HandClock
    lines: Lines = field(default_factory=Lines)

    def __post_init__(self) -> None:
        log = logging.getLogger("tests.outage")
        log.setLevel(logging.INFO)
        log.propagate = False
        log.handlers = [self.lines]
        self.metrics = Metrics("relay", self.clock.now_ms, log=log)
        self.transports = [HttpTransport(proxy.url) for proxy in (self.first, self.second)]
        self.providers = Providers(
            self.transports,
            clock_ms=self.clock.now_ms,
            monotonic_s=lambda: self.clock.now_ms() / 1_000,
            policy=ProviderPolicy(
                circuit=CircuitPolicy(failures=3, pause_s=PAUSE_S, longest_pause_s=LONGEST_PAUSE_S),
                head=HeadPolicy(max_lag_s=120, chain_id=self.chain.chain_id),
            ),
            count=self.metrics,
        )
        self.world = self.house.world
        self.world.clock = self.clock
        self.start_process()

    def start_process(self) -> None:
        """A new process of the relay over the same tables; its circuits are the story's."""
        world, chance = self.world, self.world.chance
        vault = Vault(SECRETS.index_key, SECRETS.storage_key, chance)
        policy = CachePolicy(positive_ms=LIFETIME_S * 1_000, stale_ms=STALE_S * 1_000)
        directory = ens_directory(
            self.providers, world.store.names, vault, self.clock, policy=policy, count=self.metrics
        )
        world.relay = compose(
            settings=RelaySettings(RELAY_NAME),
            keys=RELAY_KEYS,
            secrets=SECRETS,
            stores=world.store,
            directory=directory,
            clock=self.clock,
            chance=chance,
        )

    def publish(self, person: Person) -> None:
        """The person's profile, on the chain."""
        record = data_uri(person.signed_profile.to_json())
        self.chain.register(person.name, address=person.address, texts={USER_PROFILE_RECORD: record})

    def pass_s(self, seconds: float) -> None:
        """Time passes, for the relay and for the chain."""
        self.clock.pass_s(seconds)
        node = HttpTransport(self.chain.rpc_url)
        node.request([RpcCall("evm_mine", (self.clock.now_s,))])
        node.close()

    def submit(self, sender: Person) -> Heard:
        return self.house.rpc("dm3_submitMessage", [self.world.letter(sender)], id=1)

    @property
    def requests(self) -> tuple[int, int]:
        return self.first.requests, self.second.requests

    def providers_are(self, first: Manner, second: Manner) -> None:
        self.first.manner, self.second.manner = first, second

    def tell(self, step: str, *heard: tuple[str, Heard]) -> None:
        """Prints a step, what was answered, what the proxies saw, and the metrics so far."""
        self.metrics.flush()
        told = "; ".join(f"{who}: HTTP {one.status} {_outcome(one)}" for who, one in heard)
        print(f"\n{step}\n    {told}\n    requests at the proxies: {self.requests}")  # noqa: T201
        print("    metrics: " + ", ".join(f"{name} {count}" for name, count in self.lines.sums.items()))  # noqa: T201


def _outcome(heard: Heard) -> str:
    error = heard.json.get("error")
    return "accepted" if error is None else f"{error['code']} {error['message']}"


def accepted(heard: Heard) -> bool:
    return heard.status == 200 and "result" in heard.json


def refused_for_now(heard: Heard) -> bool:
    """-32002, HTTP 503, and a word about when to try again."""
    error = heard.json["error"]
    return (
        (heard.status, error["code"]) == (503, -32002)
        and "try again" in error["message"]
        and int(heard.headers["Retry-After"]) > 0
    )


@contextmanager
def _open() -> Iterator[Story]:
    clock = HandClock(time.time_ns() // 1_000_000)
    with (
        start_chain(accounts=2) as chain,
        chain_proxy(chain.rpc_url) as first,
        chain_proxy(chain.rpc_url) as second,
        open_house(World(clock=clock)) as house,
    ):
        story = Story(chain, first, second, house, clock)
        for person in (ALICE, BOB, MALLORY):
            story.publish(person)
        yield story
        for transport in story.transports:
            transport.close()


def test_all_providers_die_and_come_back() -> None:
    with _open() as story:
        story.world.register(BOB)

        one = story.submit(ALICE)
        story.tell("1. All is well.", ("alice", one))
        assert accepted(one)
        assert story.requests == (2, 0), "Bob when he registered, and Alice now"

        story.providers_are(Manner.DEAD, Manner.WELL)
        story.pass_s(LIFETIME_S)
        two = story.submit(ALICE)
        story.tell("2. The first provider dies: the next one is asked.", ("alice", two))
        assert accepted(two)
        assert story.requests == (4, 2), "for Alice, and for whether Bob still lists this relay"

        story.providers_are(Manner.DEAD, Manner.DEAD)
        story.pass_s(LIFETIME_S)
        three = story.submit(ALICE), story.submit(MALLORY)
        story.tell("3. All die.", ("alice, known", three[0]), ("mallory, unknown", three[1]))
        assert accepted(three[0]), "from memory, past its lifetime"
        assert refused_for_now(three[1])
        again = [story.submit(MALLORY) for _ in range(3)]
        assert all(refused_for_now(heard) for heard in again)
        before = story.requests
        for _ in range(5):
            assert refused_for_now(story.submit(MALLORY))
            assert accepted(story.submit(ALICE))
        rotated = ALICE.with_new_keys()
        story.publish(rotated)
        misfit = story.submit(rotated)
        story.tell("   The circuits are open: nobody is asked any more.", ("alice with a new key", misfit))
        assert refused_for_now(misfit), "nobody can say that it is not hers"
        assert story.requests == before
        assert story.lines.sums["CircuitOpened 1"] == story.lines.sums["CircuitOpened 2"] == 1
        assert story.lines.sums["NamesPastLifetime"] > 5
        assert story.lines.sums["ChainUnavailable"] > 5

        story.start_process()
        fresh = story.submit(ALICE)
        story.tell("   Another process starts: it finds the answer in the table.", ("alice", fresh))
        assert accepted(fresh)

        story.pass_s(STALE_S)
        four = story.submit(ALICE), story.submit(MALLORY)
        story.tell("4. Past the bound.", ("alice, known", four[0]), ("mallory, unknown", four[1]))
        assert refused_for_now(four[0])
        assert refused_for_now(four[1])

        story.providers_are(Manner.WELL, Manner.WELL)
        story.pass_s(LONGEST_PAUSE_S)
        before = story.requests
        five = story.submit(rotated), story.submit(MALLORY)
        story.tell(
            "5. They come back: one trial closes the circuit, and everybody is served.",
            ("alice with the key she has changed to meanwhile", five[0]),
            ("mallory", five[1]),
        )
        assert all(accepted(heard) for heard in five)
        assert story.requests == (before[0] + 3, before[1]), "two senders, and Bob whose name is due again"
        assert story.lines.sums["CircuitClosed 1"] == 1

        old = story.submit(ALICE)
        nobody = story.submit(CAROL)
        story.tell("   And refusals are final again.", ("alice's old key", old), ("carol, nobody", nobody))
        assert [heard.json["error"]["code"] for heard in (old, nobody)] == [-32003, -32003]
        assert len(story.world.store.inbox._items) == 1
