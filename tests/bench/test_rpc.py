"""How often one submit asks the node: HTTP requests, counted at a proxy in front of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import replace

import pytest
from moto import mock_aws

from chalicelib.names.heads import HeadPolicy
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.providers import ProviderPolicy, Providers
from chalicelib.protocol.errors import Spam
from chalicelib.protocol.json_types import JsonObject
from chalicelib.store.tables import PARTITION
from tests.faults.ground import BUCKET, ground_on
from tests.faults.wire import Wire
from tests.faults.world import Ground, World
from tests.support.chain_proxy import ChainProxy, chain_proxy

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("bench")]

DAY_S = 86_400


@pytest.fixture(scope="module")
def counted() -> Iterator[tuple[Ground, ChainProxy]]:
    """A ground whose way to the chain leads through a proxy that counts."""
    with mock_aws(), ground_on(None, Wire(), bare=False) as ground, chain_proxy(ground.rpc_url) as proxy:
        ground.s3.create_bucket(Bucket=BUCKET)
        transport = HttpTransport(proxy.url)
        providers = Providers(
            [transport],
            clock_ms=lambda: time.time_ns() // 1_000_000,
            policy=ProviderPolicy(head=HeadPolicy(max_lag_s=DAY_S, interval_s=0.0, chain_id=31_337)),
        )
        yield replace(ground, transport=providers), proxy
        transport.close()


def requests_of_a_submit(world: World, proxy: ChainProxy, what: str) -> int:
    before = proxy.requests
    world.submit(what)
    made = proxy.methods[before:]
    calls = "; ".join("+".join(methods) for methods in made) or "none"
    print(f"\nRPC requests of one submit, {what}: {len(made)} ({calls})")  # noqa: T201
    return len(made)


def test_what_a_submit_asks_of_the_node(counted: tuple[Ground, ChainProxy]) -> None:
    """Also with the head asked for every time: it comes in the same request."""
    ground, proxy = counted
    world = World(ground)
    assert requests_of_a_submit(world, proxy, "cold") <= 2
    assert requests_of_a_submit(world, proxy, "warm") == 0
    world.restart()
    assert requests_of_a_submit(world, proxy, "cold process, warm table") == 0


def test_three_rules_about_the_chain_cost_one_request(counted: tuple[Ground, ChainProxy]) -> None:
    """And while the answers are remembered, none: nonce, balance and a token that nobody has minted."""
    ground, proxy = counted
    world = World(ground)
    world.sign_in()
    account = world.account()
    world.submit("warm-up")
    rules: JsonObject = {
        "minNonce": 1,
        "minBalance": "1",
        "minTokenBalance": [{"address": "0x" + "11" * 20, "amount": "1"}],
    }
    world.relay.rules.replace(account, {"rules": rules})
    before = proxy.requests
    with pytest.raises(Spam):
        world.submit("three rules")
    calls = "; ".join("+".join(methods) for methods in proxy.methods[before:])
    print(f"\nRPC requests of one submit, warm, three chain rules: {proxy.requests - before} ({calls})")  # noqa: T201
    assert proxy.requests - before == 1
    with pytest.raises(Spam):
        world.submit("again")
    print(f"the same, again within seconds: {proxy.requests - before - 1}")  # noqa: T201
    assert proxy.requests - before == 1
    world.relay.rules.clear(account)


def test_sender_and_receiver_both_cold(counted: tuple[Ground, ChainProxy]) -> None:
    """Nothing says where Bob's name leads: he is reached under a name that nobody has registered."""
    ground, proxy = counted
    world = World(ground)
    ground.store().accounts.unlink_name(world.vault().index("name", ground.bob.name))
    world.relay = world.fresh_relay()
    remembered = world.vault().index("remembered", "user", ground.bob.name)
    ground.dynamodb.delete_item(TableName=ground.tables.names, Key={PARTITION: {"B": remembered}})
    assert requests_of_a_submit(world, proxy, "cold, and the receiver under a name without a link") == 2
