from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from chalicelib.cli.main import COMMANDS, dm3, main
from chalicelib.protocol.errors import InvalidParams, Unavailable
from tests.unit.cli.conftest import Run, as_json


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


@pytest.mark.parametrize(
    "words",
    [
        ("--json",),
        ("nonsense", "--json"),
        ("keys", "--json"),
        ("keys", "create", "--json"),
        ("profile", "show", "--json"),
        ("send", "--json", "bob.eth", "x", "--type", "nonsense"),
        ("inbox", "--json", "--poll", "x"),
        ("inbox", "--json", "--rpc-url", "ftp://x"),
        ("local", "--json", "--port", "70000"),
    ],
)
def test_wrong_usage_is_told_in_json_to_whoever_asks_for_it(run: Run, words: tuple[str, ...]) -> None:
    result = run(*words)
    assert (result.exit_code, result.stdout) == (2, "")
    told = json.loads(result.stderr)
    assert told.keys() == {"error", "code"}
    assert told["code"] == InvalidParams.code
    assert "Usage:" not in told["error"]


def test_wrong_usage_is_told_to_people_as_ever(run: Run) -> None:
    for words in (("send",), ("keys", "create", "--", "--json")):
        result = run(*words)
        assert result.exit_code == 2
        assert result.stderr.startswith("Usage: dm3 ")


def test_a_question_that_is_not_answered_is_told_in_json(run: Run) -> None:
    words = ("keys", "create", "x.eth", "--delivery-service", "relay.eth", "--new-wallet", "--json")
    result = run(*words, given="", env={"DM3_PASSPHRASE": None})
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr.splitlines()[-1])["error"] == "It was interrupted."


def test_help_and_success_are_as_ever_with_json(run: Run, bob_has_keys: object) -> None:
    assert run("send", "--json", "--help").exit_code == 0
    assert as_json(run("outbox", "--json")) == []


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
