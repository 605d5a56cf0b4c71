"""The whole relay in a process of its own: its first line, and that it leaves nothing behind."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.names.ccip_gateway import CcipGateway
from chalicelib.names.ens_directory import EnsDirectory
from chalicelib.names.http_transport import HttpTransport

ROOT = Path(__file__).resolve().parents[2]
PROGRAM = "from infra.local.serve import run; run(accounts=3)"
READY_WITHIN_S = 60
STOPPED_WITHIN_S = 20

pytestmark = [pytest.mark.chain, pytest.mark.xdist_group("local-relay")]


@contextmanager
def started() -> Iterator[tuple[subprocess.Popen[str], dict[str, Any]]]:
    """The process in a group of its own, and its first line."""
    process = subprocess.Popen(
        [sys.executable, "-c", PROGRAM], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    watchdog = threading.Timer(READY_WITHIN_S, process.kill)
    watchdog.start()
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        watchdog.cancel()
        assert line, process.communicate()[1][-2000:]
        yield process, json.loads(line)
    finally:
        watchdog.cancel()
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=STOPPED_WITHIN_S)


def children(pid: int) -> set[int]:
    """The processes below `pid`."""
    found = set()
    for status in Path("/proc").glob("[0-9]*/stat"):
        try:
            fields = status.read_text().rsplit(")", 1)[1].split()
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(fields[1]) == pid:
            child = int(status.parent.name)
            found |= {child} | children(child)
    return found


def is_alive(pid: int) -> bool:
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    return True


def fetch(url: str, body: object = None) -> Any:  # noqa: ANN401 - any JSON
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"Content-Type": "application/json"})  # noqa: S310 - loopback
    with urllib.request.urlopen(request, timeout=30) as response:  # noqa: S310 - loopback
        return json.load(response)


def test_the_first_line_has_every_address_and_all_of_them_answer() -> None:
    with started() as (_, line):
        assert set(line) >= {
            "url",
            "ws_url",
            "rpc_url",
            "ens_registry",
            "ens_resolver",
            "universal_resolver",
            "relay_name",
            "operator_token",
            "ccip_gateway_url",
        }
        assert len(line["accounts"]) == 3
        assert set(line["accounts"][0]) == {"address", "private_key"}
        assert line["ens_registry"] == "0x00000000000C2E074eC69A0dFb2997BA6C7d2e1e"
        assert line["url"].startswith("http://127.0.0.1:")
        assert fetch(f"{line['url']}/health/store") == {"status": "ok"}
        rules = urllib.request.Request(  # noqa: S310 - loopback
            f"{line['url']}/operator/rules", headers={"Authorization": f"Bearer {line['operator_token']}"}
        )
        with urllib.request.urlopen(rules, timeout=30) as response:  # noqa: S310 - loopback
            assert json.load(response) == {"block": [], "limits": {}}
        chain_id = {"jsonrpc": "2.0", "id": 1, "method": "eth_chainId", "params": []}
        assert fetch(line["rpc_url"], chain_id)["result"]
        directory = EnsDirectory(
            HttpTransport(line["rpc_url"]),
            clock_ms=lambda: time.time_ns() // 1_000_000,
            gateway=CcipGateway(GuardedFetcher(allow_local=True)),
            universal_resolver=line["universal_resolver"],
        )
        for name in ("anything.wild.eth", "offchain.eth"):
            assert directory.lookup(name).address == line["accounts"][0]["address"]
        published = directory.delivery_service(line["relay_name"])
        assert published is not None
        assert published.url == line["url"]
        for (name, index), person in zip({"alice.eth": 1, "bob.eth": 2}.items(), line["people"], strict=True):
            assert person == {"name": name, **line["accounts"][index]}
            found = directory.lookup(name)
            assert (found.address, found.profile) == (person["address"], None)
        properties = {"jsonrpc": "2.0", "id": 1, "method": "dm3_getDeliveryServiceProperties"}
        with ThreadPoolExecutor(8) as people:
            answers = list(people.map(lambda _: fetch(f"{line['url']}/rpc", properties), range(40)))
        assert all(answer == answers[0] for answer in answers)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_ends_it_cleanly_and_leaves_no_child(number: signal.Signals) -> None:
    with started() as (process, line):
        below = children(process.pid)
        assert below, "the chain runs in a process of its own"
        fetch(f"{line['url']}/health")
        process.send_signal(number)
        out, errors = process.communicate(timeout=STOPPED_WITHIN_S)
        assert (process.returncode, out) == (0, ""), errors[-2000:]
        assert "Traceback" not in errors
        assert [pid for pid in below if is_alive(pid)] == []
