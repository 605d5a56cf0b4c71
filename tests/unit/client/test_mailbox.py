from __future__ import annotations

import json
from itertools import islice

import pytest

from chalicelib.client import Dm3Client, Patience, Request, Response
from chalicelib.protocol.errors import InvalidParams, NotFound, Unavailable
from tests.unit.client.world import RELAY, World, answering


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth")


@pytest.mark.parametrize("identifier", ["", "x", f"{RELAY}/x"])
def test_a_foreign_id(bob: Dm3Client, identifier: str) -> None:
    with pytest.raises(InvalidParams):
        bob.acknowledge([identifier])


def test_an_id_of_a_service_that_is_gone(bob: Dm3Client) -> None:
    with pytest.raises(NotFound):
        bob.acknowledge(["gone.eth/x"])


def test_a_foreign_cursor(bob: Dm3Client) -> None:
    with pytest.raises(InvalidParams):
        bob.fetch("nonsense")


def test_more_than_one_request_can_carry_is_acknowledged_in_parts(world: World, bob: Dm3Client) -> None:
    sizes: list[int] = []

    def count(request: object) -> Response | None:
        if not request.url.endswith("/acknowledgements"):  # type: ignore[attr-defined]
            return None
        ids = json.loads(request.body)["ids"]  # type: ignore[attr-defined]
        sizes.append(len(ids))
        return Response(200, json.dumps({"acknowledged": len(ids)}).encode())

    world.faults.append(count)
    assert bob.acknowledge(f"{RELAY}/{number}" for number in range(2_500)) == 2_500
    assert sizes == [1_000, 1_000, 500]


@pytest.mark.parametrize("answer", [b"[]", b"{}", b'{"messages":[],"cursor":1,"more":false}', b"null", b""])
def test_a_page_that_is_none(world: World, bob: Dm3Client, answer: bytes) -> None:
    world.faults.append(answering(Response(200, answer), path="/inbox/"))
    with pytest.raises(Unavailable):
        bob.fetch()


def test_junk_is_counted_and_can_be_acknowledged(world: World, bob: Dm3Client) -> None:
    page = {"messages": [{"id": "junk", "envelope": {}}], "cursor": "c", "more": False, "unreadable": 0}
    world.faults.append(answering(Response(200, json.dumps(page).encode()), path="/inbox/bob.eth", times=1))
    fetched = bob.fetch()
    assert fetched.messages == ()
    (junk,) = fetched.unreadable
    assert junk.id == f"{RELAY}/junk"


def test_following_remembers_what_the_overlap_brings_again(world: World, bob: Dm3Client) -> None:
    alice = world.join("alice.eth")
    polls = [0]

    def wait(_seconds: float) -> None:
        polls[0] += 1
        alice.send("bob.eth", f"after poll {polls[0]}")

    reader = world.client(bob.identity, patience=Patience(sleep=wait))
    alice.send("bob.eth", "first")
    seen = [message.text for message in islice(reader.follow(poll_s=1), 4)]
    assert seen == ["first", "after poll 1", "after poll 2", "after poll 3"]


def test_following_ends_with_an_error_that_does_not_pass(world: World) -> None:
    nobody = world.client(world.identity("nobody.eth"))
    with pytest.raises(NotFound):
        next(nobody.follow())


def test_a_deeply_nested_envelope_does_not_hide_the_others(world: World, bob: Dm3Client) -> None:
    """A sender may nest as deep as JSON may be; a page of the relay is some levels deeper."""
    envelope = '{"metadata":{"x":' + "[" * 60 + "]" * 60 + "}}"
    page = f'{{"messages":[{{"id":"x","envelope":{envelope}}}],"cursor":"c","more":false}}'
    world.faults.append(answering(Response(200, page.encode()), path="/inbox/"))
    assert len(bob.fetch().unreadable) == 1


@pytest.mark.parametrize("circling", [True, False])
def test_pages_that_lead_nowhere_end(world: World, bob: Dm3Client, circling: bool) -> None:
    """A service that always says there is more must not be asked for ever."""
    asked: list[str] = []

    def lead_on(request: Request) -> Response | None:
        if "/inbox/" not in request.url:
            return None
        asked.append(request.url)
        cursor = "a" if circling else f"c{len(asked)}"
        return Response(200, json.dumps({"messages": [], "cursor": cursor, "more": True}).encode())

    world.faults.append(lead_on)
    with pytest.raises(Unavailable):
        list(bob.inbox())
    assert 1 < len(asked) <= 102


def test_following_pauses_when_nothing_comes(world: World, bob: Dm3Client) -> None:
    answer = b'{"messages":[],"cursor":"a","more":true}'
    world.faults.append(answering(Response(200, answer), path="/inbox/"))
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        if len(pauses) == 3:
            raise KeyboardInterrupt

    mailbox = bob._mailbox
    with pytest.raises(KeyboardInterrupt):
        list(mailbox.follow(None, poll_s=7.0, sleep=sleep))
    assert pauses == [7.0] * 3


@pytest.mark.parametrize("cursor", ["\ud800", "\u00e9", "x" * 5_000, None, 1])
def test_a_position_that_is_none_is_not_kept(world: World, bob: Dm3Client, cursor: object) -> None:
    answer = json.dumps({"messages": [], "cursor": cursor, "more": False}).encode()
    world.faults.append(answering(Response(200, answer), path="/inbox/"))
    with pytest.raises(Unavailable):
        bob.fetch()


def test_an_export_that_never_ends_is_given_up(world: World, bob: Dm3Client) -> None:
    answer = b'{"messages":[],"cursor":"a","more":true}'
    world.faults.append(answering(Response(200, answer), path="/export"))
    with pytest.raises(Unavailable):
        bob.export()
