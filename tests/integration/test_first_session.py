"""The first session that `dm3 --help` and docs/cli.md teach, typed as written, against a fresh relay."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from chalicelib.cli.main import HELP
from infra.local.serve import LocalRelay, start_local

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("client-relay")]

START = "dm3 local"
COMMANDS = Path(sys.executable).parent
DONE_WITHIN_S = 120


@pytest.fixture
def relay() -> Iterator[LocalRelay]:
    """What `dm3 local` starts."""
    with start_local() as running:
        yield running


def filled_in(line: str, relay: LocalRelay) -> str:
    """A line of the session with what its reader copies from the first line of `dm3 local`."""
    line = line.replace("DM3_RPC_URL=http://127.0.0.1:…", f"DM3_RPC_URL={relay.rpc_url}")
    if person := re.search(r"DM3_KEY_FILE=(\w+)\.json DM3_WALLET_KEY=0x…", line):
        private_key = relay.accounts[relay.people[f"{person[1]}.eth"]][1]
        line = line.replace("DM3_WALLET_KEY=0x…", f"DM3_WALLET_KEY={private_key}")
    assert "…" not in line
    return line


def typed(lines: list[str], relay: LocalRelay, folder: Path) -> str:
    """What the shell answers; it ends at the first command that fails."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith("DM3_")}
    run = subprocess.run(
        ["/bin/sh", "-e", "-c", "\n".join(filled_in(line, relay) for line in lines)],
        cwd=folder,
        env={**inherited, "PATH": f"{COMMANDS}:{os.environ['PATH']}", "DM3_PASSPHRASE": "correct horse"},
        capture_output=True,
        check=False,
        timeout=DONE_WITHIN_S,
    )
    assert run.returncode == 0, run.stderr.decode()
    return run.stdout.decode()


def test_the_help(relay: LocalRelay, tmp_path: Path) -> None:
    start, *lines = re.findall(r"^  (.+)$", HELP, re.MULTILINE)
    assert start.split("#")[0].strip() == START
    shown = typed(lines, relay, tmp_path)
    assert "✔ alice.eth" in shown
    assert "\n  Hello Bob\n" in shown


def test_the_guide(relay: LocalRelay, tmp_path: Path) -> None:
    section = Path("docs/cli.md").read_text().split("\n## A first exchange", 1)[1].split("\n## ", 1)[0]
    first, second = re.findall(r"```console\n(.*?)```", section, re.DOTALL)
    assert first.startswith(f"$ {START}\n")
    lines = second.splitlines()
    shown = typed([line.removeprefix("$ ") for line in lines if line.startswith("$ ")], relay, tmp_path)
    position = 0
    for line in lines:
        if not line.startswith("$ "):
            pattern = re.escape(line).replace("…", ".+")
            pattern = re.sub(r"\d{4}\\-\d\d\\-\d\d\\ [\d:]+", r"[-\\d]+ [:\\d]+", pattern)
            found = re.compile(f"^{pattern}$", re.MULTILINE).search(shown, position)
            assert found, (line, shown)
            position = found.end()
