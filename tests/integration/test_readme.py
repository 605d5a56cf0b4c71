"""What README.md tells a developer to type, typed: with a relay that was started as it says, and no more."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.client import Dm3Client, Identity, Wallet

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("client-relay")]

SECTION = Path("README.md").read_text().split("\n## For a developer\n", 1)[1].split("\n## ", 1)[0]
COMMANDS = Path(sys.executable).parent
READY_WITHIN_S = 60


def block(language: str) -> str:
    """The one code block of the section in this language."""
    _, code = SECTION.split(f"```{language}\n")
    return code.split("```", 1)[0]


@pytest.fixture
def local(tmp_path: Path) -> Iterator[dict[str, Any]]:
    """The relay of the console block, in a shell of its own, and what it has written."""
    activate, start = [line.removeprefix("$ ") for line in block("console").splitlines() if line[0] == "$"]
    assert activate == ". .venv/bin/activate"
    environment = {**os.environ, "PATH": f"{COMMANDS}:{os.environ['PATH']}"}
    with (tmp_path / "errors").open("w") as errors:
        shell = subprocess.Popen(
            ["/bin/sh", "-c", start],
            cwd=tmp_path,
            env=environment,
            stdout=subprocess.DEVNULL,
            stderr=errors,
            start_new_session=True,
        )
    try:
        yield first_line(tmp_path / "relay.json", shell)
    finally:
        os.killpg(shell.pid, signal.SIGINT)  # Ctrl-C in its terminal
        shell.wait(timeout=READY_WITHIN_S)


def first_line(path: Path, shell: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline_s = time.monotonic() + READY_WITHIN_S
    while time.monotonic() < deadline_s and shell.poll() is None:
        if path.exists() and (text := path.read_text()).endswith("\n"):
            line: dict[str, Any] = json.loads(text)
            return line
        time.sleep(0.1)
    raise AssertionError((path.parent / "errors").read_text())


def test_the_first_message_from_python_in_ten_lines(local: dict[str, Any], tmp_path: Path) -> None:
    code = block("python")
    assert len([line for line in code.splitlines() if line.strip()]) == 10
    run = subprocess.run(
        [sys.executable, "-c", code], cwd=tmp_path, capture_output=True, text=True, check=False
    )
    assert run.returncode == 0, run.stderr
    assert run.stdout.startswith("Sent(")

    alice = next(person for person in local["people"] if person["name"] == "alice.eth")
    wallet = Wallet.parse(alice["private_key"])
    identity = Identity.create("alice.eth", wallet.address, wallet.sign, [local["relay_name"]])
    (received,) = Dm3Client.connect(identity, local["rpc_url"]).inbox()
    assert received.verified
    assert (received.sender, received.text) == ("bob.eth", "Hello Alice, this is Bob.")
