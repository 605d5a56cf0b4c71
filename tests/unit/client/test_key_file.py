from __future__ import annotations

import json
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from nacl.pwhash import argon2id

from chalicelib.client.key_file import Cost, StoredKeys, load_keys, open_keys, save_keys, seal_keys
from chalicelib.protocol.errors import Dm3Error, InvalidInput, Undecryptable
from tests.unit.client.world import SeededChance, World

CHEAP = Cost(argon2id.OPSLIMIT_MIN, argon2id.MEMLIMIT_MIN)
KEYS = StoredKeys(World().identity("alice.eth"), "0x" + "11" * 32)
CONTENT = seal_keys(KEYS, "correct horse", SeededChance(), CHEAP)


def test_keys_come_back_as_they_were(tmp_path: Path) -> None:
    path = tmp_path / "made" / "keys.json"
    save_keys(path, KEYS, "correct horse", SeededChance(), cost=CHEAP)
    assert load_keys(path, "correct horse") == KEYS
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700
    assert [entry.name for entry in path.parent.iterdir()] == ["keys.json"]


def test_the_default_cost_is_that_of_libsodium_for_files() -> None:
    members = json.loads(seal_keys(KEYS, "x", SeededChance()))
    assert (members["operations"], members["memory"]) == (3, 256 * 1024 * 1024)


def test_nothing_secret_is_readable() -> None:
    for secret in (KEYS.identity.keys.storage_key, KEYS.identity.name, "1111"):
        assert secret.encode() not in CONTENT
    assert "1111" not in repr(KEYS)
    assert KEYS.identity.keys.storage_key not in repr(KEYS)


@pytest.mark.parametrize("passphrase", ["", "wrong", "correct horse ", "\ud800"])
def test_a_wrong_passphrase(passphrase: str) -> None:
    with pytest.raises(Undecryptable):
        open_keys(CONTENT, passphrase)


def test_an_empty_passphrase_protects_nothing() -> None:
    with pytest.raises(InvalidInput):
        seal_keys(KEYS, "", SeededChance(), CHEAP)


def test_an_existing_file_is_not_overwritten_unasked(tmp_path: Path) -> None:
    path = tmp_path / "keys.json"
    path.write_text("precious")
    with pytest.raises(InvalidInput):
        save_keys(path, KEYS, "x", SeededChance(), cost=CHEAP)
    assert path.read_text() == "precious"
    assert [entry.name for entry in tmp_path.iterdir()] == ["keys.json"]
    save_keys(path, KEYS, "x", SeededChance(), cost=CHEAP, replace=True)
    assert load_keys(path, "x") == KEYS


def test_a_missing_file(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        load_keys(tmp_path / "nothing", "x")


@pytest.mark.parametrize(
    "change",
    [
        {"operations": 7},
        {"operations": 0},
        {"memory": 2**31},
        {"memory": 1},
        {"operations": True},
        {"operations": 1.5},
        {"salt": "AAAA"},
        {"salt": 5},
        {"box": None},
        {"format": "dm3-keys-2"},
    ],
)
def test_settings_that_a_file_must_not_have(change: dict[str, object]) -> None:
    with pytest.raises(InvalidInput):
        open_keys(json.dumps(json.loads(CONTENT) | change).encode(), "correct horse")


@settings(deadline=None, max_examples=200)
@given(st.binary(max_size=200))
def test_any_bytes_are_keys_or_an_error_of_ours(content: bytes) -> None:
    with pytest.raises(Dm3Error):
        open_keys(content, "x")


@settings(deadline=None, max_examples=100, suppress_health_check=[HealthCheck.too_slow])
@given(st.integers(0, len(CONTENT) - 1), st.integers(1, 255))
def test_a_file_with_one_byte_changed_opens_or_is_refused(position: int, change: int) -> None:
    damaged = bytearray(CONTENT)
    damaged[position] ^= change
    try:
        assert open_keys(bytes(damaged), "correct horse") == KEYS
    except Dm3Error:
        return


@settings(deadline=None, max_examples=100)
@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=5),
        lambda inner: st.dictionaries(
            st.sampled_from(
                ["identity", "walletKey", "name", "address", "storageKey", "nonce", "signedProfile"]
            ),
            inner,
        ),
        max_leaves=8,
    )
)
def test_any_json_is_keys_or_an_error_of_ours(value: object) -> None:
    with pytest.raises(Dm3Error):
        StoredKeys.parse(value)  # type: ignore[arg-type]
