"""The command line over relays in memory: only the network below the client is replaced."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from nacl.pwhash import argon2id

from chalicelib.cli.main import dm3
from chalicelib.client import Dm3Client, FileOutbox, Identity, Revision, Settings, key_file
from chalicelib.client.key_file import Cost, StoredKeys, save_keys
from tests.unit.client.world import SeededChance, World, wallet_of

PASSPHRASE = "correct horse"
CHEAP = Cost(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)

Run = Callable[..., Result]


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def home(tmp_path: Path, world: World, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty home with a passphrase in the environment, and clients that reach `world`."""

    def connect(
        _class: type[Dm3Client],
        identity: Identity,
        _rpc_url: str,
        *,
        outbox_folder: Path | None = None,
        universal_resolver: str = "",
        settings: Settings | None = None,
    ) -> Dm3Client:
        assert universal_resolver
        outbox = None if outbox_folder is None else FileOutbox(outbox_folder, identity, world.chance)
        revisions = settings.revisions if settings else (Revision.ENCRYPTED_MESSAGE_HASH,)
        older = settings.older if settings else ()
        return world.client(identity, outbox=outbox, revisions=revisions, older=older)

    monkeypatch.setattr(Dm3Client, "connect", classmethod(connect))
    # A test need not take as long as an attacker.
    monkeypatch.setattr(key_file, "Cost", lambda *settings: Cost(*settings) if settings else CHEAP)
    monkeypatch.setenv("DM3_PASSPHRASE", PASSPHRASE)
    monkeypatch.setenv("DM3_RPC_URL", "http://127.0.0.1:1")
    monkeypatch.setenv("DM3_KEY_FILE", str(tmp_path / "keys.json"))
    monkeypatch.delenv("DM3_WALLET_KEY", raising=False)
    return tmp_path


@pytest.fixture
def run(home: Path) -> Run:
    """Runs `dm3` with these words."""

    def run(
        *words: str, given: str | bytes | None = None, env: dict[str, str | None] | None = None
    ) -> Result:
        result = CliRunner().invoke(dm3, list(words), input=given, env=env, prog_name="dm3")
        assert "Traceback" not in result.output
        assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
        return result

    return run


@pytest.fixture
def bob_has_keys(home: Path, world: World) -> Dm3Client:
    """The key file is Bob's, and Bob has an account."""
    return use_keys(home, world, "bob.eth")


def use_keys(home: Path, world: World, name: str, *services: str) -> Dm3Client:
    client = world.join(name, *services)
    keys = StoredKeys(client.identity, wallet_of(name).private_key)
    save_keys(home / "keys.json", keys, PASSPHRASE, SeededChance(), cost=CHEAP, replace=True)
    return client


def as_json(result: Result) -> Any:  # noqa: ANN401 - whatever the command prints
    assert result.exit_code in (0, 3), result.output
    return json.loads(result.stdout)
