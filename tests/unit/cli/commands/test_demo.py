from __future__ import annotations

import pytest

from chalicelib.cli.demo import story
from chalicelib.cli.demo.narrator import Narrator
from chalicelib.protocol.errors import Unavailable
from infra.local.node import MissingNode
from tests.unit.cli.conftest import Run, as_json


def test_a_claim_that_does_not_hold_ends_it_with_status_1(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(narrator: Narrator) -> None:
        with narrator.step("First"):
            narrator.prove("Water is wet", holds=True)
            narrator.prove("Pigs fly", holds=False)

    monkeypatch.setattr(story, "tell", tell)
    result = run("demo")
    assert result.exit_code == 1
    assert "✔ Water is wet" in result.stdout
    assert "✘ It does not hold that pigs fly." in result.stdout
    assert "It stopped there" in result.stdout


@pytest.mark.parametrize("error", [OSError(98, "Address in use"), MissingNode("no node"), Unavailable()])
def test_what_goes_wrong_is_told(run: Run, monkeypatch: pytest.MonkeyPatch, error: Exception) -> None:
    def tell(_narrator: Narrator) -> None:
        raise error

    monkeypatch.setattr(story, "tell", tell)
    result = run("demo", "--json")
    assert result.exit_code == 1
    assert '"held": false' in result.stdout


def test_when_all_holds_the_status_is_0(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    def tell(narrator: Narrator) -> None:
        with narrator.step("Only"):
            narrator.prove("Water is wet", holds=True)

    monkeypatch.setattr(story, "tell", tell)
    assert as_json(run("demo", "--json")) == {
        "held": True,
        "reason": None,
        "proofs": [{"step": "Only", "proven": "Water is wet"}],
    }
    assert "1 claims were tried, and all of them held." in run("demo").stdout
