"""The Ethereum node of the local chain: anvil, from npm, a child process that does not outlive its parent."""

from __future__ import annotations

import os
import platform
import re
import signal
import subprocess
from dataclasses import dataclass
from pathlib import Path
from threading import Event, Thread
from typing import IO, Final

NODE_MODULES: Final = Path(__file__).with_name("node_modules")
CHAIN_ID: Final = 31337
LOOPBACK: Final = "127.0.0.1"
START_TIMEOUT_S: Final = 30.0
STOP_TIMEOUT_S: Final = 5.0

_MACHINES: Final = {"x86_64": "amd64", "amd64": "amd64", "aarch64": "arm64", "arm64": "arm64"}
_ACCOUNT: Final = re.compile(r"\(\d+\) (0x[0-9a-fA-F]{40}) ")
_KEY: Final = re.compile(r"\(\d+\) (0x[0-9a-f]{64})$")
_LISTENING: Final = re.compile(r"Listening on (\S+:\d+)$")
# The shell waits at a pipe that only the parent holds open: whichever way the parent ends, kill -9
# included, the pipe closes and the node goes. So it does when the shell is told to end.
# Its own output is closed, so that the end of the node's output tells the end of the node; it waits for the
# node, so that no zombie is left to whoever adopts orphans.
_WATCH: Final = (
    '"$@" </dev/null & node=$!; exec >/dev/null 2>&1; '
    'trap "kill -9 $node; wait $node" EXIT; trap "exit 0" TERM INT HUP; read _'
)


class MissingNode(RuntimeError):
    """The Ethereum node, or what goes with it, is not installed or does not start."""


@dataclass(frozen=True, slots=True)
class Account:
    """An account of the node that has ether: checksummed address and private key, both `0x…`."""

    address: str
    private_key: str


def anvil_binary(modules: Path = NODE_MODULES) -> Path:
    """The program for this platform. Raises `MissingNode` before `make setup`."""
    machine = _MACHINES.get(platform.machine().lower(), platform.machine().lower())
    package = f"anvil-{platform.system().lower()}-{machine}"
    binary = modules / "@foundry-rs" / package / "bin" / "anvil"
    if not binary.exists():
        raise MissingNode(
            f"The Ethereum node (npm @foundry-rs/{package}) is not installed; run `make setup`."
        )
    return binary


class LocalNode:
    """A running node on loopback, with `accounts` funded ones. `port` 0 means any free one.

    Raises `MissingNode` if it is not installed or does not start. Use as a context manager, or `stop` it.
    """

    def __init__(self, *, port: int = 0, accounts: int = 10, chain_id: int = CHAIN_ID) -> None:
        options = ["--host", LOOPBACK, "--port", str(port), "--chain-id", str(chain_id)]
        anvil = [str(anvil_binary()), *options, "--accounts", str(accounts), "--color", "never"]
        self.accounts: list[Account] = []
        self.rpc_url = ""
        self._ready = Event()
        self._said: list[str] = []
        # In a session of its own: a Ctrl-C at the terminal is for the parent, which stops this in order.
        self._process = subprocess.Popen(  # noqa: S603 - our own program and options
            ["/bin/sh", "-c", _WATCH, "anvil", *anvil],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        assert self._process.stdout is not None  # noqa: S101 - asked for above
        self._reader = Thread(target=self._listen, args=(self._process.stdout,), daemon=True)
        self._reader.start()
        if not self._ready.wait(START_TIMEOUT_S) or not self.rpc_url:
            self.stop()
            raise MissingNode("The Ethereum node did not start: " + " ".join(self._said[-3:]))

    @property
    def pid(self) -> int:
        """The process to signal; the node ends with it."""
        return self._process.pid

    def stop(self) -> None:
        """Ends the node and waits until it is gone. Doing so twice is no error."""
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        try:
            process.wait(STOP_TIMEOUT_S)
        except subprocess.TimeoutExpired:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
        # The pipe ends when the node itself is gone, not only the shell that watches it.
        self._reader.join(STOP_TIMEOUT_S)
        if process.stdout is not None:
            process.stdout.close()

    def __enter__(self) -> LocalNode:
        return self

    def __exit__(self, *error: object) -> None:
        self.stop()

    def _listen(self, output: IO[str]) -> None:
        """Reads what the node says at its start; then keeps its pipe empty, or it would come to a halt."""
        addresses: list[str] = []
        keys: list[str] = []
        for line in output:
            if self._ready.is_set():
                continue
            if account := _ACCOUNT.search(line):
                addresses.append(account[1])
            elif key := _KEY.search(line.rstrip()):
                keys.append(key[1])
            elif listening := _LISTENING.search(line.rstrip()):
                self.accounts = [Account(*pair) for pair in zip(addresses, keys, strict=True)]
                self.rpc_url = f"http://{listening[1]}"
                self._ready.set()
            self._said.append(line.strip())
        self._ready.set()
