from __future__ import annotations

import pytest

from chalicelib.client import Dm3Client, Response
from chalicelib.client.own_inbox import OwnInbox, StoredPage
from chalicelib.protocol.errors import Forbidden, Unavailable
from tests.unit.client.world import RELAY, World, answering


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth")


def test_pages_come_unopened(world: World, bob: Dm3Client) -> None:
    alice = world.join("alice.eth")
    for text in ("one", "two"):
        alice.send("bob.eth", text)
    own, service = bob._own, bob._services.find(RELAY)
    first = own.read(service, None, limit=1, follow=False)
    second = own.read(service, first.position, limit=1, follow=False)
    assert (len(first.messages), len(second.messages), second.more) == (1, 1, False)
    ids = [str(message["id"]) for page in (first, second) for message in page.messages]  # type: ignore[index,call-overload]
    assert own.acknowledge(service, ids) == 2
    assert own.read(service, None, limit=None, follow=True).messages == ()


def test_an_answer_without_a_count_counts_nothing(world: World, bob: Dm3Client) -> None:
    world.faults.append(answering(Response(200, b"[]"), path="/acknowledgements"))
    assert bob._own.acknowledge(bob._services.find(RELAY), ["x"]) == 0


def test_an_answer_that_is_no_page(world: World, bob: Dm3Client) -> None:
    world.faults.append(answering(Response(200, b'{"messages":{}}'), path="/inbox/"))
    with pytest.raises(Unavailable):
        bob._own.read(bob._services.find(RELAY), None, limit=None, follow=False)


def test_another_ones_inbox(world: World, bob: Dm3Client) -> None:
    foreign = OwnInbox("alice.eth", bob._sessions)
    world.join("alice.eth")
    bob._sessions.token(bob._services.find(RELAY))
    with pytest.raises(Forbidden):
        foreign.read(bob._services.find(RELAY), None, limit=None, follow=False)


def test_messages_are_not_shown_by_repr() -> None:
    assert "secret" not in repr(StoredPage(({"x": "secret"},), "c", more=False))
