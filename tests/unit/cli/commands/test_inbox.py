"""`dm3 inbox --follow` over live connections: what is shown, what is told, and how it ends."""

from __future__ import annotations

import json
import os
import signal
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest

from chalicelib.client import Dm3Client
from tests.unit.cli.conftest import Run
from tests.unit.client.live_house import Cut, LiveHouse, live_house, once
from tests.unit.client.world import World


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


def press_ctrl_c() -> None:
    os.kill(os.getpid(), signal.SIGINT)


@contextmanager
def interrupt_when(true: Callable[[], bool]) -> Iterator[None]:
    """Press Ctrl-C once this is so."""

    def press() -> None:
        deadline_s = time.monotonic() + 20
        while not true() and time.monotonic() < deadline_s:
            time.sleep(0.01)
        press_ctrl_c()

    thread = threading.Thread(target=press)
    thread.start()
    yield
    thread.join()


def interrupt_after(house: LiveHouse, acknowledged: int) -> AbstractContextManager[None]:
    """Press Ctrl-C when so many messages were acknowledged: then they were shown."""
    return interrupt_when(lambda: len(house.said("acknowledge")) >= acknowledged)


def send_when_connected(house: LiveHouse, sender: Dm3Client, text: str) -> None:
    """Send and push once somebody is connected and has shown what waited."""

    def send() -> None:
        deadline_s = time.monotonic() + 20
        while not house.said("acknowledge") and time.monotonic() < deadline_s:
            time.sleep(0.01)
        sender.send("bob.eth", text)
        house.push()

    threading.Thread(target=send, daemon=True).start()


@pytest.mark.parametrize("as_json", [False, True])
def test_following_over_a_live_connection(
    run: Run, bob: Dm3Client, alice: Dm3Client, world: World, as_json: bool
) -> None:
    alice.send("bob.eth", "first")
    with live_house(world) as house, interrupt_after(house, 2):
        world.live = house
        send_when_connected(house, alice, "later")
        result = run("inbox", "--follow", "--ack", *(["--json"] if as_json else []))
        (token,) = {frame["token"] for frame in house.said("subscribe")}
    assert result.exit_code == 0
    if as_json:
        assert [json.loads(line)["text"] for line in result.stdout.splitlines()] == ["first", "later"]
        assert result.stderr.strip() == ""
    else:
        assert result.stdout.index("  first\n") < result.stdout.index("  later\n")
        assert result.stderr == "Connected to relay.eth.\n\n"
    assert token not in result.output
    assert list(bob.inbox()) == []


def test_a_lost_connection_is_told(run: Run, bob: Dm3Client, alice: Dm3Client, world: World) -> None:
    alice.send("bob.eth", "first")
    with live_house(world) as house, interrupt_after(house, 1):
        house.breaks.append(once("subscribed", Cut()))
        world.live = house
        result = run("inbox", "--follow", "--ack")
    assert result.stderr.splitlines() == [
        "Reconnecting to relay.eth: The live connection to the delivery service was lost.",
        "Connected to relay.eth.",
        "",
    ]


def test_a_relay_without_live_connections(
    run: Run, bob: Dm3Client, alice: Dm3Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    alice.send("bob.eth", "first")

    def looked_again() -> bool:
        return sum("/inbox/" in request.url for request in world.transport.requests) > 3

    with live_house(world, status=404) as house, interrupt_when(looked_again):
        world.live = house
        result = run("inbox", "--follow", "--poll", "0.1")
        assert house.connections == 0
    assert "✔ alice.eth" in result.stdout
    assert result.stderr.splitlines()[0] == (
        "Looking again and again at relay.eth: The delivery service has no live connections."
    )


def test_no_live_connection_on_request(
    run: Run, bob: Dm3Client, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    def sleep(_seconds: float) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr(world.clock, "sleep", sleep)
    with live_house(world) as house:
        world.live = house
        assert run("inbox", "--follow", "--no-live").exit_code == 0
        assert house.connections == 0


def test_following_without_an_account(run: Run, home: Path, world: World, bob: Dm3Client) -> None:
    bob.delete_account()
    with live_house(world) as house:
        world.live = house
        result = run("inbox", "--follow")
    assert result.exit_code == 1
    assert "There is no account" in result.stderr
