from __future__ import annotations

import pytest

from infra.local import serve
from infra.local.chain import ChainError
from infra.local.node import MissingNode
from tests.unit.cli.conftest import Run


def test_options_reach_the_relay(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[tuple[object, ...]] = []
    monkeypatch.setattr(serve, "run", lambda *options: calls.append(options))
    assert run("local").exit_code == 0
    options = ("--port", "1", "--rpc-port", "2", "--aws-url", "http://x", "--accounts", "3")
    assert run("local", *options).exit_code == 0
    assert calls == [(0, 0, None, 10), (1, 2, "http://x", 3)]


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (OSError(98, "Address already in use"), "Error: The relay cannot start: Address already in use.\n"),
        (MissingNode("x"), "Error: The Ethereum node is missing or does not start; run: make setup.\n"),
        (ChainError("x"), "Error: The local chain did not come up.\n"),
    ],
)
def test_what_does_not_start_is_told_in_one_sentence(
    run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception, sentence: str
) -> None:
    def fail(*_options: object) -> None:
        raise error

    monkeypatch.setattr(serve, "run", fail)
    result = run("local")
    assert (result.exit_code, result.stdout, result.stderr) == (1, "", sentence)


@pytest.mark.parametrize("words", [("--port", "70000"), ("--accounts", "0"), ("--port", "x")])
def test_called_wrongly(run: Run, words: tuple[str, ...]) -> None:
    assert run("local", *words).exit_code == 2
