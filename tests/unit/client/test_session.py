from __future__ import annotations

import json

import pytest

from chalicelib.client import Response
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Unavailable
from tests.unit.client.world import RELAY, SECOND, World, answering


@pytest.mark.parametrize(
    "challenge",
    [
        canonicalize(
            {"metadata": {"to": "carol.eth", "from": "bob.eth"}, "message": "I owe you everything."}
        ),
        "0x" + "ab" * 32,
        "",
        "a.b",
        "a.b.c\n",
    ],
)
def test_a_service_gets_no_text_of_its_choice_signed(challenge: str) -> None:
    """The key that signs challenges signs messages: such a signature would be a message by Bob."""
    world = World()
    bob = world.join("bob.eth")
    world.faults.append(answering(Response(200, json.dumps(challenge).encode()), path="/auth/", times=1))
    with pytest.raises(Unavailable):
        bob.fetch()
    assert [request.method for request in world.transport.requests if "/auth/" in request.url] == ["GET"]


def test_a_service_gets_no_session_at_another_one() -> None:
    """The second service fetches a challenge of the first and would have it signed."""
    world = World()
    bob = world.join("bob.eth", RELAY, SECOND)
    foreign = json.dumps(world.relays[RELAY].sessions.challenge("bob.eth")).encode()
    world.faults.append(answering(Response(200, foreign), path=f"{SECOND}/api/auth/"))
    (refused,) = bob.sign_out_everywhere()
    assert (refused.delivery_service, type(refused.reason)) == (SECOND, Unavailable)
    assert "must not be signed" in refused.reason.message
    posted = [request.url for request in world.transport.requests if request.method == "POST"]
    assert not any(f"{SECOND}/api/auth/bob.eth" == url.removeprefix("https://") for url in posted)


@pytest.mark.parametrize("token", [b'"a\\nb"', b'"\\u00e9"', b"5", b"null"])
def test_a_token_that_is_none(token: bytes) -> None:
    world = World()
    bob = world.join("bob.eth")
    world.faults.append(
        lambda request: Response(200, token) if request.method == "POST" and "/auth/" in request.url else None
    )
    with pytest.raises(Unavailable):
        bob.fetch()


def test_one_sign_in_serves_many_requests() -> None:
    world = World()
    bob = world.join("bob.eth")
    for _ in range(3):
        bob.fetch()
    assert sum("/auth/" in request.url for request in world.transport.requests) == 2
