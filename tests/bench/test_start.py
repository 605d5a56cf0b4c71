"""What it costs to start the API function: CPU time in a fresh process, and for the first submit."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
RUNS = 5
# What the first submit loads besides; clients of AWS come with the first request that needs them.
FIRST_SUBMIT = "app, chalicelib.api.models, chalicelib.bootstrap"
FIRST_CLIENT = "boto3.client('dynamodb', region_name='us-east-1')"
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


def test_the_function_never_loads_the_heavy_modules() -> None:
    """Neither at its start nor for a submit; a client of AWS is made by the first that needs it."""
    for what in ("app", FIRST_SUBMIT):
        absent = [name for name in HEAVY if name not in fresh_import(what)[1]]
        print(f"\nimport {what}: does not import {', '.join(absent)}")  # noqa: T201
        assert absent == list(HEAVY)


def test_the_start_of_the_function_beside_that_of_boto3() -> None:
    """Printed, not asserted: what boto3 saves at import it spends when its first client is made."""
    print()  # noqa: T201
    for what in (
        "app",
        FIRST_SUBMIT,
        "boto3",
        "boto3; boto3.client('dynamodb', region_name='us-east-1')",
        "web3",
    ):
        print(f"import {what}: {fresh_import(what)[0]:.3f} s of CPU")  # noqa: T201
