"""The local chain against libraries that know ENS: what they find there is what is on the main network."""

from __future__ import annotations

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from ens import ENS  # type: ignore[import-untyped]  # ens has no types
from ens.abis import PUBLIC_RESOLVER_2_EXTENDED  # type: ignore[import-untyped]  # ens has no types
from ens.exceptions import ResolverNotFound  # type: ignore[import-untyped]  # ens has no types
from eth_abi.abi import decode, encode
from eth_account import Account
from web3 import Web3
from web3.contract.contract import ContractFunction
from web3.exceptions import ContractCustomError

from chalicelib.names.encoding import dns_encode, namehash
from chalicelib.names.http_transport import HttpTransport
from chalicelib.names.universal_resolver import NameRecords, UniversalResolver
from infra.local.chain import ENS_REGISTRY, Chain, ChainError, start_chain
from infra.local.contracts import artifacts
from infra.local.node import LocalNode, MissingNode, anvil_binary

ROOT = Path(__file__).resolve().parents[2]
RECORD = "network.dm3.profile"
STRANGER = "0x52908400098527886E0F7030069857D2E4169EE7"

pytestmark = pytest.mark.chain


@pytest.fixture(scope="module")
def chain() -> Iterator[Chain]:
    with start_chain(accounts=4) as running:
        running.register("alice.eth", 1, texts={RECORD: 'data:application/json,{"caf\u00e9":1}', "empty": ""})
        running.register("deep.down.eth", 2)
        yield running


@pytest.fixture(scope="module")
def web3(chain: Chain) -> Web3:
    return Web3(Web3.HTTPProvider(chain.rpc_url))


@pytest.fixture(scope="module")
def ens(web3: Web3) -> ENS:
    """web3's own ENS module, on the local chain."""
    return web3.ens


@pytest.fixture
def resolver(chain: Chain) -> Iterator[UniversalResolver]:
    transport = HttpTransport(chain.rpc_url)
    yield UniversalResolver(transport)
    transport.close()


def test_it_starts_in_less_than_three_seconds() -> None:
    started_s = time.monotonic()
    with start_chain(accounts=1) as chain:
        assert time.monotonic() - started_s < 3
        assert len(chain.accounts) == 1


def test_the_root_and_eth_belong_to_the_first_account(chain: Chain, web3: Web3, ens: ENS) -> None:
    assert ens.ens.caller.owner(bytes(32)) == chain.accounts[0][0]
    assert ens.owner("eth") == chain.accounts[0][0]
    assert web3.eth.chain_id == chain.chain_id == 31337


def test_the_accounts_are_rich_and_their_keys_are_theirs(chain: Chain, web3: Web3) -> None:
    assert len(chain.accounts) == 4
    for address, private_key in chain.accounts:
        assert Account.from_key(private_key).address == address
        assert web3.eth.get_balance(Web3.to_checksum_address(address)) > 10**18


@pytest.mark.parametrize(
    "name", ["alice.eth", "deep.down.eth", "down.eth", "nobody.eth", "under.alice.eth", "eth", "other"]
)
def test_our_client_and_web3_find_the_same(name: str, ens: ENS, resolver: UniversalResolver) -> None:
    try:
        text = ens.get_text(name, RECORD) or None
    except ResolverNotFound:
        text = None
    assert resolver.address_and_text(name, RECORD) == NameRecords(ens.address(name), text)


def test_what_was_registered_is_found(chain: Chain, resolver: UniversalResolver) -> None:
    found = resolver.address_and_text("alice.eth", RECORD)
    assert found == NameRecords(chain.accounts[1][0], 'data:application/json,{"caf\u00e9":1}')
    assert resolver.text("alice.eth", "empty") is None
    assert resolver.address_and_text("nobody.eth", RECORD) == NameRecords(None, None)


def test_one_name_takes_one_request(chain: Chain) -> None:
    transport = HttpTransport(chain.rpc_url)
    UniversalResolver(transport).address_and_text("alice.eth", RECORD)
    assert transport.requests == 1
    transport.close()


def test_a_long_text(chain: Chain, resolver: UniversalResolver) -> None:
    text = "\u00e9" * 10_000
    chain.set_text("alice.eth", "long", text)
    assert resolver.text("alice.eth", "long") == text


def test_a_name_given_to_a_stranger(chain: Chain, ens: ENS, resolver: UniversalResolver) -> None:
    chain.register("Stranger.eth", STRANGER, address=chain.accounts[3][0], texts={"a": "1"})
    assert ens.owner("stranger.eth") == STRANGER
    chain.set_text("stranger.eth", "a", "2")
    assert resolver.address_and_text("stranger.eth", "a") == NameRecords(chain.accounts[3][0], "2")
    chain.register("below.stranger.eth", 3, texts={"a": "3"})
    assert resolver.address_and_text("below.stranger.eth", "a") == NameRecords(chain.accounts[3][0], "3")
    assert ens.owner("below.stranger.eth") == chain.accounts[3][0]


def test_a_name_can_be_registered_again(chain: Chain, resolver: UniversalResolver) -> None:
    chain.register("twice.eth", 1)
    chain.register("twice.eth", 2, texts={"a": "1"})
    assert resolver.address_and_text("twice.eth", "a") == NameRecords(chain.accounts[2][0], "1")


def test_names_are_registered_with_plain_transactions(
    chain: Chain, web3: Web3, ens: ENS, resolver: UniversalResolver
) -> None:
    """As any script does it: the first account gives the name away, its new owner fills it in."""
    first, owner = chain.accounts[0][0], chain.accounts[1][0]
    node, label = namehash("scripted.eth"), bytes(Web3.keccak(text="scripted"))
    public_resolver = web3.eth.contract(address=ens.address("resolver.eth"), abi=PUBLIC_RESOLVER_2_EXTENDED)
    for sender, call in (
        (first, ens.ens.functions.setSubnodeOwner(namehash("eth"), label, owner)),
        (owner, ens.ens.functions.setResolver(node, chain.resolver)),
        (owner, public_resolver.get_function_by_signature("setAddr(bytes32,address)")(node, owner)),
        (owner, public_resolver.functions.setText(node, "a", "1")),
    ):
        _mine(web3, call, sender)
    assert resolver.address_and_text("scripted.eth", "a") == NameRecords(owner, "1")


def test_who_does_not_own_a_name_cannot_write_it(chain: Chain, ens: ENS) -> None:
    with pytest.raises(Exception, match="revert"):
        ens.ens.functions.setOwner(namehash("eth"), chain.accounts[1][0]).transact(
            {"from": Web3.to_checksum_address(chain.accounts[1][0])}
        )
    with pytest.raises(ChainError):
        chain.set_text("nobody-has-this.eth", "a", "1")


def _resolve(web3: Web3, chain: Chain, encoded: bytes, call: bytes) -> tuple[bytes, str]:
    data = Web3.keccak(text="resolve(bytes,bytes)")[:4] + encode(["bytes", "bytes"], [encoded, call])
    to = Web3.to_checksum_address(chain.universal_resolver)
    answer, resolver = decode(["bytes", "address"], web3.eth.call({"to": to, "data": data}))
    return answer, resolver


def test_the_universal_resolver_names_the_resolver(chain: Chain, web3: Web3, ens: ENS) -> None:
    call = Web3.keccak(text="addr(bytes32)")[:4] + namehash("alice.eth")
    answer, resolver = _resolve(web3, chain, dns_encode("alice.eth"), call)
    assert decode(["address"], answer) == (chain.accounts[1][0].lower(),)
    assert resolver == chain.resolver.lower()
    found = ens.resolver("alice.eth")
    assert found is not None
    assert found.address == chain.resolver


@pytest.mark.parametrize(
    ("encoded", "call", "error"),
    [
        pytest.param(dns_encode("nobody.eth"), b"1234", "ResolverNotFound(bytes)", id="no resolver"),
        pytest.param(
            dns_encode("below.alice.eth"), b"1234", "ResolverNotFound(bytes)", id="parent's resolver"
        ),
        pytest.param(dns_encode("no-code.eth"), b"1234", "ResolverNotContract(bytes,address)", id="no code"),
        pytest.param(
            dns_encode("alice.eth"), b"1234", "UnsupportedResolverProfile(bytes4)", id="unknown call"
        ),
        pytest.param(dns_encode("alice.eth"), b"", "UnsupportedResolverProfile(bytes4)", id="empty call"),
        pytest.param(dns_encode("broken.eth"), b"1234", "ResolverError(bytes)", id="resolver fails"),
        pytest.param(b"\x05alice", b"1234", "DNSDecodingFailed(bytes)", id="cut off"),
        pytest.param(b"\x05alice\x00\x00", b"1234", "DNSDecodingFailed(bytes)", id="goes on"),
        pytest.param(b"", b"1234", "DNSDecodingFailed(bytes)", id="empty"),
        pytest.param(b"\x00", b"1234", "ResolverNotFound(bytes)", id="root"),
    ],
)
def test_the_universal_resolver_fails_as_the_real_one(
    encoded: bytes, call: bytes, error: str, chain: Chain, web3: Web3, ens: ENS
) -> None:
    _point(web3, ens, chain, "no-code.eth", STRANGER)
    # PUSH1 1, PUSH0, MSTORE8, PUSH1 1, PUSH0, REVERT: fails with one byte.
    _point(web3, ens, chain, "broken.eth", _deploy(web3, "60015f5360015ffd"))
    with pytest.raises(ContractCustomError) as refusal:
        _resolve(web3, chain, encoded, call)
    assert str(refusal.value.data).startswith("0x" + Web3.keccak(text=error)[:4].hex())


def test_an_extended_resolver_answers_for_the_names_below(
    chain: Chain, web3: Web3, ens: ENS, resolver: UniversalResolver
) -> None:
    """ENSIP-10: it says yes to `supportsInterface`, and gives one fixed answer to `resolve(bytes,bytes)`."""
    text = encode(["string"], ["wild"])
    answer = encode(["bytes"], [text])
    # Call data of exactly 36 bytes is `supportsInterface`; anything else is `resolve`.
    size = f"60{len(answer):02x}"
    program = bytes.fromhex("36602414602c57" + size + "60375f39" + size + "5ff3")
    program = program.ljust(0x2C, b"\x00") + bytes.fromhex("5b60015f5260205ff3")
    program = program.ljust(0x37, b"\x00") + answer
    _point(web3, ens, chain, "wild.eth", _deploy(web3, program.hex()))
    assert resolver.text("anything.wild.eth", "key") == "wild"
    assert resolver.text("wild.eth", "key") == "wild"
    assert ens.get_text("anything.wild.eth", "key") == "wild"


def _deploy(web3: Web3, code: str) -> str:
    address = str(Account.create().address)
    web3.provider.make_request("anvil_setCode", [address, "0x" + code])  # type: ignore[arg-type]
    return address


def _point(web3: Web3, ens: ENS, chain: Chain, name: str, resolver: str) -> None:
    chain.register(name, 0)
    _mine(web3, ens.ens.functions.setResolver(namehash(name), resolver), chain.accounts[0][0])


def _mine(web3: Web3, call: ContractFunction, sender: str) -> None:
    """Sends `call` and waits: the node mines at once, but only after it has answered."""
    receipt = web3.eth.wait_for_transaction_receipt(
        call.transact({"from": Web3.to_checksum_address(sender)}), poll_latency=0.005
    )
    assert receipt["status"] == 1


def test_unmodified_ethers_resolves_names(chain: Chain) -> None:
    node = shutil.which("node")
    assert node is not None, "there is no node"
    script = f"""
        const {{ ethers }} = require("ethers");
        const network = {{ chainId: 31337, name: "local", ensAddress: {json.dumps(ENS_REGISTRY)} }};
        const provider = new ethers.providers.StaticJsonRpcProvider({json.dumps(chain.rpc_url)}, network);
        (async () => {{
            const resolver = await provider.getResolver("alice.eth");
            console.log(JSON.stringify([
                await provider.resolveName("alice.eth"),
                await resolver.getText({json.dumps(RECORD)}),
                await provider.resolveName("nobody.eth"),
            ]));
        }})();
    """
    run = subprocess.run(
        [node, "-e", script], cwd=ROOT / "tests" / "interop", capture_output=True, text=True, check=True
    )
    assert json.loads(run.stdout) == [chain.accounts[1][0], 'data:application/json,{"caf\u00e9":1}', None]


def _is_gone(rpc_url: str) -> bool:
    host, port = rpc_url.removeprefix("http://").split(":")
    with socket.socket() as probe:
        return probe.connect_ex((host, int(port))) != 0


def test_stopping_leaves_nothing_behind() -> None:
    chain = start_chain(accounts=1)
    assert not _is_gone(chain.rpc_url)
    chain.stop()
    assert _is_gone(chain.rpc_url)
    chain.stop()


def test_the_watching_process_ends_the_node_when_it_is_told_to_end() -> None:
    with start_chain(accounts=1) as chain:
        os.kill(chain.pid, signal.SIGTERM)
        _wait_until_gone(chain.rpc_url)


def test_the_node_does_not_outlive_a_parent_that_is_killed() -> None:
    program = (
        "import sys, time; from infra.local.chain import start_chain; chain = start_chain(accounts=1);"
        "print(chain.rpc_url, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen([sys.executable, "-c", program], cwd=ROOT, stdout=subprocess.PIPE, text=True)
    assert parent.stdout is not None
    with parent, parent.stdout:
        rpc_url = parent.stdout.readline().strip()
        assert not _is_gone(rpc_url)
        parent.kill()
    _wait_until_gone(rpc_url)


def _wait_until_gone(rpc_url: str) -> None:
    deadline_s = time.monotonic() + 5
    while not _is_gone(rpc_url):
        assert time.monotonic() < deadline_s, "the node is still there"
        time.sleep(0.02)


def test_a_port_that_is_taken_is_said_at_once() -> None:
    started_s = time.monotonic()
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        with pytest.raises(MissingNode, match="did not start"):
            LocalNode(port=taken.getsockname()[1])
    assert time.monotonic() - started_s < 5


def test_a_chosen_port_is_taken() -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    with start_chain(port=port, accounts=1) as chain:
        assert chain.rpc_url == f"http://127.0.0.1:{port}"


def test_without_the_npm_packages_the_cure_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with pytest.raises(MissingNode, match="make setup"):
        anvil_binary(tmp_path)
    monkeypatch.setattr(artifacts, "NODE_MODULES", tmp_path)
    with pytest.raises(MissingNode, match="make setup"):
        artifacts.registry_code()
