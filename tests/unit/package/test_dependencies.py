from __future__ import annotations

from pathlib import Path

from infra.package.dependencies import bundled, missing, required
from infra.package.stage import ROOT

LOCK = """\
# made by a tool
pydantic==2.13.5 \\
    --hash=sha256:00
    # via dm3-relay
Typing_Extensions==4.16.0 ; python_version >= '3.0' \\
    --hash=sha256:01
pywin32==1 ; sys_platform == 'win32'
"""


def test_the_lock_file_gives_canonical_names_and_versions_for_this_platform(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(LOCK)
    assert required(lock) == {"pydantic": "2.13.5", "typing-extensions": "4.16.0"}


def test_every_pin_of_the_real_lock_file_is_read() -> None:
    pins = required(ROOT / "requirements.txt")
    hashed = (ROOT / "requirements.txt").read_text().count("==")
    assert len(pins) == hashed
    assert {"pynacl", "coincurve", "pycryptodome", "pydantic", "urllib3", "pyjwt", "ens-normalize"} <= set(
        pins
    )


def test_what_the_metadata_of_a_bundle_names_is_bundled(tmp_path: Path) -> None:
    (tmp_path / "pydantic-2.13.5.dist-info").mkdir()
    (tmp_path / "typing_extensions-4.16.0.dist-info").mkdir()
    (tmp_path / "pydantic").mkdir()
    assert bundled(tmp_path) == {"pydantic": "2.13.5", "typing-extensions": "4.16.0"}


def test_what_is_absent_or_of_another_version_is_missing(tmp_path: Path) -> None:
    lock = tmp_path / "requirements.txt"
    lock.write_text(LOCK)
    (tmp_path / "pydantic-2.12.0.dist-info").mkdir()
    assert missing(lock, tmp_path) == ["pydantic==2.13.5", "typing-extensions==4.16.0"]
