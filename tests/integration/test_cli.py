"""The command line against a whole relay on this machine: chain, AWS and gateway, over real sockets."""

from __future__ import annotations

import json
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from chalicelib.cli.main import dm3
from chalicelib.cli.publish import publish_text
from chalicelib.client import Dm3Client, Identity, Wallet, key_file
from chalicelib.client.key_file import Cost
from chalicelib.protocol.errors import Forbidden, NotFound, Unavailable
from chalicelib.relay.vault import Vault
from infra.local.serve import LocalRelay, start_local
from tests.support.ports import free_port, is_open

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("client-relay")]

COMMAND = str(Path(sys.executable).with_name("dm3"))
READY_WITHIN_S = 120

Run = Callable[..., Result]


@pytest.fixture(scope="module")
def relay() -> Iterator[LocalRelay]:
    with start_local() as running:
        yield running


@pytest.fixture
def person(relay: LocalRelay, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, int], Run]:
    """Makes people: a name on the chain, and `dm3` with their key file and their wallet."""
    # A test need not take as long as an attacker.
    monkeypatch.setattr(key_file, "Cost", lambda *settings: Cost(*(settings or (1, 8_192))))

    def make(name: str, account: int) -> Run:
        relay.chain.register(name, account)
        environment = {
            "DM3_RPC_URL": relay.rpc_url,
            "DM3_PASSPHRASE": "correct horse",
            "DM3_KEY_FILE": str(tmp_path / f"{name}.json"),
            "DM3_WALLET_KEY": relay.accounts[account][1],
        }

        def run(*words: str) -> Result:
            return CliRunner().invoke(dm3, list(words), env=environment, prog_name="dm3")

        return run

    return make


def done(result: Result) -> Any:  # noqa: ANN401 - whatever the command prints
    assert result.exit_code == 0, result.output
    return json.loads(result.stdout)


def test_two_people_write_to_each_other(relay: LocalRelay, person: Callable[[str, int], Run]) -> None:
    alice, bob = person("alice-cli.eth", 1), person("bob-cli.eth", 2)
    for run, name in ((alice, "alice-cli.eth"), (bob, "bob-cli.eth")):
        done(run("keys", "create", name, "--delivery-service", relay.relay_name, "--json"))
        published = done(run("profile", "publish", "--json"))
        assert published["registeredAt"] == [relay.relay_name]
        assert published["transaction"].startswith("0x")
    shown = done(alice("profile", "show", "bob-cli.eth", "--json"))
    assert shown["walletSigned"] is True

    sent = done(alice("send", "bob-cli.eth", "Hello Bob", "--json"))
    assert sent["delivered"] is True
    (message,) = done(bob("inbox", "--json"))["messages"]
    assert (message["text"], message["sender"], message["verified"]) == ("Hello Bob", "alice-cli.eth", True)
    reply = ("--type", "reply", "--reference", message["messageHash"])
    done(bob("send", "alice-cli.eth", "Hello Alice", *reply, "--json"))
    (answer,) = done(alice("inbox", "--json"))["messages"]
    assert (answer["text"], answer["reference"]) == ("Hello Alice", sent["messageHash"])
    assert done(bob("ack", message["id"], "--json")) == {"acknowledged": 1}
    assert done(bob("inbox", "--json"))["messages"] == []


def test_a_receiver_sets_rules_and_a_sender_is_told_before_sending(
    relay: LocalRelay, person: Callable[[str, int], Run]
) -> None:
    erin, frank = person("erin-cli.eth", 9), person("frank-cli.eth", 2)
    for run, name in ((erin, "erin-cli.eth"), (frank, "frank-cli.eth")):
        done(run("keys", "create", name, "--delivery-service", relay.relay_name, "--json"))
        done(run("profile", "publish", "--json"))
    assert frank("rules", "set", "--min-nonce", "500", "--first-contact", "1").exit_code == 0
    assert erin("rules", "check", "frank-cli.eth").exit_code == 4
    told = erin("send", "frank-cli.eth", "too early")
    assert told.exit_code == 1
    assert "at least 500 transactions" in told.output
    assert erin("send", "frank-cli.eth", "too early", "--anyway").exit_code == 1, "nor does the relay take it"
    assert frank("rules", "allow", "*.erin-cli.eth", "erin-cli.eth").exit_code == 0
    done(erin("send", "frank-cli.eth", "allowed", "--anyway", "--json"))
    assert frank("rules", "clear").exit_code == 0
    done(erin("send", "frank-cli.eth", "anybody", "--json"))
    texts = [message["text"] for message in done(frank("inbox", "--json"))["messages"]]
    assert texts == ["allowed", "anybody"]


def test_an_operator_blocks_a_sender_at_once(
    relay: LocalRelay, person: Callable[[str, int], Run], tmp_path: Path
) -> None:
    spam, bob = person("spam-cli.eth", 5), person("target-cli.eth", 6)
    for run, name in ((spam, "spam-cli.eth"), (bob, "target-cli.eth")):
        done(run("keys", "create", name, "--delivery-service", relay.relay_name, "--json"))
        done(run("profile", "publish", "--json"))
    done(spam("send", "target-cli.eth", "one", "--json"))
    environment = {"DM3_RELAY_URL": relay.url, "DM3_OPERATOR_TOKEN": relay.operator_token}

    def operate(document: object) -> Result:
        (tmp_path / "rules.json").write_text(json.dumps(document))
        words = ["operator", "rules", "set", str(tmp_path / "rules.json"), "--json"]
        return CliRunner().invoke(dm3, words, env=environment)

    assert done(operate({"block": ["spam-cli.eth"]})) == {"block": ["spam-cli.eth"], "limits": {}}
    assert spam("send", "target-cli.eth", "two").exit_code == 1
    assert done(operate({})) == {"block": [], "limits": {}}
    done(spam("send", "target-cli.eth", "three", "--json"))


def test_a_message_waits_on_disk_for_its_receiver(
    relay: LocalRelay, person: Callable[[str, int], Run]
) -> None:
    early, late = person("early-cli.eth", 3), person("late-cli.eth", 4)
    done(early("keys", "create", "early-cli.eth", "--delivery-service", relay.relay_name, "--json"))
    done(early("profile", "publish", "--json"))
    assert early("send", "late-cli.eth", "Welcome").exit_code == 3
    done(late("keys", "create", "late-cli.eth", "--delivery-service", relay.relay_name, "--json"))
    done(late("profile", "publish", "--json"))
    (outcome,) = done(early("outbox", "--send", "--json"))
    assert outcome["delivered"] is True
    (message,) = done(late("inbox", "--json"))["messages"]
    assert message["text"] == "Welcome"


def test_the_chain_refuses_whoever_does_not_own_the_name(relay: LocalRelay) -> None:
    relay.chain.register("owned-cli.eth", 5)
    stranger = Wallet.parse(relay.accounts[6][1])
    with pytest.raises(Forbidden):
        publish_text(relay.rpc_url, "owned-cli.eth", "k", "v", stranger)
    poor = Wallet.parse("11" * 32)
    relay.chain.register("poor-cli.eth", poor.address)
    with pytest.raises(Forbidden):
        publish_text(relay.rpc_url, "poor-cli.eth", "k", "v", poor)


def test_a_name_that_does_not_exist_cannot_be_written_to(relay: LocalRelay) -> None:
    with pytest.raises(NotFound):
        publish_text(relay.rpc_url, "nobody-cli.eth", "k", "v", Wallet.parse(relay.accounts[1][1]))


def test_a_node_that_is_down() -> None:
    with pytest.raises(Unavailable):
        publish_text(f"http://127.0.0.1:{free_port()}", "x.eth", "k", "v", Wallet.parse("11" * 32))


def test_the_sdk_in_ten_lines(relay: LocalRelay, person: Callable[[str, int], Run]) -> None:
    """What docs/sdk.md begins with, word for word."""
    person("carol.eth", 7)
    person("dave.eth", 8)
    text = Path("docs/sdk.md").read_text()
    code = text.split("```python\n", 1)[1].split("```", 1)[0]
    assert len([line for line in code.splitlines() if line.strip()]) <= 10
    for name, account in (("carol.eth", 7), ("dave.eth", 8)):
        wallet = Wallet.parse(relay.accounts[account][1])
        identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
        publish_text(relay.rpc_url, name, "network.dm3.profile", identity.profile_record(), wallet)
        Dm3Client.connect(identity, relay.rpc_url).register()
        if name == "dave.eth":
            dave = Dm3Client.connect(identity, relay.rpc_url)
    names: dict[str, Any] = {"rpc_url": relay.rpc_url, "wallet_key": relay.accounts[7][1]}
    exec(code, names)  # noqa: S102 - the documentation's own code
    (message,) = dave.inbox()
    assert message.verified
    assert message.sender == "carol.eth"


def test_dm3_local_speaks_first_by_its_contract_and_leaves_nothing(tmp_path: Path) -> None:
    port, rpc_port = free_port(), free_port()
    command = [COMMAND, "local", "--port", str(port), "--rpc-port", str(rpc_port), "--accounts", "2"]
    with (tmp_path / "errors").open("w") as errors:
        process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=errors, text=True)
    assert process.stdout is not None
    try:
        contract = json.loads(process.stdout.readline())
        assert contract["url"] == f"http://127.0.0.1:{port}"
        assert contract["rpc_url"] == f"http://127.0.0.1:{rpc_port}"
        assert {
            "ws_url",
            "ens_registry",
            "ens_resolver",
            "universal_resolver",
            "relay_name",
        } <= contract.keys()
        assert len(contract["accounts"]) == 2
        assert [person["name"] for person in contract["people"]] == ["alice.eth"]
        assert is_open(port)
        process.send_signal(signal.SIGINT)
        assert process.wait(timeout=30) == 0
    finally:
        process.kill()
        process.communicate()
    assert not is_open(port)
    assert not is_open(rpc_port)


def test_dm3_demo_proves_what_it_claims() -> None:
    run = subprocess.run(
        [COMMAND, "demo"], capture_output=True, text=True, check=False, timeout=READY_WITHIN_S
    )
    assert run.returncode == 0, run.stdout + run.stderr
    assert run.stderr == ""
    for claim in ("in none of the", "-32003", "the same receipt", "inbox is empty", "node is gone"):
        assert claim in run.stdout
    assert run.stdout.count("✔") >= 25
    assert "✘" not in run.stdout


def test_dm3_demo_notices_a_relay_that_stores_names_in_the_clear(monkeypatch: pytest.MonkeyPatch) -> None:
    """A demo that cannot fail shows nothing: here the relay's storage is not sealed."""
    monkeypatch.setattr(Vault, "seal", lambda _vault, plain, _context: plain)
    monkeypatch.setattr(Vault, "open", lambda _vault, sealed, _context: sealed)
    result = CliRunner().invoke(dm3, ["demo", "--json"])
    assert result.exit_code == 1
    story = json.loads(result.stdout)
    assert story["held"] is False
    assert story["reason"] == "Their names can be found in what the relay stores."


def test_dm3_demo_tells_programs_what_it_has_proven() -> None:
    result = CliRunner().invoke(dm3, ["demo", "--json"])
    assert result.exit_code == 0, result.output
    story = json.loads(result.stdout)
    assert story["held"] is True
    assert len({proof["step"] for proof in story["proofs"]}) == 10
