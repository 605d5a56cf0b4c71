from __future__ import annotations

import pytest

from chalicelib.client import Sent
from tests.unit.client.world import World


@pytest.fixture
def world() -> World:
    return World()


def test_a_message_goes_from_alice_to_bob(world: World) -> None:
    alice, bob = world.join("alice.eth"), world.join("bob.eth")
    sent = alice.send("bob.eth", "Hello Bob")
    assert isinstance(sent, Sent)
    assert sent.receipt is not None
    (received,) = bob.inbox()
    assert received.text == "Hello Bob"
    assert received.verified, received.checks
    assert received.sender == "alice.eth"
    assert received.message_hash == sent.message_hash
