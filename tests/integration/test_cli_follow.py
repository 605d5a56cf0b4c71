"""`dm3 inbox --follow` as a process of its own against a whole relay: pushed at once, ended by Ctrl-C."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import pytest

from chalicelib.cli.publish import publish_text
from chalicelib.client import Dm3Client, Identity, StoredKeys, SystemEntropy, Wallet, save_keys
from chalicelib.client.key_file import Cost
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from infra.local.serve import LocalRelay, start_local

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("client-relay")]

COMMAND = str(Path(sys.executable).with_name("dm3"))
WITHIN_S = 60


@pytest.fixture(scope="module")
def relay() -> Iterator[LocalRelay]:
    with start_local() as running:
        yield running


def join(relay: LocalRelay, name: str, account: int) -> Dm3Client:
    """Somebody with a published profile and an account at the relay."""
    relay.chain.register(name, account)
    wallet = Wallet.parse(relay.accounts[account][1])
    identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
    publish_text(relay.rpc_url, name, USER_PROFILE_RECORD, identity.profile_record(), wallet)
    client = Dm3Client.connect(identity, relay.rpc_url, universal_resolver=relay.universal_resolver)
    client.register()
    return client


@dataclass(frozen=True, slots=True)
class Followed:
    """A running `dm3 inbox --follow`, and the lines that it writes."""

    process: subprocess.Popen[str]
    lines: queue.SimpleQueue[str]
    told: queue.SimpleQueue[str]

    def ctrl_c(self) -> int:
        """Its exit status."""
        self.process.send_signal(signal.SIGINT)
        return self.process.wait(WITHIN_S)


@contextmanager
def followed(relay: LocalRelay, folder: Path, client: Dm3Client, *words: str) -> Iterator[Followed]:
    keys = folder / "keys.json"
    save_keys(keys, StoredKeys(client.identity, None), "correct horse", SystemEntropy(), cost=Cost(1, 8_192))
    process = subprocess.Popen(
        [COMMAND, "inbox", "--follow", *words],
        env={
            **os.environ,
            "DM3_RPC_URL": relay.rpc_url,
            "DM3_PASSPHRASE": "correct horse",
            "DM3_KEY_FILE": str(keys),
        },
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    try:
        yield Followed(process, _lines(process.stdout), _lines(process.stderr))
    finally:
        process.kill()
        process.wait()
        process.stdout.close()
        process.stderr.close()


def _lines(stream: IO[str]) -> queue.SimpleQueue[str]:
    lines: queue.SimpleQueue[str] = queue.SimpleQueue()

    def read() -> None:
        for line in stream:
            lines.put(line.rstrip("\n"))

    threading.Thread(target=read, daemon=True).start()
    return lines


def test_messages_are_shown_as_they_come_in(relay: LocalRelay, tmp_path: Path) -> None:
    alice, bob = join(relay, "alice-follow.eth", 1), join(relay, "bob-follow.eth", 2)
    alice.send("bob-follow.eth", "waiting")
    with followed(relay, tmp_path, bob, "--json", "--ack", "--poll", "600") as inbox:
        assert json.loads(inbox.lines.get(timeout=WITHIN_S))["text"] == "waiting"
        began_s = time.monotonic()
        alice.send("bob-follow.eth", "live")
        assert json.loads(inbox.lines.get(timeout=WITHIN_S))["text"] == "live"
        assert time.monotonic() - began_s < 10
        deadline_s = time.monotonic() + WITHIN_S
        while list(bob.inbox()) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        assert inbox.ctrl_c() == 0
    assert list(bob.inbox()) == [], "acknowledged over the live connection"


def test_people_are_told_how_it_stands(relay: LocalRelay, tmp_path: Path) -> None:
    carol = join(relay, "carol-follow.eth", 3)
    with followed(relay, tmp_path, carol) as inbox:
        assert inbox.told.get(timeout=WITHIN_S) == f"Connected to {relay.relay_name}."
        assert inbox.ctrl_c() == 0
    assert inbox.lines.empty()
