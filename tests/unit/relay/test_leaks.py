"""A leaked store reveals no contacts: everything stored is searched for everything that must not be there."""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256

import pytest

from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.ports import AccountRow
from chalicelib.store.memory import MemoryStore
from tests.unit.relay.world import ALICE, BOB, MALLORY, SECRETS, SOURCE, Person, Stranger, World

CAROL = Stranger("carol.eth")
FRIEND, FOE = Person("friend.eth").address, Person("foe.eth").address


def dump(value: object, seen: set[int]) -> Iterator[bytes]:
    """Every byte string that can be reached from `value`."""
    if id(value) in seen:
        return
    seen.add(id(value))
    if isinstance(value, bytes):
        yield value
    elif isinstance(value, str):
        yield value.encode()
    elif isinstance(value, int):
        yield str(value).encode()
    elif isinstance(value, dict):
        for key, item in value.items():
            yield from dump(key, seen)
            yield from dump(item, seen)
    elif isinstance(value, list | tuple | set | frozenset):
        for item in value:
            yield from dump(item, seen)
    else:
        slots = getattr(type(value), "__slots__", ())
        yield from dump([getattr(value, slot) for slot in slots], seen)
        yield from dump(getattr(value, "__dict__", {}), seen)


def dumped(store: MemoryStore) -> list[bytes]:
    parts = [dict(vars(part)) for part in (store.accounts, store.rules, store.counters)]
    for part in parts:
        part.pop("_guard")
    return list(dump([store.inbox._items, store.submissions._rows, store.names._rows, *parts], set()))


def spellings(secret: str) -> Iterator[bytes]:
    """The ways in which `secret` could stand in a store, plain or hashed without a key."""
    for text in {secret, secret.lower(), secret.upper(), secret.removeprefix("0x").lower()}:
        data = text.encode()
        yield data
        yield data.hex().encode()
        yield b64encode(data).rstrip(b"=")[:-1]
        yield sha256(data).digest()
        yield sha256(data).hexdigest().encode()
    if secret.startswith("0x"):
        yield bytes.fromhex(secret[2:])


@pytest.fixture(scope="module")
def used() -> World:
    """A relay that has done everything it can do."""
    world = World()
    world.settle(ALICE, BOB)
    world.register(world.publish(BOB, "robert.eth"), "robert.eth")
    world.publish(MALLORY)
    letter = world.letter()
    for envelope in (letter, letter, world.letter(MALLORY), world.letter(to="robert.eth", revision=None)):
        world.submit(envelope)
    for refused in (world.letter(MALLORY, claim="alice.eth"), world.letter(to="nobody.eth")):
        with pytest.raises(Dm3Error):
            world.submit(refused)
    rules: JsonObject = {
        "firstContact": {"messages": 2},
        "senderQuota": {"messagesPerDay": 9},
        "totalQuota": {"kibPerDay": 99},
    }
    listed: JsonObject = {"allow": ["friend.eth", FRIEND], "block": ["*.spam.eth", FOE]}
    world.rule(BOB, rules=rules, **listed)
    world.publish(CAROL)
    world.submit(world.letter(CAROL))
    world.submit(world.letter(BOB, ALICE, "an answer"))
    world.register(world.publish(BOB.with_new_keys()))
    account = world.account(BOB.with_new_keys())
    world.relay.inbox.incoming(account)
    world.relay.inbox.acknowledge_pairs(account, [("alice.eth", "0x12")])
    with pytest.raises(Dm3Error):
        world.token(MALLORY, "bob.eth")
    world.relay.accounts.status(account)
    world.relay.operator.set_rules({"block": ["blocked.eth", "*.villains.eth", CAROL.address]})
    return world


def test_the_dump_finds_what_is_stored_in_the_clear() -> None:
    store = MemoryStore()
    store.accounts.link_name(b"name", b"find me")
    store.rules.put(AccountRow(b"operator", b"and me", 1))
    assert {b"find me", b"and me"} <= set(dumped(store))


@pytest.mark.parametrize(
    "secret",
    [
        *("alice.eth", "bob.eth", "robert.eth", "mallory.eth", "nobody.eth", "alice", "robert"),
        *("carol.eth", CAROL.address, "friend.eth", "*.spam.eth", "spam.eth", FRIEND, FOE),
        *("firstContact", "onlyAllowed"),
        *("blocked.eth", "villains.eth", "blocked", "villains", "sourceSubmitsPerMinute", "minimumVersion"),
        *(ALICE.address, BOB.address, MALLORY.address, CAROL.address),
        *(SOURCE, "deliveryInformation", "relay.eth"),
    ],
)
def test_no_name_and_no_address_is_stored(used: World, secret: str) -> None:
    everything = dumped(used.store)
    assert len(everything) > 20
    for spelling in spellings(secret):
        assert not any(spelling in data for data in everything)


@pytest.mark.parametrize("key", [BOB.encryption.public_key, BOB.signing.public_key, ALICE.signing.public_key])
def test_no_profile_key_is_stored(used: World, key: str) -> None:
    for spelling in (key.encode(), b64decode(key)):
        assert not any(spelling in data for data in dumped(used.store))


def test_no_secret_of_the_relay_is_stored(used: World) -> None:
    for secret in (SECRETS.index_key, SECRETS.storage_key, SECRETS.session_key):
        assert not any(secret in data for data in dumped(used.store))


def test_the_same_sender_looks_different_to_every_receiver() -> None:
    world = World()
    world.settle(ALICE, BOB, MALLORY)
    world.submit(world.letter(receiver=BOB))
    world.submit(world.letter(receiver=MALLORY))
    sorts = [row.sort[:16] for row in world.store.submissions._rows.values()]
    assert len(set(sorts)) == 2
