"""What it costs to start the API function: CPU time of `import app` in a fresh process."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
HEAVY = (
    "boto3",
    "botocore",
    "click",
    "ens_normalize",
    "eth_abi",
    "eth_account",
    "eth_hash",
    "eth_utils",
    "moto",
    "requests",
    "rich",
    "web3",
)
MEASURE = """
import json, sys, time
before = time.process_time()
import {module}
print(json.dumps([time.process_time() - before, sorted(name for name in sys.modules if "." not in name)]))
"""


def fresh_import(module: str) -> tuple[float, set[str]]:
    """The least CPU seconds of several fresh processes, and what is loaded afterwards."""
    runs = []
    for _ in range(RUNS):
        run = subprocess.run(
            [sys.executable, "-c", MEASURE.format(module=module)],
            cwd=ROOT,
            capture_output=True,
            text=True,
            check=True,
        )
        runs.append(json.loads(run.stdout))
    return min(seconds for seconds, _ in runs), set(runs[0][1])


@pytest.fixture(scope="module")
def app() -> tuple[float, set[str]]:
    return fresh_import("app")


def test_the_function_starts_without_the_heavy_modules(app: tuple[float, set[str]]) -> None:
    absent = [name for name in HEAVY if name not in app[1]]
    print(f"\nimport app does not import: {', '.join(absent)}")  # noqa: T201
    assert absent == list(HEAVY)


def test_the_start_of_the_function_beside_that_of_boto3(app: tuple[float, set[str]]) -> None:
    """Printed, not asserted: what boto3 saves at import it spends when its first client is made."""
    print(f"\nimport app: {app[0]:.3f} s of CPU")  # noqa: T201
    for what in ("boto3", "boto3; boto3.client('dynamodb', region_name='us-east-1')", "web3"):
        print(f"import {what}: {fresh_import(what)[0]:.3f} s of CPU")  # noqa: T201
