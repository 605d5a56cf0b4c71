"""The directory on a real node: the requests it takes, and an outage from beginning to end."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.names.cache import CachePolicy
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.http_transport import HttpTransport
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.profile import DELIVERY_SERVICE_RECORD, USER_PROFILE_RECORD
from infra.local.chain import Chain, start_chain
from tests.unit.names.people import SERVICE, Person, data_uri

ALICE, MALLORY = Person(1), Person(5)
POLICY = CachePolicy(positive_ms=1_000, negative_ms=100, stale_ms=5_000, retry_ms=10)

pytestmark = pytest.mark.chain


class Clock:
    now_ms = 1_700_000_000_000

    def __call__(self) -> int:
        return self.now_ms


@pytest.fixture
def chain() -> Iterator[Chain]:
    with start_chain(accounts=2) as running:
        alice = {USER_PROFILE_RECORD: ALICE.signed_record()}
        running.register("alice.eth", ALICE.address, texts=alice)
        evil = {USER_PROFILE_RECORD: MALLORY.signed_record()}
        running.register("evil.eth", MALLORY.address, address=ALICE.address, texts=evil)
        running.register("relay.eth", texts={DELIVERY_SERVICE_RECORD: data_uri(SERVICE)})
        yield running


@pytest.fixture
def transport(chain: Chain) -> Iterator[HttpTransport]:
    transport = HttpTransport(chain.rpc_url, timeout_s=2)
    yield transport
    transport.close()


def test_requests_of_cold_warm_and_fresh_lookups(transport: HttpTransport) -> None:
    clock = Clock()
    directory = EnsDirectory(transport, clock_ms=clock, policy=POLICY)
    taken = []
    for pause_ms, fresh in ((0, False), (0, False), (0, True), (POLICY.fresh_interval_ms, True), (0, True)):
        clock.now_ms += pause_ms
        assert directory.lookup("alice.eth", fresh=fresh).signed is not None
        taken.append(transport.requests)
    assert taken == [1, 1, 1, 2, 2]
    for _ in range(2):
        assert directory.lookup("nobody.eth").address is None
        assert transport.requests == 3
    for _ in range(2):
        service = directory.delivery_service("relay.eth")
        assert service is not None
        assert service.url == SERVICE["url"]
        assert transport.requests == 4


def test_a_foreign_name_at_alice_s_address_proves_nothing(transport: HttpTransport) -> None:
    found = EnsDirectory(transport, clock_ms=Clock()).lookup("evil.eth")
    assert found.address == ALICE.address
    assert found.profile == MALLORY.profile
    assert found.signed is None


def test_a_new_record_is_seen(chain: Chain, transport: HttpTransport) -> None:
    clock = Clock()
    directory = EnsDirectory(transport, clock_ms=clock, policy=POLICY)
    assert directory.lookup("alice.eth").profile == ALICE.profile
    chain.set_text("alice.eth", USER_PROFILE_RECORD, Person(9).bare_record())
    assert directory.lookup("alice.eth").profile == ALICE.profile
    clock.now_ms += POLICY.positive_ms
    assert directory.lookup("alice.eth").profile == Person(9).profile


def test_an_outage(chain: Chain, transport: HttpTransport) -> None:
    clock = Clock()
    directory = EnsDirectory(transport, clock_ms=clock, policy=POLICY)
    directory.lookup("alice.eth")
    chain.stop()
    clock.now_ms += POLICY.positive_ms
    assert directory.lookup("alice.eth").signed is not None
    with pytest.raises(Unavailable):
        directory.lookup("nobody.eth")
    clock.now_ms += POLICY.stale_ms
    with pytest.raises(Unavailable):
        directory.lookup("alice.eth")


def test_a_chain_without_a_universal_resolver_is_no_directory(transport: HttpTransport) -> None:
    directory = EnsDirectory(transport, clock_ms=Clock(), universal_resolver="0x" + "11" * 20)
    with pytest.raises(Unavailable):
        directory.lookup("alice.eth")
