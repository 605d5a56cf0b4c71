from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.cli import publish as publishing
from chalicelib.cli.commands import profile
from chalicelib.client import Dm3Client
from chalicelib.client.key_file import StoredKeys, save_keys
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from tests.unit.cli.conftest import CHEAP, PASSPHRASE, Run, as_json, use_keys
from tests.unit.client.world import RELAY, SECOND, SeededChance, World, down, wallet_of


@pytest.fixture
def chain(world: World, monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, str]]:
    """The names and records that were written to the chain, which is the directory of the world."""
    written: list[tuple[str, str]] = []

    def publish_text(_rpc_url: str, name: str, key: str, value: str, wallet: object) -> str:
        assert key == USER_PROFILE_RECORD
        assert wallet == wallet_of(name)
        written.append((name, value))
        world.directory.add(name, wallet_of(name).address, value)
        return "0xabc"

    monkeypatch.setattr(publishing, "publish_text", publish_text)
    monkeypatch.setattr(profile, "ens_directory", lambda *_args, **_settings: world.directory)
    return written


@pytest.fixture
def carol(home: Path, world: World) -> StoredKeys:
    """Keys of somebody with a name, but neither record nor account."""
    keys = StoredKeys(world.identity("carol.eth"), None)
    world.directory.add("carol.eth", keys.identity.address)
    save_keys(home / "keys.json", keys, PASSPHRASE, SeededChance(), cost=CHEAP)
    return keys


def test_publishing_writes_the_record_and_opens_the_account(
    run: Run, world: World, chain: list[tuple[str, str]], carol: StoredKeys
) -> None:
    result = run("profile", "publish", env={"DM3_WALLET_KEY": wallet_of("carol.eth").private_key})
    assert result.exit_code == 0, result.output
    assert "transaction 0xabc" in result.stdout
    assert "Account opened at: relay.eth" in result.stdout
    assert chain == [("carol.eth", carol.identity.profile_record())]
    assert world.client(carol.identity).fetch().messages == ()


def test_the_wallet_may_be_in_the_key_file(
    run: Run, chain: list[tuple[str, str]], bob_has_keys: Dm3Client
) -> None:
    published = as_json(run("profile", "publish", "--json"))
    assert published == {
        "name": "bob.eth",
        "transaction": "0xabc",
        "registeredAt": ["relay.eth"],
        "notRegisteredAt": [],
    }


def test_either_half_alone(run: Run, chain: list[tuple[str, str]], bob_has_keys: Dm3Client) -> None:
    assert as_json(run("profile", "publish", "--no-chain", "--json"))["transaction"] is None
    assert chain == []
    assert as_json(run("profile", "publish", "--no-register", "--json"))["registeredAt"] == []
    assert len(chain) == 1


def test_the_transaction_is_told_even_if_no_account_can_be_opened(
    run: Run, world: World, chain: list[tuple[str, str]], bob_has_keys: Dm3Client
) -> None:
    """It is on the chain and paid for."""
    world.faults.append(down(RELAY))
    result = run("profile", "publish", "--json")
    assert (result.exit_code, result.stdout, len(chain)) == (1, "", 1)
    told = json.loads(result.stderr.splitlines()[-1])
    assert (told["transaction"], told["code"]) == ("0xabc", Unavailable.code)
    assert "transaction 0xabc" in run("profile", "publish").stdout
    without = run("profile", "publish", "--no-chain", "--json")
    assert "transaction" not in json.loads(without.stderr.splitlines()[-1])


def test_a_service_that_opens_no_account_is_named(
    run: Run, home: Path, world: World, chain: list[tuple[str, str]]
) -> None:
    use_keys(home, world, "bob.eth", RELAY, SECOND)
    world.faults.append(down(SECOND))
    result = run("profile", "publish")
    assert (result.exit_code, result.stdout.splitlines()[-1]) == (0, "Account opened at: relay.eth")
    assert f"No account at: {SECOND};" in result.stderr
    told = as_json(run("profile", "publish", "--json"))
    assert (told["registeredAt"], told["notRegisteredAt"]) == ([RELAY], [SECOND])


def test_without_a_wallet(run: Run, chain: list[tuple[str, str]], carol: StoredKeys) -> None:
    result = run("profile", "publish")
    assert (result.exit_code, chain) == (1, [])
    assert result.stderr.startswith("Error: No wallet was given")


def test_with_somebody_elses_wallet(run: Run, chain: list[tuple[str, str]], carol: StoredKeys) -> None:
    result = run("profile", "publish", env={"DM3_WALLET_KEY": wallet_of("bob.eth").private_key})
    assert (result.exit_code, chain) == (1, [])


def test_showing_a_profile(run: Run, world: World, chain: list[tuple[str, str]]) -> None:
    alice = world.join("alice.eth")
    shown = as_json(run("profile", "show", "Alice.eth", "--json"))
    assert shown == {
        "name": "alice.eth",
        "address": alice.identity.address,
        "walletSigned": True,
        "profile": alice.identity.signed_profile.profile.to_json(),
    }
    text = run("profile", "show", "alice.eth").stdout
    assert "Signed by wallet   yes" in text
    world.directory.add("alice.eth", wallet_of("bob.eth").address, alice.identity.profile_record())
    assert "Signed by wallet   no" in run("profile", "show", "alice.eth").stdout


def test_showing_nobody(run: Run, chain: list[tuple[str, str]]) -> None:
    result = run("profile", "show", "nobody.eth")
    assert (result.exit_code, result.stderr) == (1, "Error: The name has no dm3 profile at ENS.\n")
