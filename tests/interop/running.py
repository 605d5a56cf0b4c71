"""Starts the relays that the suite runs against, and stops them by their process id."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Timer

from tests.interop.people import RunningRelay

READY_WITHIN_S = 120
STOPPED_WITHIN_S = 30


@contextmanager
def start_local_relay(*options: str) -> Iterator[RunningRelay]:
    """`dm3 local` with free ports. Fails with the end of its log if it does not say that it is ready."""
    command = [
        str(Path(sys.executable).with_name("dm3")),
        "local",
        "--port",
        "0",
        "--rpc-port",
        "0",
        *options,
    ]
    with _start(command) as line:
        yield RunningRelay.parse(json.loads(line))


@contextmanager
def _start(command: Sequence[str]) -> Iterator[str]:
    """Run `command` until the context ends; gives its first line of output."""
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "log"
        with log.open("w") as errors:
            process = subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=errors, text=True
            )
        try:
            yield _first_line(process, log)
        finally:
            process.send_signal(signal.SIGTERM)
            try:
                process.communicate(timeout=STOPPED_WITHIN_S)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
                raise


def _first_line(process: subprocess.Popen[str], log: Path) -> str:
    """The first line on standard output. A process that ends or hangs before it is a failure with its log."""
    assert process.stdout is not None
    watchdog = Timer(READY_WITHIN_S, process.kill)
    watchdog.start()
    try:
        line = process.stdout.readline()
    finally:
        watchdog.cancel()
    if not line:
        raise AssertionError(f"it did not become ready:\n{log.read_text()[-4000:]}")
    return line
