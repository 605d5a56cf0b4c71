from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
NEVER = {"web3", "eth_account", "eth_abi", "boto3", "ens_normalize"}


def imported(handler: str | None) -> set[str]:
    """The modules that a fresh process has after `import app`, started for `handler` as Lambda does."""
    environment = {key: value for key, value in os.environ.items() if not key.startswith("DM3_")}
    if handler is not None:
        environment["_HANDLER"] = handler
    run = subprocess.run(
        [sys.executable, "-c", "import app, sys; print(' '.join(sys.modules))"],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        check=True,
    )
    return set(run.stdout.split())


def test_the_api_function_imports_ahead_what_its_first_request_needs() -> None:
    modules = imported("app.app")
    assert {"botocore.session", "chalicelib.bootstrap", "chalicelib.api.models", "jwt"} <= modules
    assert not NEVER & modules


@pytest.mark.parametrize("handler", [None, "app.bodies"])
def test_elsewhere_the_start_is_cheap(handler: str | None) -> None:
    modules = imported(handler)
    assert not {"botocore.session", "pydantic", "nacl.bindings"} & modules
    assert not NEVER & modules
