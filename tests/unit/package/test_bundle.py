from __future__ import annotations

import importlib.util
import zipfile
from pathlib import Path

import pytest

from infra.package.bundle import compile_all, is_needed, pack, prune, unpack
from infra.package.errors import PackagingError


def fill(bundle: Path, *names: str, text: str = "x = {'a', 'b'}\n") -> None:
    for name in names:
        file = bundle / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text)


@pytest.mark.parametrize(
    ("name", "needed"),
    [
        ("app.py", True),
        ("chalicelib/relay/service.py", True),
        ("nacl/_sodium.abi3.so", True),
        ("_cffi_backend.cpython-311-x86_64-linux-gnu.so", True),
        ("pydantic-2.13.5.dist-info/METADATA", True),
        ("Crypto/Hash/keccak.py", True),
        ("Crypto/Hash/_keccak.abi3.so", True),
        ("Crypto/Hash/SHA256.py", False),
        ("Crypto/SelfTest/Hash/common.py", False),
        ("Crypto/Cipher/AES.py", False),
        ("cffi/api.py", False),
        ("pycparser/c_parser.py", False),
        ("pydantic/v1/main.py", False),
        ("dns/resolver.py", False),
        ("wsproto/connection.py", False),
        ("engineio/packet.py", True),
        ("pydantic/main.pyi", False),
        ("pydantic/py.typed", False),
        ("pydantic/__pycache__/main.cpython-39.pyc", False),
    ],
)
def test_only_what_can_run_is_needed(name: str, needed: bool) -> None:
    assert is_needed(name) is needed


def test_pruning_leaves_no_unneeded_file_and_no_empty_directory(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", "Crypto/SelfTest/Hash/a.py", "pydantic/v1/main.py", "pydantic/main.py")
    prune(tmp_path)
    assert sorted(path.relative_to(tmp_path).as_posix() for path in tmp_path.rglob("*")) == [
        "app.py",
        "pydantic",
        "pydantic/main.py",
    ]


def test_every_module_gets_bytecode_that_names_its_place_in_lambda(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", text="def handler():\n    raise KeyError\n")
    compile_all(tmp_path)
    cached = Path(importlib.util.cache_from_source(str(tmp_path / "app.py")))
    content = cached.read_bytes()
    unchecked_hash = 0b01
    assert int.from_bytes(content[4:8], "little") == unchecked_hash
    assert b"/var/task/app.py" in content


def test_a_module_that_does_not_compile_fails_the_packaging(tmp_path: Path) -> None:
    fill(tmp_path, "app.py", text="def (:\n")
    with pytest.raises(PackagingError, match="does not compile"):
        compile_all(tmp_path)


def test_equal_bundles_make_equal_archives(tmp_path: Path) -> None:
    archives = []
    for name in ("one", "two"):
        bundle = tmp_path / name / "bundle"
        fill(bundle, "b.py", "a/c.py")
        compile_all(bundle)
        archive = tmp_path / f"{name}.zip"
        pack(bundle, archive)
        archives.append(archive.read_bytes())
    assert archives[0] == archives[1]


def test_an_archive_holds_what_was_packed_readable_by_all(tmp_path: Path) -> None:
    fill(tmp_path / "bundle", "a/b.py", "c.py")
    sizes = pack(tmp_path / "bundle", tmp_path / "x.zip")
    with zipfile.ZipFile(tmp_path / "x.zip") as zipped:
        assert zipped.namelist() == ["a/b.py", "c.py"]
        assert all((entry.external_attr >> 16) & 0o004 for entry in zipped.infolist())
    assert (sizes.files, sizes.unzipped_bytes) == (2, 2 * len("x = {'a', 'b'}\n"))
    assert sizes.zipped_bytes == (tmp_path / "x.zip").stat().st_size


def test_unpacking_leaves_nothing_of_what_was_there_before(tmp_path: Path) -> None:
    fill(tmp_path / "one", "new.py")
    pack(tmp_path / "one", tmp_path / "x.zip")
    fill(tmp_path / "bundle", "old.py")
    unpack(tmp_path / "x.zip", tmp_path / "bundle")
    assert [path.name for path in (tmp_path / "bundle").iterdir()] == ["new.py"]
