"""One's own webhooks at one's own delivery services."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from chalicelib.client import Dm3Client, Response
from chalicelib.protocol.errors import InvalidInput, InvalidParams, NotFound, Unavailable
from tests.unit.client.webhook_world import WebhookWorld
from tests.unit.client.world import RELAY, SECOND, answering, down
from tests.unit.notify.webhooks.receiver import Receiver, Reply, echo, one_after_the_other, receiving
from tests.unit.relay.ports import HandClock


@pytest.fixture
def world() -> WebhookWorld:
    return WebhookWorld()


@pytest.fixture
def bob(world: WebhookWorld) -> Dm3Client:
    return world.join("bob.eth", RELAY, SECOND)


@pytest.fixture
def receiver() -> Iterator[Receiver]:
    with receiving(HandClock()) as receiver:
        yield receiver


def test_one_is_added_at_every_service_each_with_its_secret(bob: Dm3Client, receiver: Receiver) -> None:
    kept = bob.webhooks.add(receiver.url)
    first, second = kept.webhooks
    assert (first.delivery_service, second.delivery_service) == (RELAY, SECOND)
    assert (first.state, first.signature, first.url) == ("active", "v1", receiver.url)
    assert first.challenge is not None
    assert first.challenge.status == 200
    assert first.secret is not None
    assert first.secret != second.secret
    assert first.secret not in repr(first)
    listed = bob.webhooks.list()
    assert [(one.id, one.secret, one.challenge) for one in listed.webhooks] == [
        (first.id, None, None),
        (second.id, None, None),
    ]


def test_each_is_found_at_its_own_service(world: WebhookWorld, bob: Dm3Client, receiver: Receiver) -> None:
    for webhook in bob.webhooks.add(receiver.url, signature="v1a").webhooks:
        assert webhook.public_key is not None
        assert webhook.secret is None
        rotated = bob.webhooks.rotate(webhook.id)
        assert rotated.public_key != webhook.public_key
        assert rotated.old_secret_until_ms is not None
        assert bob.webhooks.test(webhook.id).state == "delivered"
        world.happen(bob.identity, relay=webhook.delivery_service)
        page = bob.webhooks.log(webhook.id, limit=1)
        assert page.cursor is not None
        rest = bob.webhooks.log(webhook.id, page.cursor)
        event = next(one for one in page.deliveries + rest.deliveries if one.type == "message.received")
        assert (event.state, event.size, event.message_id) == ("delivered", "small", "01" * 16)
        assert (event.attempts[0].status, event.attempts[0].number) == (204, 1)
        bob.webhooks.replay(webhook.id, event.id)
        assert bob.webhooks.pause(webhook.id).state == "paused"
        assert bob.webhooks.verify(webhook.id).state == "active"
        bob.webhooks.remove(webhook.id)
    assert bob.webhooks.list().webhooks == ()
    assert len(world.queues.sent) == 2


def test_all_that_was_held_is_replayed_page_by_page(
    world: WebhookWorld, bob: Dm3Client, receiver: Receiver
) -> None:
    webhook = bob.webhooks.add(receiver.url).webhooks[0]
    bob.webhooks.pause(webhook.id)
    for number in range(120):
        world.happen(bob.identity, number)
    bob.webhooks.verify(webhook.id)
    assert bob.webhooks.replay_since(webhook.id, 0) == 120
    assert len(world.queues.sent) == 120
    assert bob.webhooks.replay_since(webhook.id, 0) == 0


def test_what_the_service_says_is_told(bob: Dm3Client) -> None:
    with receiving(HandClock(), one_after_the_other(Reply(500))) as receiver:
        receiver.behaviour = lambda _: Reply(500)
        webhook = bob.webhooks.add(receiver.url).webhooks[0]
        assert webhook.state == "unverified"
        with pytest.raises(InvalidInput, match="answered the challenge with 500"):
            bob.webhooks.verify(webhook.id)
        with pytest.raises(InvalidInput, match="verified"):
            bob.webhooks.test(webhook.id)
        receiver.behaviour = echo
        assert bob.webhooks.verify(webhook.id).state == "active"
        with pytest.raises(InvalidParams):
            bob.webhooks.log(webhook.id, "cursor")
        with pytest.raises(InvalidInput, match="already"):
            bob.webhooks.add(receiver.url)


def test_a_service_that_is_down_hides_only_its_own(
    world: WebhookWorld, bob: Dm3Client, receiver: Receiver
) -> None:
    first, second = bob.webhooks.add(receiver.url).webhooks
    world.faults.insert(0, down(RELAY))
    kept = bob.webhooks.list()
    assert [one.id for one in kept.webhooks] == [second.id]
    assert [failure.delivery_service for failure in kept.unreached] == [RELAY]
    assert bob.webhooks.test(second.id).state == "delivered"
    # Perhaps the service that is down has it: nobody can say that it does not exist.
    with pytest.raises(Unavailable):
        bob.webhooks.test(first.id)
    world.faults.clear()
    with pytest.raises(NotFound, match="webhook"):
        bob.webhooks.test("unknown")


@pytest.mark.parametrize(
    "answer",
    [
        b"",
        b"[]",
        b"5",
        b"{}",
        b'{"webhooks": 1}',
        b'{"webhooks": [1]}',
        b'{"webhooks": [{"id": 1}]}',
        b'{"deliveries": [{"id": "x"}], "replayed": true}',
        b'{"deliveries": [], "cursor": 5, "replayed": 1}',
    ],
)
def test_an_answer_that_makes_no_sense_is_an_outage(
    world: WebhookWorld, bob: Dm3Client, answer: bytes
) -> None:
    world.faults.insert(0, answering(Response(200, answer, {}), path="/webhooks/"))
    webhooks = bob.webhooks
    for act in (
        webhooks.list,
        lambda: webhooks.add("https://a.example/"),
        lambda: webhooks.rotate("id"),
        lambda: webhooks.log("id"),
        lambda: webhooks.test("id"),
        lambda: webhooks.replay_since("id", 0),
    ):
        with pytest.raises(Unavailable):
            act()
