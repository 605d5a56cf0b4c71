"""The published TypeScript libraries, driven from Python: one node process, one line for each call.

The process runs `client/main.js`, which answers what the unmodified packages answer. A missing node or a
missing package is an error of the test run, never a reason to skip: the suite is what proves that existing
clients can use this relay.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import tempfile
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeAlias

HERE = Path(__file__).resolve().parent
PACKAGES = ("crypto", "delivery", "delivery-api", "messaging", "profile", "shared")
VERSION = "1.7.1"
ANSWER_WITHIN_S = 60

Json: TypeAlias = Any
"""What goes to the libraries and comes back: JSON, whose shape each test knows."""


class ReferenceRefused(AssertionError):
    """A call that the libraries refused or that the relay answered with an error.

    `status` and `body` are the HTTP answer, None where there was none.
    """

    def __init__(self, call: str, error: Mapping[str, Any]) -> None:
        self.status: int | None = error.get("status")
        self.body: Any = error.get("body")
        super().__init__(f"{call}: {error['message']} (HTTP {self.status}: {self.body!r})")


def installed_versions() -> dict[str, str]:
    """The version of each installed package of the reference. Raises FileNotFoundError if one is missing."""
    found = {}
    for package in PACKAGES:
        description = HERE / "node_modules" / "@dm3-org" / f"dm3-lib-{package}" / "package.json"
        found[package] = json.loads(description.read_text())["version"]
    return found


class Reference:
    """The libraries behind `call`. Results are what the called function in `client/*.js` returns."""

    def __init__(self, process: subprocess.Popen[str], log: Path) -> None:
        self._process = process
        self._log = log
        self._lines: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        assert self._process.stdout is not None
        for line in self._process.stdout:
            self._lines.put(line)
        self._lines.put("")

    def call(self, name: str, /, **arguments: Json) -> Json:
        """Call `name` in the node process. Raises ReferenceRefused if the call failed."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"call": name, "arguments": arguments}) + "\n")
        self._process.stdin.flush()
        line = self._lines.get(timeout=ANSWER_WITHIN_S)
        if not line:
            raise AssertionError(f"the node process ended in {name}:\n{self._log.read_text()[-4000:]}")
        answer = json.loads(line)
        if "error" in answer:
            raise ReferenceRefused(name, answer["error"])
        return answer["result"]


@contextmanager
def start_reference() -> Iterator[Reference]:
    """The libraries in a node process of their own, ended with the context."""
    assert installed_versions() == dict.fromkeys(PACKAGES, VERSION)
    environment = {key: value for key, value in os.environ.items() if not key.lower().endswith("_proxy")}
    with tempfile.TemporaryDirectory() as folder:
        log = Path(folder) / "stderr"
        with log.open("w") as errors:
            process = subprocess.Popen(
                ["node", "main.js"],
                cwd=HERE / "client",
                env=environment,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=errors,
                text=True,
            )
        try:
            yield Reference(process, log)
        finally:
            assert process.stdin is not None
            process.stdin.close()
            process.wait(timeout=ANSWER_WITHIN_S)
            assert process.stdout is not None
            process.stdout.close()
