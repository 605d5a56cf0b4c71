"""Every kind of name on the local chain, read by our code, by web3's ENS module and by the published client.

web3 asks no gateways on loopback, and those of a batch (ENSIP-21) it leaves to a server: here its check of
hosts is lifted, and the local gateway is that server. The published client (ethers v5) does not use the
Universal Resolver: it reads the registry and the resolvers by itself.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest
from ens import ENS  # type: ignore[import-untyped]  # ens has no types
from ens.exceptions import ResolverNotFound  # type: ignore[import-untyped]  # ens has no types
from web3 import Web3
from web3.exceptions import MultipleFailedRequests
from web3.utils import ccip_url_validation

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.ccip_gateway import CcipGateway as GatewayClient
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.normalize import normalize
from chalicelib.names.universal_resolver import NameRecords, UniversalResolver
from infra.local.ccip_gateway import Behaviour, CcipGateway
from infra.local.chain import Chain, start_chain
from tests.interop.reference import Reference, start_reference

RECORD = "network.dm3.profile"
OWNER, OTHER = 1, 2
NOBODY = "0x" + "00" * 20

pytestmark = [pytest.mark.chain, pytest.mark.npm, pytest.mark.xdist_group("name-kinds")]


@dataclass(frozen=True)
class Kind:
    """A name as somebody types it, whether it has an address and a text, and what reading both takes."""

    title: str
    name: str
    address: bool = True
    text: bool = True
    requests: int = 1


KINDS = [
    Kind("on chain", "alice.eth"),
    Kind("typed in capitals", "ALICE.eth"),
    Kind("subname with a resolver of its own", "sub.alice.eth"),
    Kind("wildcard, one level", "one.wild.eth"),
    Kind("wildcard, two levels", "two.one.wild.eth"),
    Kind("wildcard, the name itself", "wild.eth"),
    Kind("wildcard, a record of its own", "own.wild.eth"),
    Kind("CCIP-Read, GET", "get.eth", requests=2),
    Kind("CCIP-Read, POST", "post.eth", requests=2),
    Kind("CCIP-Read, wildcard below", "below.get.eth", requests=2),
    Kind("CCIP-Read, first gateway down", "spare.eth", requests=2),
    Kind("CCIP-Read, nested", "nested.eth", requests=3),
    Kind("CCIP-Read, name unknown there", "nobody.get.eth", address=False, text=False, requests=2),
    Kind("address, no profile", "plain.eth", text=False),
    Kind("registered, no resolver", "bare.eth", address=False, text=False),
    Kind("not registered", "nobody.eth", address=False, text=False),
    Kind("below a name that is no wildcard", "under.alice.eth", address=False, text=False),
    Kind("not ASCII", "B\u00fccher\u00c4pfel.eth"),
    Kind("another script", "\u0e2a\u0e27\u0e31\u0e2a\u0e14\u0e35.eth"),
    Kind("emoji", "\U0001f984\u2764\ufe0f.eth"),
    Kind("long label", "a" * 200 + ".eth"),
    Kind("DNS style", "mail.example.com"),
]
ON_CHAIN = ["alice.eth", "sub.alice.eth", *(kind.name for kind in KINDS[-5:])]


def _text(name: str) -> str:
    return f"data:application/json,{normalize(name)}"


@pytest.fixture(scope="module")
def gateway() -> Iterator[CcipGateway]:
    with CcipGateway() as running:
        yield running


@pytest.fixture(scope="module")
def chain(gateway: CcipGateway) -> Iterator[Chain]:
    with CcipGateway() as down, start_chain(accounts=3) as running:
        down.behaviour = Behaviour.BROKEN
        owner = running.accounts[OWNER][0]
        for name in ON_CHAIN:
            running.register(name, OWNER, texts={RECORD: _text(name)})
        running.register("plain.eth", OWNER)
        running.register_at("bare.eth", NOBODY)
        wildcard = running.register_wildcard("wild.eth")
        for name in ("wild.eth", "one.wild.eth", "two.one.wild.eth", "own.wild.eth"):
            running.write(wildcard, name, texts={RECORD: _text(name)})
        running.write(wildcard, "", address=owner)
        for name, urls, lookups in (
            ("get.eth", [gateway.get_url], 1),
            ("post.eth", [gateway.post_url], 1),
            ("spare.eth", [down.get_url, down.post_url, gateway.get_url], 1),
            ("nested.eth", [gateway.get_url], 2),
        ):
            running.register_offchain(name, urls, gateway.signer, lookups=lookups)
        for name in ("get.eth", "post.eth", "below.get.eth", "spare.eth", "nested.eth"):
            gateway.set(name, address=owner, texts={RECORD: _text(name)})
        running.set_batch_gateways([gateway.post_url])
        yield running


@pytest.fixture(scope="module")
def transport(chain: Chain) -> Iterator[HttpTransport]:
    made = HttpTransport(chain.rpc_url)
    yield made
    made.close()


@pytest.fixture(scope="module")
def resolver(transport: HttpTransport) -> UniversalResolver:
    return UniversalResolver(transport, gateway=GatewayClient(GuardedFetcher(allow_local=True)))


@pytest.fixture(scope="module")
def ens(chain: Chain) -> ENS:
    provider = Web3.HTTPProvider(chain.rpc_url)
    provider.ccip_read_allow_http = True
    return ENS.from_web3(Web3(provider))


@pytest.fixture
def loopback_for_web3(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ccip_url_validation, "BLOCKED_IP_NETWORKS", [])


@pytest.fixture(scope="module")
def reference(chain: Chain) -> Iterator[Reference]:
    with start_reference() as started:
        started.call("connect", rpc_url=chain.rpc_url, ens_registry=chain.registry)
        yield started


def _by_web3(ens: ENS, name: str) -> NameRecords:
    try:
        text = ens.get_text(name, RECORD) or None
    except ResolverNotFound:
        text = None
    return NameRecords(ens.address(name), text)


def _by_npm(reference: Reference, name: str) -> NameRecords:
    found = reference.call("readRecords", name=name, key=RECORD)
    return NameRecords(found["address"], found["text"])


def _cell(found: NameRecords) -> str:
    parts = [part for part, there in (("address", found.address), ("text", found.text)) if there]
    return " + ".join(parts) or "nothing"


def _row(*cells: str) -> str:
    widths = 36, 24, 17, 10, 17, 17, 0
    return "".join(cell.ljust(width) for cell, width in zip(cells, widths, strict=True))


def _shown(name: str) -> str:
    return name if len(name) <= 20 else f"{name[:6]}\u2026 ({len(name)})"


def test_every_kind_of_name_is_the_same_for_all(
    chain: Chain,
    transport: HttpTransport,
    resolver: UniversalResolver,
    ens: ENS,
    loopback_for_web3: None,
    reference: Reference,
    capsys: pytest.CaptureFixture[str],
) -> None:
    rows = []
    for kind in KINDS:
        before = transport.requests
        name = normalize(kind.name)
        ours = resolver.address_and_text(name, RECORD)
        took = transport.requests - before
        web3, npm = _by_web3(ens, kind.name), _by_npm(reference, kind.name)
        rows.append((kind, ours, took, web3, npm))
    with capsys.disabled():
        print("\n" + _row("kind of name", "name", "ours", "requests", "web3", "npm", "equal"))  # noqa: T201 - the table is what this is for
        for kind, ours, took, web3, npm in rows:
            equal = "yes" if ours == web3 == npm else "NO"
            cells = _shown(kind.name), _cell(ours), str(took), _cell(web3), _cell(npm), equal
            print(_row(kind.title, *cells))  # noqa: T201
    owner = chain.accounts[OWNER][0]
    for kind, ours, took, web3, npm in rows:
        expected = NameRecords(owner if kind.address else None, _text(kind.name) if kind.text else None)
        assert (kind.title, ours, took) == (kind.title, expected, kind.requests)
        assert (kind.title, web3, npm) == (kind.title, expected, expected)


def test_web3_itself_asks_no_gateway_on_loopback(chain: Chain, ens: ENS) -> None:
    with pytest.raises(MultipleFailedRequests):
        ens.address("get.eth")
