from __future__ import annotations

from pathlib import Path

import pytest

from infra.package.bundle import compile_all
from infra.package.errors import PackagingError
from infra.package.isolation import PROVIDED, lay_out_runtime, probe_bundle

HANDLERS = ("app.app", "app.bodies")
WHOLE = "def app(event, context): ...\ndef bodies(event, context): ...\n"


def bundle(root: Path, app: str, *, compiled: bool = True) -> Path:
    (root / "chalicelib").mkdir(parents=True)
    (root / "chalicelib" / "__init__.py").write_text("")
    (root / "app.py").write_text(app)
    if compiled:
        compile_all(root)
    return root


def test_the_stand_in_for_lambdas_runtime_brings_boto3_and_what_it_needs(tmp_path: Path) -> None:
    lay_out_runtime(tmp_path)
    assert {path.name.removesuffix(".py") for path in tmp_path.iterdir()} == set(PROVIDED)


def test_a_package_installed_on_this_machine_does_not_hide_that_the_bundle_lacks_it(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="No module named 'chalice'"):
        probe_bundle(bundle(tmp_path, "import chalice\n" + WHOLE), HANDLERS)


def test_a_dependency_that_is_imported_late_is_missed_too(tmp_path: Path) -> None:
    with pytest.raises(PackagingError, match="No module named 'Crypto'"):
        probe_bundle(bundle(tmp_path, WHOLE), HANDLERS)
