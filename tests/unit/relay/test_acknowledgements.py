from __future__ import annotations

import pytest

from chalicelib.protocol.errors import InvalidParams, Unavailable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.relay.values import Account
from chalicelib.store.memory import Moment
from tests.unit.relay.world import ALICE, BOB, MALLORY, World, limited


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    return world


def message_hash(envelope: JsonObject) -> str:
    metadata = envelope["metadata"]
    assert isinstance(metadata, dict)
    return str(metadata["messageHash"])


def deepen(world: World, account: Account, depth: int) -> None:
    """Put this many messages in front."""
    for number in range(depth):
        key = InboxKey(number, number.to_bytes(16, "big"))
        world.store.inbox.put(account.inbox, InboxItem(key, b"x", world.clock.now_s + 9))


@pytest.mark.parametrize("depth", [10, 5_000])
def test_acknowledging_costs_the_same_at_any_depth(depth: int) -> None:
    world = settled()
    letters = [world.letter(text=str(number)) for number in range(2)]
    for letter in letters:
        world.submit(letter)
    one, other = world.mail()
    account = world.account(BOB)
    deepen(world, account, depth)
    world.calls.clear()
    assert world.relay.inbox.acknowledge(account, [one.id]) == 1
    assert world.calls == {"inbox.delete": 1}
    world.calls.clear()
    assert world.relay.inbox.acknowledge_pairs(account, [("alice.eth", message_hash(other.envelope))]) == 1
    assert world.calls == {"submissions.find": 1, "inbox.delete": 1}


def test_acknowledging_twice_is_no_error() -> None:
    world = settled()
    world.submit()
    [message] = world.mail()
    account = world.account(BOB)
    assert world.relay.inbox.acknowledge(account, [message.id, message.id]) == 1
    assert world.relay.inbox.acknowledge(account, [message.id]) == 1
    assert world.relay.inbox.acknowledge(account, []) == 0
    assert world.mail() == []


def test_one_foreign_id_and_nothing_is_deleted() -> None:
    world = settled()
    world.submit()
    world.submit(world.letter(BOB, ALICE))
    [ours], [foreign] = world.mail(BOB), world.mail(ALICE)
    with pytest.raises(InvalidParams):
        world.relay.inbox.acknowledge(world.account(BOB), [ours.id, foreign.id])
    assert len(world.mail(BOB)) == len(world.mail(ALICE)) == 1


def test_too_many_ids_are_refused() -> None:
    world = settled(limited(acknowledgements=2))
    for number in range(3):
        world.submit(world.letter(text=str(number)))
    ids = [message.id for message in world.mail()]
    account = world.account(BOB)
    with pytest.raises(InvalidParams):
        world.relay.inbox.acknowledge(account, ids)
    assert world.relay.inbox.acknowledge(account, ids[:2] * 5) == 2


@pytest.mark.parametrize("revision", ["messageHash", "encryptedMessageHash", None])
def test_the_hash_on_the_way_out_acknowledges_every_revision(revision: str | None) -> None:
    world = settled()
    world.submit(world.letter(revision=revision))
    [message] = world.mail()
    account = world.account(BOB)
    pair = ("Alice.ETH", message_hash(message.envelope))
    assert world.relay.inbox.acknowledge_pairs(account, [pair]) == 1
    assert world.mail() == []


def test_the_reference_client_acknowledges_everything_for_every_contact() -> None:
    world = settled()
    for number in range(4):
        sender = ALICE if number % 2 else MALLORY
        world.submit(world.letter(sender, text=str(number)))
    account = world.account(BOB)
    pairs = [
        (contact, message_hash(message.envelope))
        for contact in ("alice.eth", "carol.eth", "not a name", "")
        for message in world.mail()
    ]
    assert world.relay.inbox.acknowledge_pairs(account, [*pairs, ("alice.eth", ""), *pairs]) == 2
    assert [message.envelope["metadata"]["deliveryInformation"]["from"] for message in world.mail()] == [  # type: ignore[index,call-overload]
        "mallory.eth",
        "mallory.eth",
    ]


def test_pairs_beyond_the_limit_wait_for_the_next_call() -> None:
    world = settled(limited(acknowledgements=2))
    for number in range(3):
        world.submit(world.letter(text=str(number)))
    pairs = [("alice.eth", message_hash(message.envelope)) for message in world.mail()]
    account = world.account(BOB)
    assert world.relay.inbox.acknowledge_pairs(account, [pairs[0], *pairs]) == 2
    assert world.relay.inbox.acknowledge_pairs(account, pairs[2:]) == 1


def test_incomplete_pairs_and_impossible_contacts_cost_no_query() -> None:
    world = settled()
    account = world.account(BOB)
    world.calls.clear()
    pairs = [("", "0x12"), ("alice.eth", ""), ("", ""), ("no name", "0x12")]
    assert world.relay.inbox.acknowledge_pairs(account, pairs) == 0
    assert not world.calls


def test_somebody_elses_mail_cannot_be_acknowledged() -> None:
    world = settled()
    world.submit()
    pair = ("alice.eth", message_hash(world.mail()[0].envelope))
    assert world.relay.inbox.acknowledge_pairs(world.account(ALICE), [pair]) == 0
    assert len(world.mail()) == 1


def test_a_deleted_account_has_nothing_to_acknowledge() -> None:
    world = settled()
    account = world.account(BOB)
    world.relay.accounts.delete(account)
    assert world.relay.inbox.acknowledge_pairs(account, [("alice.eth", "0x12")]) == 0


def test_a_failed_delete_is_not_called_a_success() -> None:
    world = settled()
    world.submit()
    [message] = world.mail()
    account = world.account(BOB)

    def fail(name: str, moment: Moment) -> None:
        if name == "inbox.delete" and moment is Moment.BEFORE:
            raise Unavailable

    world.store.faults = fail
    with pytest.raises(Unavailable):
        world.relay.inbox.acknowledge(account, [message.id])
    world.store.faults = None
    assert len(world.mail()) == 1
