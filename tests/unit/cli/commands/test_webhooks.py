"""`dm3 webhooks`."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from chalicelib.client import Dm3Client
from tests.unit.cli.conftest import Run, use_keys
from tests.unit.client.webhook_world import WebhookWorld
from tests.unit.client.world import RELAY, SECOND, down
from tests.unit.notify.webhooks.receiver import Receiver, Reply, echo, one_after_the_other, receiving
from tests.unit.relay.ports import HandClock


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


@pytest.fixture
def bob(bob_has_keys: Dm3Client) -> Dm3Client:
    return bob_has_keys


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(HandClock()) as receiver:
        yield receiver


def told(run: Run, *words: str, status: int = 0) -> Any:  # noqa: ANN401 - any JSON
    result = run("webhooks", *words, "--json")
    assert result.exit_code == status, result.output
    return json.loads(result.stdout)


def added(run: Run, url: str, *words: str) -> Any:  # noqa: ANN401 - any JSON
    (webhook,) = told(run, "add", url, *words)["webhooks"]
    return webhook


def test_for_people(run: Run, world: WebhookWorld, bob: Dm3Client, receiver: Receiver) -> None:
    shown = run("webhooks", "add", receiver.url).stdout
    webhook = bob.webhooks.list().webhooks[0]
    for words in (f"{webhook.id}  active  v1  {receiver.url}  ({RELAY})", "Secret     whsec_"):
        assert words in shown
    shown = run("webhooks", "list").stdout
    assert webhook.id in shown
    assert "whsec_" not in shown
    world.happen(bob.identity)
    shown = run("webhooks", "log", webhook.id).stdout
    assert "delivered  message.received  msg_" in shown
    assert "try 1  204" in shown
    assert "delivered  webhook.test" in run("webhooks", "test", webhook.id).stdout
    assert "There is more: --cursor " in run("webhooks", "log", webhook.id, "--limit", "1").stdout
    shown = run("webhooks", "rotate", webhook.id).stdout
    assert "Secret     whsec_" in shown
    assert "The old secret signs until 20" in shown
    assert "  paused  " in run("webhooks", "pause", webhook.id).stdout
    assert "  active  " in run("webhooks", "verify", webhook.id).stdout
    delivery = next(one for one in bob.webhooks.log(webhook.id).deliveries if one.type == "message.received")
    assert "1 sent again" in run("webhooks", "replay", webhook.id, delivery.id).stdout
    assert run("webhooks", "remove", webhook.id).stdout == "It is removed.\n"
    assert run("webhooks", "list").stdout == "There are no webhooks.\n"


def test_for_programs(run: Run, world: WebhookWorld, bob: Dm3Client, receiver: Receiver) -> None:
    webhook = added(run, receiver.url, "--signature", "v1a")
    assert webhook["publicKey"].startswith("whpk_")
    assert webhook["challenge"]["status"] == 200
    one = webhook["id"]
    assert told(run, "list")["webhooks"][0]["id"] == one
    assert told(run, "rotate", one)["publicKey"] != webhook["publicKey"]
    assert told(run, "test", one)["state"] == "delivered"
    assert told(run, "pause", one)["state"] == "paused"
    for number in (1, 2):
        world.happen(bob.identity, number)
    assert told(run, "verify", one)["state"] == "active"
    log = told(run, "log", one)
    assert [entry["state"] for entry in log["deliveries"]].count("held") == 2
    assert told(run, "replay", one, "--hours", "720") == {"replayed": 2}
    assert told(run, "remove", one) == {"removed": one}


def test_one_that_does_not_answer(run: Run, bob: Dm3Client) -> None:
    with receiving(HandClock(), lambda _: Reply(503)) as receiver:
        shown = run("webhooks", "add", receiver.url).stdout
        assert "unverified" in shown
        assert "Challenge  503: verify it when it is ready" in shown
        one = bob.webhooks.list().webhooks[0].id
        refused = run("webhooks", "verify", one)
        assert refused.exit_code == 1
        assert refused.stderr == "Error: The webhook answered the challenge with 503.\n"
        receiver.behaviour = echo
        run("webhooks", "verify", one)
        receiver.behaviour = one_after_the_other(Reply(302, {"location": "/"}))
        failed = run("webhooks", "test", one)
        assert failed.exit_code == 4
        assert "try 1  302 redirected" in failed.stdout


def test_what_is_failing_and_what_comes_next_is_shown(run: Run, world: WebhookWorld, bob: Dm3Client) -> None:
    with receiving(HandClock(), one_after_the_other(Reply(500))) as receiver:
        one = added(run, receiver.url)["id"]
        world.happen(bob.identity)
        assert "Failing since 20" in run("webhooks", "list").stdout
        shown = run("webhooks", "log", one).stdout
        assert "pending" in shown
        assert "  next try" in shown


def test_a_service_that_is_down_is_told(
    run: Run,
    world: WebhookWorld,
    home: Path,
    receiver: Receiver,
) -> None:
    use_keys(home, world, "bob.eth", RELAY, SECOND)
    world.faults.insert(0, down(SECOND))
    for words in (("add", receiver.url), ("list",)):
        result = run("webhooks", *words)
        assert (result.exit_code, f"Not done at {SECOND}: " in result.stderr) == (0, True)
        assert told(run, "list")["unreached"][0]["deliveryService"] == SECOND


def test_wrong_usage(run: Run, bob: Dm3Client) -> None:
    for words in (
        ("replay", "id"),
        ("replay", "id", "msg_1", "--hours", "3"),
        ("replay", "id", "--hours", "0"),
        ("add", "https://a.example/", "--signature", "v2"),
        ("log", "id", "--limit", "0"),
    ):
        assert run("webhooks", *words).exit_code == 2
    assert run("webhooks", "test", "unknown").exit_code == 1
    assert run("webhooks", "add", "http://10.0.0.1/").exit_code == 1
