"""Profiles behind links and records off chain, read over real sockets by the whole directory."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from eth_abi.abi import decode, encode

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.cache import CachePolicy
from chalicelib.names.ccip_gateway import CcipGateway
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.links import LinkReader
from chalicelib.names.ports import RpcCall, RpcResult
from chalicelib.names.universal_resolver import UNIVERSAL_RESOLVER
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from tests.unit.names.people import Person
from tests.unit.names.simulated_chain import SimulatedChain, reverted, selector, several

ALICE = Person(1)
POLICY = CachePolicy(positive_ms=1_000, negative_ms=100, stale_ms=5_000)


class Site:
    """A web server on loopback with pages by path; `pages` may change, and `requests` is what was asked.

    What is no page, `answer` may know.
    """

    def __init__(self) -> None:
        self.pages: dict[str, bytes] = {}
        self.answer: Callable[[str], bytes | None] = lambda _: None
        self.requests: list[str] = []
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                site.requests.append(self.path)
                page = site.pages.get(self.path.partition("?")[0]) or site.answer(self.path)
                self.send_response(200 if page is not None else 503)
                self.end_headers()
                self.wfile.write(page or b"")

            def log_message(self, *_: object) -> None:
                """Tests are silent."""

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.01})
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}"

    def stop(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()


@pytest.fixture
def site() -> Iterator[Site]:
    site = Site()
    yield site
    site.stop()


class World:
    """A directory that may follow links to this machine, over a simulated chain."""

    def __init__(self, chain: SimulatedChain | OffChain) -> None:
        self.now_ms = 1_700_000_000_000
        fetcher = GuardedFetcher(allow_local=True)
        self.directory = EnsDirectory(
            chain,
            LinkReader(fetcher),
            clock_ms=lambda: self.now_ms,
            policy=POLICY,
            gateway=CcipGateway(fetcher),
        )


class OffChain:
    """A chain whose universal resolver sends everybody to a batch gateway, and takes what that says."""

    def __init__(self, gateway: str) -> None:
        self._gateway = gateway

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        return [self._answer(call) for call in calls]

    def _answer(self, call: RpcCall) -> RpcResult:
        transaction = call.params[0]
        assert isinstance(transaction, dict)
        data = bytes.fromhex(transaction["data"][2:])
        if data[:4] == b"back":
            answer, _ = decode(["bytes", "bytes"], data[4:])
            _, responses = decode(["bool[]", "bytes[]"], answer)
            return several(*responses)
        _, multicall = decode(["bytes", "bytes"], data[4:])
        assert multicall[:4] == selector("multicall(bytes[])")
        (questions,) = decode(["bytes[]"], multicall[4:])
        urls = [f"{self._gateway}/{{sender}}/{{data}}"]
        requests = [("0x" + "11" * 20, urls, question) for question in questions]
        query = selector("query((address,string[],bytes)[])") + encode(
            ["(address,string[],bytes)[]"], [requests]
        )
        return reverted(
            "OffchainLookup(address,string[],bytes,bytes4,bytes)",
            ["address", "string[]", "bytes", "bytes4", "bytes"],
            [UNIVERSAL_RESOLVER, ["x-batch-gateway:true"], query, b"back", b""],
        )


def test_a_linked_profile_is_read_once_and_outlives_its_server(site: Site) -> None:
    signed = ALICE.signed_json()
    link = f"{site.url}/profile?dm3Hash={sha256_canonical(signed)}"
    world = World(SimulatedChain({"alice.eth": ALICE.address}, {("alice.eth", USER_PROFILE_RECORD): link}))
    with pytest.raises(Unavailable):  # 503
        world.directory.lookup("alice.eth")
    world.now_ms += POLICY.retry_ms
    site.pages["/profile"] = json.dumps(signed).encode()
    assert world.directory.lookup("alice.eth").signed is not None
    site.pages.clear()
    world.now_ms += POLICY.positive_ms
    assert world.directory.lookup("alice.eth", fresh=True).signed is not None
    assert len(site.requests) == 2, "what was verified once is not asked for again"


def test_a_new_link_that_cannot_be_followed_leaves_the_known_profile_for_a_while(site: Site) -> None:
    signed = ALICE.signed_json()
    site.pages["/profile"] = json.dumps(signed).encode()
    chain = SimulatedChain({"alice.eth": ALICE.address})
    chain.texts["alice.eth", USER_PROFILE_RECORD] = f"{site.url}/profile?dm3Hash={sha256_canonical(signed)}"
    world = World(chain)
    assert world.directory.lookup("alice.eth").profile == ALICE.profile
    chain.texts["alice.eth", USER_PROFILE_RECORD] = f"{site.url}/gone?dm3Hash=0x{'00' * 32}"
    world.now_ms += POLICY.positive_ms
    assert world.directory.lookup("alice.eth").profile == ALICE.profile
    world.now_ms += POLICY.stale_ms + POLICY.positive_ms
    with pytest.raises(Unavailable):
        world.directory.lookup("alice.eth")


def test_a_link_to_another_content_is_no_profile(site: Site) -> None:
    site.pages["/profile"] = json.dumps(Person(5).signed_json()).encode()
    link = f"{site.url}/profile?dm3Hash={sha256_canonical(ALICE.signed_json())}"
    world = World(SimulatedChain({"alice.eth": ALICE.address}, {("alice.eth", USER_PROFILE_RECORD): link}))
    assert world.directory.lookup("alice.eth").profile is None


def test_records_off_chain_are_read_through_the_batch_gateway(site: Site) -> None:
    world = World(OffChain(site.url))
    with pytest.raises(Unavailable):  # 503 for both questions
        world.directory.lookup("alice.offchain.eth")
    world.now_ms += POLICY.retry_ms

    def answer(path: str) -> bytes:
        address = selector("addr(bytes32)").hex() in path
        record = (
            encode(["address"], [ALICE.address]) if address else encode(["string"], [ALICE.signed_record()])
        )
        return json.dumps({"data": "0x" + record.hex()}).encode()

    site.answer = answer
    found = world.directory.lookup("alice.offchain.eth")
    assert found.address == ALICE.address
    assert found.signed is not None
    assert all(path.startswith("/0x" + "11" * 20 + "/0x") for path in site.requests)
