"""Servers that tests start as processes of their own, and stop by their process id."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

STOP_S = 10.0


@contextmanager
def running(
    command: Sequence[str],
    *,
    directory: Path,
    ready: Callable[[], bool],
    environment: Mapping[str, str],
    deadline_s: float = 60.0,
) -> Iterator[subprocess.Popen[bytes]]:
    """Run `command` in `directory` until the block ends; enter the block when `ready` says so.

    What it prints goes to `directory`/output.txt, the end of which is in the error if it does not start.
    """
    log = directory / "output.txt"
    with log.open("wb") as output:
        process = subprocess.Popen(
            command, cwd=directory, env=dict(environment), stdout=output, stderr=subprocess.STDOUT
        )
    try:
        _wait(process, ready, deadline_s, log)
        yield process
    finally:
        _stop(process)


def _wait(process: subprocess.Popen[bytes], ready: Callable[[], bool], deadline_s: float, log: Path) -> None:
    until = time.monotonic() + deadline_s
    while not ready():
        if process.poll() is not None or time.monotonic() > until:
            raise RuntimeError(f"the server did not start:\n{log.read_text(errors='replace')[-2000:]}")
        time.sleep(0.05)


def _stop(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(STOP_S)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait(STOP_S)
