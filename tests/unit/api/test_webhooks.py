"""The routes of webhooks over HTTP: each answer as the OpenAPI document describes it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import pytest

from chalicelib.api import openapi, webhooks
from chalicelib.api.shapes import input_model, output_model
from chalicelib.client import Dm3Client
from tests.unit.client.webhook_world import WebhookWorld
from tests.unit.notify.webhooks.receiver import Receiver, Reply, one_after_the_other, receiving
from tests.unit.relay.ports import HandClock

ALL = "/webhooks/bob.eth"
ROUTES = {
    ("GET", ""),
    ("POST", ""),
    ("DELETE", "/{endpoint}"),
    ("POST", "/{endpoint}/verify"),
    ("POST", "/{endpoint}/pause"),
    ("POST", "/{endpoint}/rotate"),
    ("POST", "/{endpoint}/test"),
    ("GET", "/{endpoint}/log"),
    ("POST", "/{endpoint}/replay"),
}


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


@pytest.fixture
def bob(world: WebhookWorld) -> Dm3Client:
    return world.join("bob.eth")


@pytest.fixture
def token(world: WebhookWorld, bob: Dm3Client) -> str:
    return world.token(bob.identity)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(HandClock()) as receiver:
        yield receiver


def described(model: str, found: tuple[int, Any, Any], status: int = 200) -> Any:  # noqa: ANN401 - any JSON
    """The JSON of an answer, which must be as described."""
    assert found[0] == status, found[1]
    output_model(model).model_validate_json(found[2].body)
    return found[1]


def nowhere() -> Any:  # noqa: ANN401 - never returns
    raise AssertionError("describing needs no relay")


def test_from_nothing_to_nothing(world: WebhookWorld, bob: Dm3Client, token: str, receiver: Receiver) -> None:
    assert described("Webhooks", world.call("GET", ALL, token)) == {"webhooks": []}
    added = described("AddedWebhook", world.call("POST", ALL, token, {"url": receiver.url}), 201)
    assert added["state"] == "active"
    one = f"{ALL}/{added['id']}"
    (listed,) = described("Webhooks", world.call("GET", ALL, token))["webhooks"]
    assert listed == {name: added[name] for name in listed}
    assert (
        described("RotatedWebhook", world.call("POST", f"{one}/rotate", token))["secret"] != added["secret"]
    )
    assert described("Delivery", world.call("POST", f"{one}/test", token))["state"] == "delivered"
    world.happen(bob.identity)
    page = described("DeliveryLog", world.call("GET", f"{one}/log?limit=1", token))
    (delivery,) = page["deliveries"]
    rest = described("DeliveryLog", world.call("GET", f"{one}/log?cursor={page['cursor']}", token))
    assert {delivery["type"], rest["deliveries"][0]["type"]} == {"message.received", "webhook.test"}
    body = {"delivery": delivery["id"]}
    if delivery["type"] == "webhook.test":
        body = {"delivery": rest["deliveries"][0]["id"]}
    assert described("Replayed", world.call("POST", f"{one}/replay", token, body)) == {
        "replayed": 1,
        "cursor": None,
    }
    assert described("Webhook", world.call("POST", f"{one}/pause", token))["state"] == "paused"
    assert described("Webhook", world.call("POST", f"{one}/verify", token))["state"] == "active"
    assert world.call("DELETE", one, token)[:2] == (204, None)
    assert world.call("DELETE", one, token)[0] == 404
    assert described("Webhooks", world.call("GET", ALL, token)) == {"webhooks": []}


def test_with_a_key_pair(world: WebhookWorld, token: str, receiver: Receiver) -> None:
    body = {"url": receiver.url, "signature": "v1a"}
    added = described("AddedWebhook", world.call("POST", ALL, token, body), 201)
    assert added["publicKey"].startswith("whpk_")
    assert "secret" not in added


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES))
def test_only_the_owner(world: WebhookWorld, bob: Dm3Client, method: str, path: str) -> None:
    alice = world.join("alice.eth")
    where = ALL + path.replace("{endpoint}", "id")
    for token, status in ((None, 401), ("nonsense", 401), (world.token(alice.identity), 403)):
        found = world.call(method, where, token, {} if method == "POST" else None)
        assert found[0] == status
        assert set(found[1]) == {"error", "code"}
        assert found[2].headers["access-control-allow-origin"] == "*"


@pytest.mark.parametrize(("method", "path"), sorted(ROUTES - {("GET", ""), ("POST", "")}))
def test_what_is_not_there_is_not_found(world: WebhookWorld, token: str, method: str, path: str) -> None:
    for strange in ("id", "%00", "..", "%ff", "x" * 500):
        where = ALL + path.replace("{endpoint}", strange)
        found = world.call(method, where, token, {"since": 0} if method == "POST" else None)
        assert found[0] in (400, 404)


def test_wrong_documents_are_told_in_one_sentence(
    world: WebhookWorld, token: str, receiver: Receiver
) -> None:
    added = world.call("POST", ALL, token, {"url": receiver.url})[1]
    one = f"{ALL}/{added['id']}"
    for path, body in (
        (ALL, {"url": 5}),
        (ALL, {"url": "https://10.0.0.1/"}),
        (ALL, [1]),
        (ALL, {"url": receiver.url}),
        (f"{one}/replay", {}),
    ):
        status, told, _ = world.call("POST", path, token, body)
        assert (status, told["code"]) == (400, -32000)
        assert told["error"].endswith(".")
    for query in ("limit=x", "limit=-1", "limit=0", "cursor=x"):
        assert world.call("GET", f"{one}/log?{query}", token)[1]["code"] == -32602


def test_a_challenge_that_is_not_echoed_says_how_it_went(world: WebhookWorld, token: str) -> None:
    with receiving(HandClock(), lambda _: Reply(500)) as receiver:
        added = described("AddedWebhook", world.call("POST", ALL, token, {"url": receiver.url}), 201)
        assert (added["state"], added["challenge"]["status"]) == ("unverified", 500)
        status, told, _ = world.call("POST", f"{ALL}/{added['id']}/verify", token)
        assert (status, told["status"]) == (400, 500)
        assert told["error"] == "The webhook answered the challenge with 500."


def test_one_that_failed_is_in_the_log(world: WebhookWorld, bob: Dm3Client, token: str) -> None:
    with receiving(HandClock(), one_after_the_other(Reply(302, {"location": "/"}))) as receiver:
        added = world.call("POST", ALL, token, {"url": receiver.url})[1]
        world.happen(bob.identity)
        page = described("DeliveryLog", world.call("GET", f"{ALL}/{added['id']}/log", token))
    (attempt,) = page["deliveries"][0]["attempts"]
    assert (attempt["status"], attempt["reason"]) == (302, "redirected")
    assert page["deliveries"][0]["nextTryAt"] is not None
    assert len(world.later.kept) == 1


def test_all_of_it_is_described() -> None:
    routes = webhooks.routes(nowhere, nowhere).described
    assert {(route.method, route.path.removeprefix("/webhooks/{ensName}")) for route in routes} == ROUTES
    assert all(route.signed_in for route in routes)
    document: Any = openapi.document(routes)
    for reference in re.findall(r"#/components/schemas/(\w+)", str(document)):
        assert reference in document["components"]["schemas"]


@pytest.mark.parametrize(
    ("model", "document"),
    [
        ("NewWebhook", {"url": "https://a.example/"}),
        ("NewWebhook", {"url": "https://a.example/", "signature": "v1a"}),
        ("Replay", {"delivery": "msg_1"}),
        ("Replay", {"since": 1, "cursor": "c"}),
    ],
)
def test_what_is_taken_is_described(model: str, document: dict[str, object]) -> None:
    input_model(model).model_validate(document)
