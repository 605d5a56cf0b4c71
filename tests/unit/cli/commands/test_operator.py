from __future__ import annotations

import json
from pathlib import Path

import pytest

from chalicelib.cli.commands import operator
from chalicelib.client import MemoryTransport, Request, Response
from tests.unit.cli.conftest import Run, as_json

URL = "https://relay.example/api"
DOCUMENT = {"block": ["mallory.eth"], "limits": {}, "minimumVersion": "v1"}


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Request]:
    """What the relay was asked; it takes every document, and the token "secret" only."""

    def answer(request: Request) -> Response:
        if request.headers["authorization"] != "Bearer secret":
            return Response(401, b'{"error":"Sign in first.","code":-32003}')
        return Response(200, request.body or json.dumps(DOCUMENT).encode())

    transport = MemoryTransport(answer)
    monkeypatch.setattr(operator, "HttpTransport", lambda **_: transport)
    monkeypatch.setenv("DM3_RELAY_URL", URL)
    monkeypatch.setenv("DM3_OPERATOR_TOKEN", "secret")
    return transport.requests


def test_showing(run: Run, asked: list[Request]) -> None:
    assert as_json(run("operator", "rules", "show", "--json")) == DOCUMENT
    shown = run("operator", "rules", "show").stdout
    assert 'block               ["mallory.eth"]\n' in shown
    assert "minimumVersion      v1\n" in shown


def test_setting(run: Run, home: Path, asked: list[Request]) -> None:
    (home / "rules.json").write_text(json.dumps(DOCUMENT))
    (home / "token").write_text("secret\n")
    words = ("operator", "rules", "set", str(home / "rules.json"), "--token-file", str(home / "token"))
    assert as_json(run(*words, "--json", env={"DM3_OPERATOR_TOKEN": None})) == DOCUMENT
    assert [(request.method, json.loads(request.body)) for request in asked] == [("PUT", DOCUMENT)]


@pytest.mark.parametrize("text", ["", "[]", "{", "null"])
def test_a_file_that_is_no_document(run: Run, home: Path, asked: list[Request], text: str) -> None:
    (home / "rules.json").write_text(text)
    result = run("operator", "rules", "set", str(home / "rules.json"))
    assert (result.exit_code, result.stderr, asked) == (1, "Error: The file is not a JSON object.\n", [])


def test_without_a_token_or_with_a_wrong_one(run: Run, asked: list[Request]) -> None:
    result = run("operator", "rules", "show", env={"DM3_OPERATOR_TOKEN": None})
    assert (result.exit_code, asked) == (1, [])
    assert result.stderr.startswith("Error: No token was given")
    result = run("operator", "rules", "show", env={"DM3_OPERATOR_TOKEN": "other"})
    assert (result.exit_code, result.stderr) == (1, "Error: Sign in first.\n")
    assert run("operator", "rules", "show", env={"DM3_RELAY_URL": None}).exit_code == 2
