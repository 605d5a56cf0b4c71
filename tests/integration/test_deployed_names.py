"""What an operator sets reaches the relay that is deployed: names and holdings through `process.Wiring`."""

from __future__ import annotations

import json
import logging
import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Thread

import pytest

from chalicelib.api.logs import METRICS
from chalicelib.client.wallet import Wallet
from chalicelib.config import Keys, Settings
from chalicelib.process import Wiring
from chalicelib.protocol.crypto import encryption_key_pair, signing_key_pair
from chalicelib.protocol.errors import Spam, Unavailable
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import RelayKeys
from chalicelib.relay.values import Account
from infra.local.aws import LocalAws, local_aws
from infra.local.ccip_gateway import CcipGateway
from infra.local.chain import Chain, start_chain
from tests.faults.people import Person
from tests.support.chain_proxy import ChainProxy, chain_proxy

RELAY_NAME = "relay.eth"
SOURCE = "192.0.2.1"
PRIVATE: JsonObject = {"rule": "receiver"}

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("bench")]


@dataclass(frozen=True)
class Site:
    """A relay as it is deployed, on AWS in this process and a chain of its own; Bob has an account."""

    chain: Chain
    proxy: ChainProxy
    aws: LocalAws
    keys: Keys
    bob: Person

    def person(self, name: str, owner: int) -> Person:
        """Somebody with keys; nothing is published."""
        return Person.create(name, Wallet.parse(self.chain.accounts[owner][1]), RELAY_NAME)

    def process(self, **changed: str) -> Wiring:
        """A process of the relay, which remembers nothing yet; `changed` are settings of its own."""
        tables = self.aws.tables
        settings = Settings.read(
            {
                "DM3_RELAY_NAME": RELAY_NAME,
                "DM3_RPC_URLS": f"http://127.0.0.1:1,{self.proxy.url}",
                "DM3_UNIVERSAL_RESOLVER": self.chain.universal_resolver,
                "DM3_KEYS": self.keys.to_text(),
                "DM3_INBOX_TABLE": tables.inbox,
                "DM3_SUBMISSIONS_TABLE": tables.submissions,
                "DM3_ACCOUNTS_TABLE": tables.accounts,
                "DM3_COUNTERS_TABLE": tables.counters,
                "DM3_NAMES_TABLE": tables.names,
                "DM3_CONNECTIONS_TABLE": tables.connections,
                "DM3_DELIVERIES_TABLE": tables.deliveries,
                "DM3_BODIES_BUCKET": self.aws.bucket,
                "DM3_ALLOW_LOCAL_URLS": "true",
                "DM3_MAX_CHAIN_LAG_S": "0",
                "DM3_NAME_ALIASES": ".gno=.gnosis.eth",
                **changed,
            }
        )
        return Wiring(lambda: settings, clients=self.aws.clients)

    def submit(self, relay: Relay, sender: Person) -> None:
        keys = RelayKeys(encryption_key_pair(self.keys.encryption), signing_key_pair(self.keys.signing))
        relay.admission.submit(sender.seal_to(self.bob, "hello", keys).to_json(), source=SOURCE)

    def account(self, relay: Relay) -> Account:
        challenge = relay.sessions.challenge(self.bob.name)
        token = relay.sessions.sign_in(self.bob.name, challenge, self.bob.sign(challenge))
        return relay.sessions.authenticate(f"Bearer {token}", self.bob.name)


@contextmanager
def web_page(content: bytes) -> Iterator[str]:
    """The URL of a page on loopback."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            self.send_response(200)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/profile"
        server.shutdown()
        thread.join()


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    with (
        local_aws() as aws,
        start_chain(accounts=5) as chain,
        chain_proxy(chain.rpc_url) as proxy,
    ):
        bob = Person.create("bob.eth", Wallet.parse(chain.accounts[1][1]), RELAY_NAME)
        chain.register(bob.name, 1, texts={USER_PROFILE_RECORD: bob.record})
        site = Site(chain, proxy, aws, Keys.generate(secrets.token_bytes), bob)
        site.process().relay().accounts.register(bob.name, bob.signed_profile, source=SOURCE)
        yield site


@pytest.fixture
def relay(site: Site) -> Iterator[Relay]:
    """A process of its own for each test; Bob has no rules."""
    relay = site.process().relay()
    yield relay
    relay.rules.clear(site.account(relay))


def test_a_sender_behind_an_alias_is_on_lists_under_every_spelling(site: Site, relay: Relay) -> None:
    behind, plain = site.person("alice.gno", 2), site.person("alice.gnosis.eth", 2)
    site.chain.register(plain.name, 2, texts={USER_PROFILE_RECORD: plain.record})
    site.submit(relay, behind)
    site.submit(relay, plain)
    account = site.account(relay)
    for entry in ("alice.gno", "*.gno", "alice.gnosis.eth", "*.gnosis.eth"):
        relay.rules.replace(account, {"block": [entry]})
        for sender in (behind, plain):
            with pytest.raises(Spam) as refused:
                site.submit(relay, sender)
            assert refused.value.data == PRIVATE


def test_a_sender_whose_records_are_off_chain_behind_several_gateways_and_lookups(
    site: Site, relay: Relay
) -> None:
    with CcipGateway() as broken, CcipGateway() as gateway:
        dead, sender = broken.get_url, site.person("carol.far.eth", 3)
        broken.stop()
        site.chain.register_offchain("far.eth", [dead, gateway.post_url], gateway.signer, lookups=2)
        gateway.set(sender.name, address=sender.identity.address, texts={USER_PROFILE_RECORD: sender.record})
        site.submit(relay, sender)
        assert gateway.requests >= 2


def test_a_sender_whose_profile_is_behind_a_link(site: Site, relay: Relay) -> None:
    sender = site.person("lena.eth", 4)
    with web_page(json.dumps(sender.signed_profile).encode()) as url:
        link = f"{url}?dm3Hash={sha256_canonical(sender.signed_profile)}"
        site.chain.register(sender.name, 4, texts={USER_PROFILE_RECORD: link})
        site.submit(relay, sender)


def test_what_one_process_read_serves_the_next_while_the_chain_is_away(site: Site) -> None:
    sender = site.person("dora.eth", 4)
    site.chain.register(sender.name, 4, texts={USER_PROFILE_RECORD: sender.record})
    site.submit(site.process().relay(), sender)
    before = site.proxy.requests
    site.submit(site.process().relay(), sender)
    assert site.proxy.requests == before
    site.submit(site.process(DM3_NAMES_LIFETIME_S="0").relay(), sender)
    assert site.proxy.requests > before, "the operator's lifetime decides"


def test_a_node_of_another_chain_than_the_operator_s_is_not_believed(site: Site) -> None:
    sender = site.person("gwen.eth", 4)
    site.chain.register(sender.name, 4, texts={USER_PROFILE_RECORD: sender.record})
    with pytest.raises(Unavailable):
        site.submit(site.process(DM3_CHAIN_ID="1").relay(), sender)
    site.submit(site.process(DM3_CHAIN_ID=str(site.chain.chain_id)).relay(), sender)


def test_what_happens_on_the_way_to_the_chain_is_written_for_the_operator(
    site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    sender = site.person("erin.eth", 4)
    site.chain.register(sender.name, 4, texts={USER_PROFILE_RECORD: sender.record})
    wiring = site.process()
    site.submit(wiring.relay(), sender)
    with caplog.at_level(logging.INFO, logger=METRICS.name):
        wiring.metrics.flush()
    counted = json.dumps([record.__dict__["fields"] for record in caplog.records])
    assert '"Provider": "1"' in counted, "the broken one is the first"
    assert all(event in counted for event in ("ProviderFailed", "NamesFromChain"))
    assert "erin" not in counted


def test_a_token_of_erc_1155_opens_the_gate(site: Site, relay: Relay) -> None:
    sender = site.person("finn.eth", 3)
    site.chain.register(sender.name, 3, texts={USER_PROFILE_RECORD: sender.record})
    token = site.chain.tokens.erc1155()
    rule: JsonObject = {"address": token, "standard": "erc1155", "id": "7"}
    relay.rules.replace(site.account(relay), {"rules": {"minTokenBalance": [rule], "minNonce": 0}})
    with pytest.raises(Spam) as refused:
        site.submit(relay, sender)
    assert refused.value.data == {"rule": "minTokenBalance", "required": "1", **rule}
    site.chain.tokens.mint_erc1155(token, sender.identity.address, 7, 1)
    before = site.proxy.requests
    with pytest.raises(Spam):
        site.submit(relay, sender)
    assert site.proxy.requests == before, "remembered for seconds"
    site.submit(site.process().relay(), sender)
