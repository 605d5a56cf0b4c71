from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.cli.main import COMMANDS, dm3, main
from chalicelib.protocol.errors import Unavailable
from tests.unit.cli.conftest import Run


def test_help_teaches_without_importing_what_it_does_not_need() -> None:
    """`dm3 --help` is what people type first: it must not take the seconds that web3 takes."""
    code = (
        "import sys\nfrom chalicelib.cli.main import dm3\n"
        "dm3.main(['--help'], standalone_mode=False)\n"
        "heavy = {'web3', 'eth_account', 'boto3', 'botocore', 'moto', 'chalice', 'nacl', 'rich', 'urllib3'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr
    for command in COMMANDS:
        assert f"\n  {command} " in run.stdout
    assert "dm3 keys create alice.eth" in run.stdout


def test_sending_does_not_import_web3() -> None:
    code = (
        "import sys\nfrom chalicelib.cli.commands import inbox, profile, send\n"
        "heavy = {'web3', 'eth_account', 'boto3', 'botocore', 'chalice'}\n"
        "sys.exit(', '.join(heavy & set(sys.modules)) or None)"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("keys",),
        ("keys", "create"),
        ("keys", "show"),
        ("keys", "import"),
        ("profile",),
        ("profile", "publish"),
        ("profile", "show"),
        ("send",),
        ("inbox",),
        ("ack",),
        ("outbox",),
        ("local",),
        ("demo",),
    ],
)
def test_every_command_has_help_with_examples_and_json(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words, "--help")
    assert result.exit_code == 0
    assert "\\b" not in result.stdout
    if words not in (("keys",), ("profile",)):
        assert "\n  Examples:\n    " in result.stdout
        assert "--json" in result.stdout


def test_an_error_past_every_command_is_one_sentence(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(**_settings: object) -> None:
        raise Unavailable("It is down.")

    monkeypatch.setattr(dm3, "main", fail)
    with pytest.raises(SystemExit) as ended:
        main()
    assert ended.value.code == 1
    assert capsys.readouterr().err == "Error: It is down.\n"


def test_the_installed_command_is_this_one() -> None:
    script = Path(sys.executable).with_name("dm3")
    run = subprocess.run([script, "--version"], capture_output=True, text=True, check=False)
    assert run.returncode == 0
    assert run.stdout.startswith("dm3, version ")
