"""dynalite, a second DynamoDB with the real limits and capacity figures, as a process on loopback."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.ports import LOOPBACK, free_port, is_open
from tests.support.process import running

STAYS = Path(__file__).with_name("dynalite_stays.cjs")
CLI = Path(__file__).resolve().parents[1] / "interop" / "node_modules" / "dynalite" / "cli.js"


def why_missing() -> str | None:
    """What keeps dynalite from starting here, None if nothing does."""
    if shutil.which("node") is None:
        return "there is no node"
    return None if CLI.exists() else "dynalite is not installed (make setup)"


@contextmanager
def dynalite() -> Iterator[str]:
    """The URL of a fresh dynalite, empty and in memory."""
    port = free_port()
    options = ["--host", LOOPBACK, "--port", str(port)]
    at_once = ["--createTableMs", "1", "--deleteTableMs", "1", "--updateTableMs", "1"]
    with (
        tempfile.TemporaryDirectory() as directory,
        running(
            [str(shutil.which("node")), "--require", str(STAYS), str(CLI), *options, *at_once],
            directory=Path(directory),
            ready=lambda: is_open(port),
            environment=os.environ,
        ),
    ):
        yield f"http://{LOOPBACK}:{port}"
