"""The rules of the house that a machine can check."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("chalicelib", "infra")
LONGEST_MODULE_LINES = 500


def _modules() -> Iterator[Path]:
    yield ROOT / "app.py"
    for package in PACKAGES:
        yield from (
            path for path in sorted((ROOT / package).rglob("*.py")) if "node_modules" not in path.parts
        )


def test_layers_depend_inwards_only() -> None:
    linter = Path(sys.executable).with_name("lint-imports")
    run = subprocess.run([linter, "--no-cache"], cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr


@pytest.mark.parametrize("path", list(_modules()), ids=lambda path: str(path.relative_to(ROOT)))
def test_a_module_says_one_thing(path: Path) -> None:
    text = path.read_text()
    assert len(text.splitlines()) <= LONGEST_MODULE_LINES
    assert path.name not in {"utils.py", "helpers.py", "common.py", "misc.py"}
    assert ast.get_docstring(ast.parse(text)), "the module does not say what it is for"
    assert not re.search(r"\b(TODO|FIXME|XXX)\b", text)


def test_app_is_composition_only() -> None:
    assert len((ROOT / "app.py").read_text().splitlines()) < 100


@pytest.mark.parametrize("layer", ["protocol", "fetching", "names", "relay", "store", "aws", "notify"])
def test_every_module_has_its_tests(layer: str) -> None:
    """`chalicelib/x/y.py` is tested in `tests/unit/x/test_y.py`; what has no logic of its own is exempt."""
    without_logic = {"__init__", "json_types", "ports", "entropy", "service", "carrier"}
    missing = []
    for path in sorted((ROOT / "chalicelib" / layer).rglob("*.py")):
        relative = path.relative_to(ROOT / "chalicelib")
        expected = ROOT / "tests" / "unit" / relative.parent / f"test_{path.stem}.py"
        if path.stem not in without_logic and not expected.exists():
            missing.append(str(relative))
    assert missing == []
