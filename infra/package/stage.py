"""The first step: a clean copy of what the functions need, given to `chalice package`.

Chalice bundles whatever lies in `chalicelib`. A copy keeps out what a working tree collects (bytecode,
editors' files) and what never runs in a function: the command line and the SDK.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from infra.package.errors import PackagingError

ROOT = Path(__file__).resolve().parents[2]
TEMPLATE = ROOT / "infra" / "template"
STAGE_NAME = "prod"
NOT_IN_A_FUNCTION = ("cli", "client")
# Chalice asks for a region only to spell service principals, which are the same in every public region.
ANY_REGION = "us-east-1"
# What chalice prints, with exit status 0, when a dependency has no wheel for Lambda.
MISSING_WHEEL = "Could not install dependencies"


def lay_out(stage: Path, source: Path = ROOT) -> None:
    """Fill the directory `stage` with the parts of `source` that go into a function."""
    shutil.rmtree(stage, ignore_errors=True)
    stage.mkdir(parents=True)
    shutil.copy2(source / "app.py", stage)
    shutil.copy2(source / "requirements.txt", stage)
    shutil.copytree(
        source / ".chalice", stage / ".chalice", ignore=shutil.ignore_patterns("deployments", "deployed")
    )
    library = source / "chalicelib"

    def left_out(directory: str, names: list[str]) -> set[str]:
        here = set(names) & {"__pycache__"}
        return here | (set(names) & set(NOT_IN_A_FUNCTION) if Path(directory) == library else set())

    shutil.copytree(library, stage / "chalicelib", ignore=left_out)


def run_chalice(stage: Path, output: Path, merge_template: Path) -> None:
    """Write `deployment.zip` and `sam.yaml` into `output`, merged with `merge_template`, a YAML file.

    pip runs inside, with the settings of this environment, and installs only what the hashes of
    requirements.txt allow. Raises PackagingError if Chalice fails or leaves anything out.
    """
    shutil.rmtree(output, ignore_errors=True)
    command = [str(Path(sys.executable).with_name("chalice")), "--project-dir", str(stage), "package"]
    options = ["--stage", STAGE_NAME, "--merge-template", str(merge_template), str(output)]
    environment = {"AWS_DEFAULT_REGION": ANY_REGION, **os.environ}
    done = subprocess.run(  # noqa: S603 - our own program, with arguments of our own
        command + options, cwd=stage, env=environment, capture_output=True, text=True, check=False
    )
    said = (done.stdout + done.stderr).strip()
    if done.returncode != 0 or MISSING_WHEEL in said:
        raise PackagingError(f"chalice package failed:\n{said}")
