from __future__ import annotations

import zipfile
from pathlib import Path

import pytest

from infra.package import __main__ as program
from infra.package import build as building
from infra.package.bundle import Sizes
from infra.package.errors import PackagingError
from infra.package.isolation import Probed


def source(root: Path) -> Path:
    (root / ".chalice").mkdir(parents=True)
    (root / "chalicelib").mkdir()
    (root / "app.py").write_text("")
    (root / "requirements.txt").write_text("pynacl==1.6.2\n")
    return root


def test_a_dependency_that_chalice_leaves_out_in_silence_fails_the_build(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def chalice(_stage: Path, output: Path, _template: Path) -> None:
        output.mkdir()
        with zipfile.ZipFile(output / "deployment.zip", "w") as zipped:
            zipped.writestr("app.py", "")

    monkeypatch.setattr(building, "run_chalice", chalice)
    with pytest.raises(PackagingError, match=r"pynacl==1\.6\.2"):
        building.build(tmp_path / "out", source(tmp_path / "source"))


def test_the_program_says_what_it_built(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    built = building.Built(
        bundle=tmp_path / "bundle",
        archive=tmp_path / "relay.zip",
        sam=tmp_path / "sam.yaml",
        template=tmp_path / "relay.template.json",
        sizes=Sizes(zipped_bytes=9_000_000, unzipped_bytes=25_000_000, files=450),
        probed=Probed(import_cpu_s=0.25, modules_at_start=300, heavy_at_start=()),
    )
    monkeypatch.setattr(program, "build", lambda _output: built)
    monkeypatch.setattr("sys.argv", ["package"])
    assert program.main() == 0
    said = capsys.readouterr().out
    assert "9.0 MB zipped, 25.0 MB unzipped, 450 files" in said
    assert "250 ms of CPU" in said


def test_the_program_says_why_it_failed(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(_output: Path) -> None:
        raise PackagingError("no wheel for x")

    monkeypatch.setattr(program, "build", fail)
    monkeypatch.setattr("sys.argv", ["package"])
    assert program.main() == 1
    assert "no wheel for x" in capsys.readouterr().err
