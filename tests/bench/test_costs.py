"""What one operation costs: requests to DynamoDB and S3, units consumed, round trips to the chain."""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

import pytest

from chalicelib.protocol.errors import Dm3Error
from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.store.meter import Meter
from tests.faults.ground import relay_keys
from tests.faults.wire import Wire
from tests.faults.world import SOURCE, Ground, World

pytestmark = [pytest.mark.dynalite, pytest.mark.chain, pytest.mark.xdist_group("bench")]

SHALLOW, DEEP = 10, 5_000
MANY = 50
ITEM_BYTES = 4_000
HOUR_MS, DAY_S = 3_600_000, 86_400


@dataclass(frozen=True, slots=True)
class Cost:
    """What left the process, and what DynamoDB would charge for it."""

    calls: tuple[str, ...]
    read_units: float
    write_units: float

    @property
    def to_aws(self) -> list[str]:
        return [call for call in self.calls if not call.startswith("chain")]

    @property
    def to_chain(self) -> list[str]:
        return [call for call in self.calls if call.startswith("chain")]

    def __str__(self) -> str:
        requests = ", ".join(f"{count} {name}" for name, count in Counter(self.to_aws).items()) or "none"
        return (
            f"{len(self.to_aws)} AWS requests ({requests}); {self.write_units:g} write units, "
            f"{self.read_units:g} read units; {len(self.to_chain)} chain round trips"
        )


@pytest.fixture(scope="module")
def meter(ground: Ground) -> Meter:
    attached = Meter()
    attached.attach(ground.dynamodb, capacity=True)
    return attached


@pytest.fixture
def cost(wire: Wire, meter: Meter) -> Callable[[str, Callable[[], object]], Cost]:
    def measure(what: str, operation: Callable[[], object]) -> Cost:
        meter.reset()
        with wire.recording() as calls:
            operation()
        spent = Cost(tuple(calls), meter.read_units, meter.write_units)
        print(f"\n{what}: {spent}")  # noqa: T201 - a bench prints what it measured
        return spent

    return measure


Measure = Callable[[str, Callable[[], object]], Cost]


def test_one_warm_submit(world: World, cost: Measure) -> None:
    """Three of the four quotas are counted by sampling: now and then one of them adds a write."""
    spent = cost("one submit, warm", lambda: world.submit("measured"))
    assert spent.to_chain == []
    assert len(spent.to_aws) <= 7


def test_many_warm_submits(world: World, cost: Measure) -> None:
    def submit() -> None:
        for number in range(MANY):
            world.submit(f"measured {number}")

    spent = cost(f"{MANY} submits, warm", submit)
    print(  # noqa: T201
        f"    each: {len(spent.to_aws) / MANY:.2f} AWS requests, {spent.write_units / MANY:.2f} write units, "
        f"{spent.read_units / MANY:.2f} read units"
    )
    assert spent.to_chain == []


def test_one_cold_submit_asks_the_chain_once_for_each_person_at_most(world: World, cost: Measure) -> None:
    world.restart()
    spent = cost("one submit, cold process", lambda: world.submit("measured"))
    assert len(spent.to_chain) <= 2


def test_one_page(world: World, cost: Measure) -> None:
    for number in range(SHALLOW):
        world.submit(f"message {number}")
    spent = cost(f"one page of {SHALLOW} messages", world.fetch)
    assert "dynamodb Query" in spent.to_aws
    assert spent.to_chain == []


@pytest.mark.parametrize(
    "garbage",
    ["not JSON", {}, {"message": "x", "metadata": {}}, None, []],
    ids=["no JSON", "empty", "no members", "null", "list"],
)
def test_garbage_costs_nothing(world: World, cost: Measure, garbage: object) -> None:
    def submit() -> None:
        with pytest.raises(Dm3Error):
            world.relay.admission.submit(garbage, source=SOURCE)  # type: ignore[arg-type]

    assert cost("one submit of garbage", submit).calls == ()


def test_an_envelope_for_another_service_costs_nothing(world: World, cost: Measure) -> None:
    """Its delivery information cannot be opened here."""
    sealed = world.ground.alice.seal_to(world.ground.bob, "elsewhere", relay_keys())

    def submit() -> None:
        with pytest.raises(Dm3Error):
            world.relay.admission.submit(sealed.to_json(), source=SOURCE)

    assert cost("one submit sealed for another service", submit).calls == ()


@pytest.mark.parametrize("by", ["id", "pair"])
def test_an_acknowledgement_costs_the_same_at_every_depth(world: World, cost: Measure, by: str) -> None:
    acknowledge = world.acknowledge if by == "id" else world.acknowledge_pairs
    world.submit("shallow")
    fill(world, SHALLOW - 1)
    message = world.first()
    shallow = cost(f"one acknowledgement by {by}, {SHALLOW} messages deep", lambda: acknowledge([message]))
    world.submit("deep")
    fill(world, DEEP - SHALLOW)
    message = world.first()
    deep = cost(f"one acknowledgement by {by}, {DEEP:,} messages deep", lambda: acknowledge([message]))
    assert shallow == deep


def fill(world: World, count: int) -> None:
    """Put items behind whatever is in Bob's inbox: as large as messages, although nobody can open them."""
    inbox, account = world.ground.store().inbox, world.account().key
    later_ms = world.clock.now_ms() + HOUR_MS
    with ThreadPoolExecutor(8) as pool:
        keys = [InboxKey(later_ms, secrets.token_bytes(16)) for _ in range(count)]
        items = [InboxItem(key, secrets.token_bytes(ITEM_BYTES), later_ms // 1_000 + DAY_S) for key in keys]
        list(pool.map(lambda item: inbox.put(account, item), items))
