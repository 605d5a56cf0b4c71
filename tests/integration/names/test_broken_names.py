"""Names whose resolvers or gateways are broken, slow or lie: what reading them gives, and in what time."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from ens import ENS  # type: ignore[import-untyped]  # ens has no types
from ens.exceptions import ResolverNotFound  # type: ignore[import-untyped]  # ens has no types
from web3 import Web3

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.ccip_gateway import CcipGateway as GatewayClient
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.universal_resolver import MAX_LOOKUPS, NameRecords, UniversalResolver
from chalicelib.protocol.errors import Unavailable
from infra.local.ccip_gateway import Behaviour, CcipGateway
from infra.local.chain import Chain, start_chain
from infra.local.faults import Fault

KEY = "network.dm3.profile"
NOTHING = NameRecords(None, None)
GATEWAY_DEADLINE_S = 0.5

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("name-kinds")]


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain(accounts=2) as running:
        yield running


@pytest.fixture
def gateway() -> Iterator[CcipGateway]:
    with CcipGateway() as running:
        yield running


@pytest.fixture
def transport(chain: Chain) -> Iterator[HttpTransport]:
    made = HttpTransport(chain.rpc_url)
    yield made
    made.close()


@pytest.fixture
def resolver(transport: HttpTransport) -> UniversalResolver:
    asker = GatewayClient(GuardedFetcher(allow_local=True), deadline_s=GATEWAY_DEADLINE_S)
    return UniversalResolver(transport, gateway=asker)


def _expected(fault: Fault, address: str) -> NameRecords:
    """What is to be found; for a lie, what it says, since only the signature in a profile can tell."""
    if fault is Fault.ANOTHER_NAME:
        return NameRecords(address, "somebody's")
    if fault in (Fault.ONLY_ADDRESS, Fault.HUGE_TEXT, Fault.BURNS_GAS_ON_TEXT):
        return NameRecords(address, None)
    if fault is Fault.ONLY_TEXT:
        return NameRecords(None, "somebody's")
    if fault is Fault.WRONG_TYPES:
        return NameRecords("0x" + "20".rjust(40, "0"), None)  # the first word of the encoded text
    return NOTHING


@pytest.mark.parametrize("fault", list(Fault), ids=lambda fault: fault.name)
def test_a_broken_resolver_takes_one_request_and_little_time(
    fault: Fault, chain: Chain, transport: HttpTransport, resolver: UniversalResolver
) -> None:
    victim = chain.accounts[1][0]
    chain.register_faulty("broken.eth", fault, address=victim, text="somebody's")
    started_s = time.monotonic()
    assert resolver.address_and_text("broken.eth", KEY) == _expected(fault, victim)
    assert time.monotonic() - started_s < 1
    assert transport.requests == 1
    # Neither is the next name read in another way: the resolver's fault is not the universal resolver's.
    resolver.address_and_text("resolver.eth", KEY)
    assert transport.requests == 2


@pytest.mark.parametrize(
    "fault",
    [Fault.REVERTS, Fault.REVERTS_SILENTLY, Fault.BURNS_GAS, Fault.ONLY_ADDRESS, Fault.FOREIGN_LOOKUP],
)
def test_web3_finds_the_same(fault: Fault, chain: Chain, resolver: UniversalResolver) -> None:
    ens = ENS.from_web3(Web3(Web3.HTTPProvider(chain.rpc_url)))
    chain.register_faulty("broken.eth", fault)
    with pytest.raises(ResolverNotFound):
        ens.get_text("broken.eth", KEY)
    assert resolver.address_and_text("broken.eth", KEY) == NameRecords(ens.address("broken.eth"), None)


def test_a_resolver_without_code(chain: Chain, transport: HttpTransport, resolver: UniversalResolver) -> None:
    chain.register_at("hollow.eth", "0x" + "12" * 20)
    assert resolver.address_and_text("hollow.eth", KEY) == NOTHING
    assert transport.requests == 1


@pytest.mark.parametrize("behaviour", list(Behaviour), ids=lambda behaviour: behaviour.name)
def test_a_gateway_that_misbehaves(
    behaviour: Behaviour, chain: Chain, gateway: CcipGateway, resolver: UniversalResolver
) -> None:
    chain.register_offchain("far.eth", [gateway.get_url], gateway.signer)
    gateway.set("far.eth", address=chain.accounts[1][0], texts={KEY: "from afar"})
    gateway.behaviour, gateway.delay_s = behaviour, 4 * GATEWAY_DEADLINE_S
    started_s = time.monotonic()
    if behaviour is Behaviour.HONEST:
        assert resolver.address_and_text("far.eth", KEY) == NameRecords(chain.accounts[1][0], "from afar")
    elif behaviour in (Behaviour.LYING, Behaviour.LATE):
        assert resolver.address_and_text("far.eth", KEY) == NOTHING
    else:
        with pytest.raises(Unavailable):
            resolver.address_and_text("far.eth", KEY)
    assert time.monotonic() - started_s < 3 * GATEWAY_DEADLINE_S


def test_lookups_end(chain: Chain, gateway: CcipGateway, resolver: UniversalResolver) -> None:
    gateway.set("far.eth", texts={KEY: "from afar"})
    chain.register_offchain("far.eth", [gateway.get_url], gateway.signer, lookups=MAX_LOOKUPS)
    assert resolver.address_and_text("far.eth", KEY) == NameRecords(None, "from afar")
    assert resolver.text("far.eth", KEY) == "from afar"
    chain.register_offchain("far.eth", [gateway.get_url], gateway.signer, lookups=MAX_LOOKUPS + 1)
    with pytest.raises(Unavailable):
        resolver.address_and_text("far.eth", KEY)
