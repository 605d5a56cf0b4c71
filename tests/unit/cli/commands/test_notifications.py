"""`dm3 notifications`."""

from __future__ import annotations

from pathlib import Path

import pytest

from chalicelib.client import Dm3Client
from tests.unit.cli.conftest import Run, as_json, use_keys
from tests.unit.client.notifying_world import NotifyingWorld
from tests.unit.client.world import RELAY, SECOND, down
from tests.unit.notify.desk_world import ADDRESS, Browser

DEFAULTS = {"quietHours": None, "minutesBetween": {"EMAIL": 15, "PUSH": 1, "SMS": 60}}


@pytest.fixture
def world() -> NotifyingWorld:
    return NotifyingWorld()


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


def said(run: Run, *words: str) -> str:
    result = run("notifications", *words)
    assert result.exit_code == 0, result.output
    return result.stdout


def test_from_beginning_to_end(run: Run, world: NotifyingWorld, bob: Dm3Client) -> None:
    assert said(run, "list").startswith(f"At {RELAY}:\n  Notifications are off.\n")
    assert said(run, "on") == f"Notifications are on at {RELAY}.\n"
    assert "there is no channel yet" in said(run, "list")
    assert said(run, "add", "email", ADDRESS) == f"A code is on its way at {RELAY}.\n"
    assert f"EMAIL          {ADDRESS}  (waits for its code)" in said(run, "list")
    world.clock.sleep(60)
    assert said(run, "code", "email") == f"Another code is on its way at {RELAY}.\n"
    assert said(run, "verify", "EMAIL", world.carriers.code) == f"The channel is verified at {RELAY}.\n"
    assert f"{ADDRESS}  (on)" in said(run, "list")
    assert said(run, "disable", "email") == f"The channel is off at {RELAY}.\n"
    assert f"{ADDRESS}  (off)" in said(run, "list")
    said(run, "enable", "email")
    assert said(run, "remove", "email") == f"The channel is removed at {RELAY}.\n"
    assert said(run, "off") == f"Notifications are off at {RELAY}.\n"


def test_a_browser_is_shown_without_its_secrets(run: Run, bob: Dm3Client) -> None:
    said(run, "on")
    assert said(run, "add", "push", Browser().subscription) == f"The channel is on at {RELAY}.\n"
    shown = said(run, "list")
    assert "PUSH           a browser at push.example  (on)" in shown
    assert "auth" not in shown


def test_json(run: Run, bob: Dm3Client) -> None:
    assert as_json(run("notifications", "on", "--json")) == {"done": [RELAY], "unreached": []}
    run("notifications", "add", "email", ADDRESS)
    channel = {"type": "EMAIL", "recipient": ADDRESS, "enabled": True, "verified": False}
    assert as_json(run("notifications", "list", "--json")) == {
        "notifications": {RELAY: {"enabled": True, "channels": [channel], "settings": DEFAULTS}},
        "unreached": [],
    }


def test_settings(run: Run, bob: Dm3Client) -> None:
    assert "EMAIL tells    at most once in 15 min" in said(run, "settings")
    shown = said(
        run,
        *("settings", "--quiet", "22:00-07:00", "--time-zone", "Europe/Berlin"),
        *("--every", "email=60", "--every", "push=5"),
    )
    assert "Quiet hours    22:00 to 07:00, Europe/Berlin" in shown
    assert "EMAIL tells    at most once in 60 min" in shown
    assert "PUSH tells     at most once in 5 min" in shown
    shown = said(run, "settings", "--every", "sms=5")
    assert "Quiet hours    22:00" in shown
    assert "EMAIL tells    at most once in 60 min" in shown
    assert "Quiet hours" not in said(run, "settings", "--no-quiet")


@pytest.mark.parametrize(
    ("words", "status"),
    [
        (("add", "fax", "1"), 2),
        (("add", "email"), 2),
        (("add", "email", "bob"), 1),
        (("add", "sms", "+4915112345678"), 1),
        (("code", "email"), 1),
        (("verify", "email", "12345"), 1),
        (("remove", "email"), 1),
        (("settings", "--quiet", "22:00-07:00"), 2),
        (("settings", "--quiet", "22:00-07:00", "--time-zone", "UTC", "--no-quiet"), 2),
        (("settings", "--quiet", "22:00", "--time-zone", "UTC"), 1),
        (("settings", "--quiet", "22:00-07:00", "--time-zone", "Mars/Base"), 1),
        (("settings", "--every", "email"), 1),
        (("settings", "--every", "fax=5"), 1),
        (("settings", "--every", "email=2000"), 1),
        (("settings", "--every", "push=0"), 1),
    ],
)
def test_called_wrongly_or_refused(run: Run, bob: Dm3Client, words: tuple[str, ...], status: int) -> None:
    said(run, "on")
    result = run("notifications", *words)
    assert result.exit_code == status
    assert result.stdout == ""


def test_a_refusal_says_what_to_do(run: Run, bob: Dm3Client) -> None:
    add = ("notifications", "add", "email")
    assert "dm3 notifications on" in run(*add, ADDRESS).stderr
    said(run, "on")
    assert "is not an e-mail address" in run(*add, "bob").stderr
    assert "offers no such channel" in run("notifications", "add", "sms", "+4915112345678").stderr
    said(run, "add", "email", ADDRESS)
    assert "dm3 notifications code" in run("notifications", "verify", "email", "00000").stderr


def test_services_that_are_down_are_told(run: Run, home: Path, world: NotifyingWorld) -> None:
    use_keys(home, world, "bob.eth", RELAY, SECOND)
    world.faults.insert(0, down(SECOND))
    for words in (("on",), ("list",)):
        assert f"Not done at {SECOND}: " in run("notifications", *words).stderr
    assert as_json(run("notifications", "off", "--json"))["unreached"][0]["deliveryService"] == SECOND
