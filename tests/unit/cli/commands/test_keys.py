from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest

from chalicelib.client import Dm3Client, load_keys
from chalicelib.protocol.keys import DEFAULT_NONCE, storage_key_creation_message
from chalicelib.protocol.profile import profile_creation_message
from tests.unit.cli.conftest import PASSPHRASE, Run, as_json
from tests.unit.client.world import World, wallet_of

ALICE = wallet_of("alice.eth")
CREATE = ("keys", "create", "Alice.eth", "--delivery-service", "relay.eth")


def test_keys_are_made_from_a_wallet_in_the_environment(run: Run, home: Path) -> None:
    made = as_json(run(*CREATE, "--json", env={"DM3_WALLET_KEY": ALICE.private_key}))
    assert (made["name"], made["address"], made["deliveryServices"]) == (
        "alice.eth",
        ALICE.address,
        ["relay.eth"],
    )
    stored = load_keys(home / "keys.json", PASSPHRASE)
    assert stored.identity.profile_record() == made["record"]
    assert stored.wallet_key is None
    assert stat.S_IMODE((home / "keys.json").stat().st_mode) == 0o600


def test_a_wallet_in_a_file_and_kept(run: Run, home: Path) -> None:
    (home / "wallet").write_text(ALICE.private_key + "\n")
    result = run(*CREATE, "--wallet-key-file", str(home / "wallet"), "--keep-wallet")
    assert result.exit_code == 0
    assert ALICE.address in result.stdout
    assert load_keys(home / "keys.json", PASSPHRASE).wallet_key == ALICE.private_key
    assert ALICE.private_key not in result.output


def test_a_new_wallet_is_kept(run: Run, home: Path) -> None:
    made = as_json(run(*CREATE, "--new-wallet", "--json"))
    stored = load_keys(home / "keys.json", PASSPHRASE)
    assert stored.wallet_key is not None
    assert stored.identity.address == made["address"] != ALICE.address


def test_signing_elsewhere(run: Run, home: Path, world: World) -> None:
    identity = world.identity("alice.eth")
    texts = (
        storage_key_creation_message(DEFAULT_NONCE, ALICE.address),
        profile_creation_message(identity.signed_profile.profile, ALICE.address),
    )
    signatures = "\n".join(ALICE.sign(text) for text in texts)
    result = run(*CREATE, "--address", ALICE.address, "--json", given=signatures)
    assert result.exit_code == 0, result.output
    for text in texts:
        assert text in result.stderr
    assert load_keys(home / "keys.json", PASSPHRASE).identity == identity


def test_signing_elsewhere_with_the_wrong_wallet(run: Run, home: Path) -> None:
    other = wallet_of("mallory.eth")
    signatures = "\n".join(other.sign(text) for text in ("a", "b"))
    result = run(*CREATE, "--address", ALICE.address, given=signatures)
    assert result.exit_code == 1
    assert not (home / "keys.json").exists()


def test_no_wallet_at_all(run: Run) -> None:
    result = run(*CREATE)
    assert result.exit_code == 1
    assert result.stderr.startswith("Error: No wallet was given")


def test_existing_keys_are_not_overwritten(run: Run, home: Path) -> None:
    (home / "keys.json").write_text("precious")
    assert run(*CREATE, "--new-wallet").exit_code == 1
    assert (home / "keys.json").read_text() == "precious"
    assert run(*CREATE, "--new-wallet", "--force").exit_code == 0


def test_the_passphrase_is_asked_for_twice(run: Run, home: Path) -> None:
    no_passphrase: dict[str, str | None] = {"DM3_PASSPHRASE": None}
    result = run(*CREATE, "--new-wallet", given="from the prompt\n" * 2, env=no_passphrase)
    assert result.exit_code == 0
    assert load_keys(home / "keys.json", "from the prompt")
    shown = run("keys", "show", "--json", given="from the prompt\n", env=no_passphrase)
    assert as_json(shown)["name"] == "alice.eth"


def test_the_passphrase_of_a_file(run: Run, home: Path) -> None:
    (home / "passphrase").write_text("from a file\nnot this\n")
    option = ("--passphrase-file", str(home / "passphrase"))
    assert run(*CREATE, "--new-wallet", *option).exit_code == 0
    assert load_keys(home / "keys.json", "from a file")
    assert run("keys", "show", *option).exit_code == 0


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe"])
def test_a_passphrase_file_without_a_passphrase(run: Run, home: Path, content: bytes) -> None:
    (home / "passphrase").write_bytes(content)
    result = run(*CREATE, "--new-wallet", "--passphrase-file", str(home / "passphrase"))
    assert result.exit_code == 1
    assert result.stderr.count("\n") == 1


def test_a_wrong_passphrase(run: Run, bob_has_keys: object) -> None:
    result = run("keys", "show", env={"DM3_PASSPHRASE": "wrong"})
    assert (result.exit_code, result.stdout) == (1, "")
    assert result.stderr == "Error: The passphrase is wrong, or the key file is damaged.\n"


def test_the_record_to_publish_is_shown(run: Run, bob_has_keys: Dm3Client) -> None:
    lines = run("keys", "show").stdout.splitlines()
    assert bob_has_keys.identity.profile_record() in lines
    assert any("network.dm3.profile" in line for line in lines)


def test_errors_as_json(run: Run) -> None:
    result = run("keys", "show", "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr)["code"] == -32000


def test_a_backup_moves_to_another_file(run: Run, home: Path, bob_has_keys: object) -> None:
    backup = run("keys", "show", "--secrets").stdout
    moved = str(home / "moved.json")
    assert run("keys", "import", "-", "--keys", moved, given=backup).exit_code == 0
    assert load_keys(Path(moved), PASSPHRASE) == load_keys(home / "keys.json", PASSPHRASE)
    (home / "backup").write_text(backup)
    assert run("keys", "import", str(home / "backup"), "--keys", moved).exit_code == 1
    assert run("keys", "import", str(home / "backup"), "--keys", moved, "--force").exit_code == 0


@pytest.mark.parametrize("backup", ["", "{", "[]", "{}", '{"identity": {"name": "x"}}'])
def test_a_backup_that_is_none(run: Run, home: Path, backup: str) -> None:
    result = run("keys", "import", "-", given=backup)
    assert result.exit_code == 1
    assert not (home / "keys.json").exists()


def test_a_name_that_is_none(run: Run) -> None:
    result = run("keys", "create", "a b", "--delivery-service", "relay.eth", "--new-wallet")
    assert (result.exit_code, result.stderr) == (1, "Error: The name is not a valid ENS name.\n")
