from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from infra.package import stage
from infra.package.errors import PackagingError


def source(root: Path) -> Path:
    for name in (
        "app.py",
        "requirements.txt",
        ".chalice/config.json",
        ".chalice/deployments/old.zip",
        "chalicelib/__init__.py",
        "chalicelib/__pycache__/x.pyc",
        "chalicelib/cli/main.py",
        "chalicelib/client/send.py",
        "chalicelib/relay/client/kept.py",
        "chalicelib/relay/service.py",
        "tests/test_x.py",
    ):
        file = root / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text("")
    return root


def test_the_stage_holds_what_runs_in_a_function_and_nothing_else(tmp_path: Path) -> None:
    stage.lay_out(tmp_path / "stage", source(tmp_path / "source"))
    files = {
        path.relative_to(tmp_path / "stage").as_posix()
        for path in (tmp_path / "stage").rglob("*")
        if path.is_file()
    }
    assert files == {
        "app.py",
        "requirements.txt",
        ".chalice/config.json",
        "chalicelib/__init__.py",
        "chalicelib/relay/client/kept.py",
        "chalicelib/relay/service.py",
    }


def test_laying_out_again_forgets_what_was_there(tmp_path: Path) -> None:
    (tmp_path / "stage").mkdir()
    (tmp_path / "stage" / "old.py").write_text("")
    stage.lay_out(tmp_path / "stage", source(tmp_path / "source"))
    assert not (tmp_path / "stage" / "old.py").exists()


def test_a_failing_chalice_fails_the_packaging_with_its_words(tmp_path: Path) -> None:
    (tmp_path / ".chalice").mkdir()
    (tmp_path / ".chalice" / "config.json").write_text(
        json.dumps({"version": "2.0", "app_name": "x", "stages": {"prod": {}}})
    )
    (tmp_path / "app.py").write_text("raise RuntimeError('broken on purpose')\n")
    with pytest.raises(PackagingError, match="broken on purpose"):
        stage.run_chalice(tmp_path, tmp_path / "out", tmp_path / "merge.yaml")


def test_a_missing_wheel_fails_the_packaging_though_chalice_exits_with_0(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chalice = tmp_path / "chalice"
    chalice.write_text("#!/bin/sh\necho 'Could not install dependencies:'\necho 'somelib==1'\n")
    chalice.chmod(0o755)
    monkeypatch.setattr(sys, "executable", str(tmp_path / "python"))
    with pytest.raises(PackagingError, match="somelib==1"):
        stage.run_chalice(tmp_path, tmp_path / "out", tmp_path / "merge.yaml")
