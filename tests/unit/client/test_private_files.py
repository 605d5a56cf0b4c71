from __future__ import annotations

import stat
from pathlib import Path

import pytest

from chalicelib.client.private_files import read_private, write_private
from chalicelib.protocol.errors import InvalidInput


def test_a_loose_mode_does_not_survive_rewriting(tmp_path: Path) -> None:
    path = tmp_path / "file"
    path.write_text("old")
    path.chmod(0o644)
    write_private(path, b"new")
    assert path.read_bytes() == b"new"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600


def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(InvalidInput):
        write_private(tmp_path / "file" / "keys", b"x")


def test_a_failed_write_leaves_nothing_behind(tmp_path: Path) -> None:
    (tmp_path / "target").mkdir()
    with pytest.raises(InvalidInput):
        write_private(tmp_path / "target", b"x")
    assert [entry.name for entry in tmp_path.iterdir()] == ["target"]


def test_reading_is_bounded(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"12345")
    assert read_private(tmp_path / "file", max_bytes=5) == b"12345"
    with pytest.raises(InvalidInput):
        read_private(tmp_path / "file", max_bytes=4)
    with pytest.raises(InvalidInput):
        read_private(tmp_path, max_bytes=4)
