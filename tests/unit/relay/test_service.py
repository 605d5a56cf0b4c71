from __future__ import annotations

from dataclasses import FrozenInstanceError

import pytest

from chalicelib.relay.service import Relay
from tests.unit.relay.world import ALICE, BOB, World


def test_a_relay_is_four_parts_and_its_properties() -> None:
    relay: Relay = World().relay
    assert relay.properties().size_limit_bytes == 3_000_000
    with pytest.raises(FrozenInstanceError):
        relay.inbox = relay.inbox  # type: ignore[misc]


def test_a_message_goes_from_alice_to_bob() -> None:
    world = World()
    world.settle(ALICE, BOB)
    receipt = world.relay.admission.submit(world.letter(), source="192.0.2.1").receipt
    challenge_account = world.account(BOB)
    [message] = world.relay.inbox.page(challenge_account).messages
    assert message.message_id == receipt.message_id
    assert world.relay.inbox.acknowledge(challenge_account, [message.id]) == 1
    assert world.relay.inbox.incoming(challenge_account).envelopes == ()
