"""Proof that the bundle is whole: the application is imported from it where nothing else can be imported.

The process sees the standard library, the bundle, and what Lambda's own runtime brings (boto3 and what it
needs), in Lambda's order. A package that happens to be installed on this machine cannot hide a missing one.
"""

from __future__ import annotations

import importlib.util
import json
import platform
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import TypedDict

from infra.package import probe
from infra.package.errors import PackagingError

# In every Python runtime of Lambda, and therefore not in the bundle: 17 MB less to upload and to load.
PROVIDED = ("boto3", "botocore", "dateutil", "jmespath", "s3transfer", "six")
# Imports that cost much, or belong to the command line: never at the start of every function.
HEAVY = (
    *("boto3", "botocore", "web3", "eth_account", "eth_abi", "ens_normalize", "moto", "click", "requests"),
    *("cryptography", "http_ece", "engineio", "socketio", "email_validator"),
)


@dataclass(frozen=True, slots=True)
class Probed:
    """What the probe saw. `import_cpu_s`: seconds of CPU that `import app` took, bytecode included."""

    import_cpu_s: float
    modules_at_start: int
    heavy_at_start: tuple[str, ...]


class _Seen(TypedDict):
    """What `probe.main` writes."""

    cpu_s: float
    at_start: list[str]
    absent: list[str]
    foreign: list[str]
    uncompiled: list[str]


def _origin(name: str) -> Path:
    spec = importlib.util.find_spec(name)
    if spec is None or spec.origin is None:
        raise PackagingError(f"{name} stands in for Lambda's runtime and is not installed here")
    origin = Path(spec.origin)
    return origin.parent if spec.submodule_search_locations else origin


def lay_out_runtime(directory: Path) -> None:
    """Fill `directory` with links to what Lambda provides."""
    for name in PROVIDED:
        origin = _origin(name)
        (directory / origin.name).symlink_to(origin)


def _run(bundle: Path, runtime: Path, handlers: Sequence[str]) -> _Seen:
    places = json.dumps({"bundle": str(bundle), "runtime": str(runtime), "handlers": list(handlers)})
    done = subprocess.run(  # noqa: S603 - our own program, with arguments of our own
        [sys.executable, "-I", "-S", probe.__file__],
        input=places,
        env={"AWS_DEFAULT_REGION": "us-east-1"},
        capture_output=True,
        text=True,
        check=False,
    )
    if done.returncode != 0:
        raise PackagingError(f"the application cannot be imported from the bundle:\n{done.stderr.strip()}")
    seen: _Seen = json.loads(done.stdout)
    return seen


def probe_bundle(bundle: Path, handlers: Sequence[str]) -> Probed:
    """Import and exercise everything in `bundle`; `handlers` are what Lambda will call, such as `app.bodies`.

    Raises PackagingError if a module is missing, comes from outside, or has no bytecode, or if this machine
    is not of the kind that Lambda runs (the bundle's compiled modules would not load).
    """
    if (sys.platform, platform.machine()) != ("linux", "x86_64"):
        raise PackagingError("the bundle can be checked on Linux x86_64 only, the platform it is built for")
    with TemporaryDirectory() as runtime:
        lay_out_runtime(Path(runtime))
        names = [handler.removeprefix("app.") for handler in handlers]
        seen = _run(bundle.resolve(), Path(runtime).resolve(), names)
    for names, sentence in (
        (seen["foreign"], "are not from the bundle"),
        (seen["uncompiled"], "have no bytecode"),
        (seen["absent"], "are no handlers in app.py"),
    ):
        if names:
            raise PackagingError(f"these {sentence}: {names}")
    return Probed(
        import_cpu_s=seen["cpu_s"],
        modules_at_start=len(seen["at_start"]),
        heavy_at_start=tuple(name for name in HEAVY if name in seen["at_start"]),
    )
