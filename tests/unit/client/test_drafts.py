from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.client.drafts import attach, new
from chalicelib.protocol.errors import InvalidInput


def test_a_file_of_unknown_type_is_bytes(tmp_path: Path) -> None:
    path = tmp_path / "thing.zzz"
    path.write_bytes(b"\x00")
    assert attach(path).data == "data:application/octet-stream;base64,AA=="


def test_a_file_that_is_missing(tmp_path: Path) -> None:
    with pytest.raises(InvalidInput):
        attach(tmp_path / "nothing")


def test_what_is_written_is_not_shown() -> None:
    assert "secret" not in repr(new("secret"))
