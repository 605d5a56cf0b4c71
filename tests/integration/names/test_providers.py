"""Providers over HTTP before a real node: each way in which one can fail, and what it costs."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.names.circuit import CircuitPolicy
from chalicelib.names.counting import Event
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.heads import HeadPolicy
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.ports import RpcCall
from chalicelib.names.providers import ProviderPolicy, Providers
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from infra.local.chain import Chain, start_chain
from tests.support.chain_proxy import ChainProxy, Manner, chain_proxy
from tests.unit.names.people import Person

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("providers")]

ALICE = Person(1)
TIMEOUT_S, TOTAL_S, SLACK_S = 0.5, 1.2, 0.5
PAUSE_S = 0.3
LAG_S = 600


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain(accounts=2) as running:
        running.register(
            "alice.eth", address=ALICE.address, texts={USER_PROFILE_RECORD: ALICE.signed_record()}
        )
        yield running


@dataclass
class Stage:
    first: ChainProxy
    second: ChainProxy
    directory: EnsDirectory
    counted: Counter[str]

    def look_up(self) -> float:
        """Alice is found; how long it took."""
        began_s = time.monotonic()
        self.directory.invalidate("alice.eth")
        assert self.directory.lookup("alice.eth").address == ALICE.address
        return time.monotonic() - began_s


@pytest.fixture
def stage(chain: Chain) -> Iterator[Stage]:
    HttpTransport(chain.rpc_url).request([RpcCall("evm_mine")])
    counted: Counter[str] = Counter()
    with chain_proxy(chain.rpc_url) as first, chain_proxy(chain.rpc_url) as second:
        nodes = [HttpTransport(proxy.url) for proxy in (first, second)]
        providers = Providers(
            nodes,
            clock_ms=lambda: time.time_ns() // 1_000_000,
            policy=ProviderPolicy(
                timeout_s=TIMEOUT_S,
                total_s=TOTAL_S,
                circuit=CircuitPolicy(failures=2, pause_s=PAUSE_S),
                head=HeadPolicy(max_lag_s=LAG_S, interval_s=0.2, chain_id=chain.chain_id),
            ),
            count=lambda event, /, **dimensions: counted.update([" ".join((event, *dimensions.values()))]),
        )
        yield Stage(
            first, second, EnsDirectory(providers, clock_ms=lambda: time.time_ns() // 1_000_000), counted
        )
        for node in nodes:
            node.close()


def test_when_all_is_well_the_second_is_not_asked(stage: Stage) -> None:
    for _ in range(3):
        stage.look_up()
    assert (stage.first.requests, stage.second.requests) == (3, 0)
    assert stage.first.methods[0][-2:] == ("eth_getBlockByNumber", "eth_chainId")
    assert "eth_chainId" not in stage.first.methods[1]


FAILURES = {
    Manner.DEAD: Event.FAILED,
    Manner.HANGS: Event.SLOW,
    Manner.DRIPS: Event.SLOW,
    Manner.HTTP_500: Event.FAILED,
    Manner.HTTP_429: Event.LIMITED,
    Manner.GARBAGE: Event.FAILED,
    Manner.LIMITED: Event.LIMITED,
    Manner.INTERNAL: Event.REFUSED,
    Manner.LAGS: Event.STALE,
    Manner.NO_HEAD: Event.FAILED,
    Manner.OTHER_CHAIN: Event.WRONG_CHAIN,
}


@pytest.mark.parametrize(("manner", "event"), FAILURES.items(), ids=str)
def test_a_bad_provider_is_passed_over_in_time_and_found_again_when_it_is_well(
    stage: Stage, manner: Manner, event: Event
) -> None:
    stage.first.manner = manner
    longest_s = max(stage.look_up() for _ in range(3))
    assert longest_s < TIMEOUT_S + SLACK_S
    assert stage.counted[f"{event} 1"] >= 1
    assert stage.counted["CircuitOpened 1"] == 1
    assert stage.first.requests == (1 if event in {Event.STALE, Event.WRONG_CHAIN} else 2)
    assert stage.second.requests == 3
    stage.first.manner = Manner.WELL
    time.sleep(PAUSE_S)
    stage.look_up()
    assert (stage.counted["CircuitClosed 1"], stage.second.requests) == (1, 3)


def test_a_provider_that_lies_about_the_future_makes_no_other_look_stale(stage: Stage) -> None:
    stage.first.manner = Manner.FUTURE
    stage.look_up()
    stage.first.manner = Manner.DEAD
    for _ in range(3):
        stage.look_up()
    assert "ProviderStale 2" not in stage.counted


@pytest.mark.parametrize("manner", list(FAILURES), ids=str)
def test_when_all_are_bad_it_is_told_in_time(stage: Stage, manner: Manner) -> None:
    stage.first.manner = stage.second.manner = manner
    began_s = time.monotonic()
    with pytest.raises(Unavailable):
        stage.directory.lookup("alice.eth")
    assert time.monotonic() - began_s < TOTAL_S + SLACK_S
    assert stage.counted["ChainUnavailable"] == 1


def test_while_all_circuits_are_open_nothing_is_sent(stage: Stage) -> None:
    stage.first.manner = stage.second.manner = Manner.DEAD
    for _ in range(20):
        with pytest.raises(Unavailable):
            stage.directory.lookup("alice.eth")
    assert (stage.first.requests, stage.second.requests) == (2, 2)
