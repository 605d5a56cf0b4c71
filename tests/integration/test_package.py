"""The bundle that `make package` builds."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest

from infra.package.build import UNZIPPED_CEILING_BYTES, ZIPPED_CEILING_BYTES, Built
from infra.package.dependencies import missing
from infra.package.errors import PackagingError
from infra.package.isolation import PROVIDED, probe_bundle
from infra.package.stage import ROOT

pytestmark = pytest.mark.xdist_group("deployed-relay")


def test_it_stays_below_its_ceilings(built: Built) -> None:
    assert built.sizes.zipped_bytes == built.archive.stat().st_size < ZIPPED_CEILING_BYTES
    assert built.sizes.unzipped_bytes < UNZIPPED_CEILING_BYTES


def test_every_pinned_dependency_is_in_it(built: Built) -> None:
    assert missing(ROOT / "requirements.txt", built.bundle) == []


def test_what_lambda_provides_is_not(built: Built) -> None:
    names = {path.name.removesuffix(".py") for path in built.bundle.iterdir()}
    assert not names & set(PROVIDED)


def test_neither_are_the_command_line_the_sdk_and_tests(built: Built) -> None:
    assert (built.bundle / "chalicelib" / "relay" / "service.py").exists()
    for left_out in ("chalicelib/cli", "chalicelib/client", "tests", "infra"):
        assert not (built.bundle / left_out).exists()


def test_every_module_has_bytecode_of_the_runtime_and_no_other(built: Built) -> None:
    tag = sys.implementation.cache_tag
    for module in built.bundle.rglob("*.py"):
        assert (module.parent / "__pycache__" / f"{module.stem}.{tag}.pyc").exists(), module
    assert all(path.name.endswith(f".{tag}.pyc") for path in built.bundle.rglob("*.pyc"))


def test_what_only_the_sdk_and_servers_of_sockets_need_is_not(built: Built) -> None:
    assert (built.bundle / "engineio" / "packet.py").exists()
    assert (built.bundle / "socketio" / "packet.py").exists()
    for left_out in ("websockets", "simple_websocket", "wsproto", "h11", "dns"):
        assert not (built.bundle / left_out).exists()


def test_a_function_without_a_handler_would_be_refused(built: Built) -> None:
    with pytest.raises(PackagingError, match=r"are no handlers in app.py: \['pigeons'\]"):
        probe_bundle(built.bundle, ["app.bodies", "app.pigeons"])


def test_the_application_starts_without_the_heavy_libraries(built: Built) -> None:
    assert built.probed.heavy_at_start == ()


def test_a_bundle_without_bytecode_would_be_refused(built: Built, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(built.bundle, tmp_path / "bundle"))
    next((bundle / "__pycache__").glob("app.*")).unlink()
    with pytest.raises(PackagingError, match=r"have no bytecode: \['app'\]"):
        probe_bundle(bundle, ["app.app"])


def test_a_bundle_without_a_late_import_would_be_refused(built: Built, tmp_path: Path) -> None:
    bundle = Path(shutil.copytree(built.bundle, tmp_path / "bundle"))
    shutil.rmtree(bundle / "ens_normalize")
    with pytest.raises(PackagingError, match="No module named 'ens_normalize'"):
        probe_bundle(bundle, ["app.app"])
