"""One's accounts, where one of the delivery services in the profile is bad: the others still count."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from chalicelib.client import AccountStatus, Dm3Client, FormerKey, Identity, Response, Unreached
from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.errors import Dm3Error, NotFound, Unavailable
from chalicelib.protocol.json_types import JsonObject
from tests.unit.client.world import RELAY, SECOND, World, answering, down, wallet_of

Break = Callable[[World], object]

WAYS: dict[str, Break] = {
    "unknown to ENS": lambda world: world.directory.remove(RELAY),
    "dead": lambda world: world.faults.append(down(RELAY)),
    "knows nobody": lambda world: world.faults.append(
        answering(Response(404, b"Not Found"), path=f"{RELAY}/api/")
    ),
    "refuses": lambda world: world.faults.append(answering(Response(400, b"{}"), path=f"{RELAY}/api/")),
    "garbage": lambda world: world.faults.append(answering(Response(200, b"<html>"), path=f"{RELAY}/api/")),
    "a record that is none": lambda world: world.directory.add(RELAY, None, service_text="nonsense"),
}


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth", RELAY, SECOND)


@pytest.fixture(params=list(WAYS.values()), ids=list(WAYS))
def bad(request: pytest.FixtureRequest) -> Break:
    """Breaks the first service of the profile."""
    way: Break = request.param
    return way


def deleted(world: World, name: str) -> bool:
    """Whether Bob has no account at this service."""
    alone = world.client(world.identity("bob.eth", name))
    try:
        alone.fetch()
    except NotFound:
        return True
    return False


def test_registering_at_the_others(world: World, bad: Break) -> None:
    identity = world.identity("bob.eth", RELAY, SECOND)
    world.publish(identity)
    bad(world)
    assert world.client(identity).register() == (SECOND,)
    assert not deleted(world, SECOND)


def test_reading_from_the_others(world: World, bob: Dm3Client, bad: Break) -> None:
    alice = world.join("alice.eth", SECOND)
    bad(world)
    assert alice.send("bob.eth", "hello").delivered
    page = bob.fetch()
    assert [message.text for message in page.messages] == ["hello"]
    assert page.unreachable == (RELAY,)
    assert page.unreached[0].reason.message


def test_exporting_from_the_others_says_what_is_missing(world: World, bob: Dm3Client, bad: Break) -> None:
    bad(world)
    whole, missing = bob.export()
    assert (whole["deliveryService"], whole["messages"]) == (SECOND, [])
    assert missing["deliveryService"] == RELAY
    assert missing["error"]
    assert "messages" not in missing


def test_deleting_at_the_others_says_where_not(world: World, bob: Dm3Client, bad: Break) -> None:
    bad(world)
    assert [failure.delivery_service for failure in bob.delete_account()] == [RELAY]
    assert deleted(world, SECOND)


def test_signing_out_at_the_others_says_where_not(world: World, bob: Dm3Client, bad: Break) -> None:
    other = world.client(world.identity("bob.eth", SECOND))
    other.fetch()
    bad(world)
    assert [failure.delivery_service for failure in bob.sign_out_everywhere()] == [RELAY]
    before = len(world.transport.requests)
    other.fetch()
    signed_in_again = [request for request in world.transport.requests[before:] if "/auth/" in request.url]
    assert signed_in_again


def test_the_status_at_the_others_says_where_there_is_none(world: World, bob: Dm3Client, bad: Break) -> None:
    bad(world)
    status, missing = bob.account()
    assert isinstance(status, AccountStatus)
    assert (status.delivery_service, status.names, status.listed) == (SECOND, ("bob.eth",), True)
    assert isinstance(missing, Unreached)
    assert missing.delivery_service == RELAY


def test_a_status_says_what_stands_and_what_was_replaced(world: World, bob: Dm3Client) -> None:
    wallet = wallet_of("bob.eth")
    new = Identity.create("bob.eth", wallet.address, wallet.sign, [SECOND], nonce="another")
    world.publish(new)
    client = world.client(new)
    client.register()
    (status,) = client.account()
    assert isinstance(status, AccountStatus)
    replaced_at_ms = status.former_keys[0].replaced_at_ms
    assert status == AccountStatus(
        delivery_service=SECOND,
        address=wallet.address,
        names=("bob.eth",),
        created_at_ms=status.created_at_ms,
        public_encryption_key=new.keys.encryption.public_key,
        former_keys=(FormerKey(bob.identity.keys.encryption.public_key, replaced_at_ms),),
        listed=True,
    )
    assert status.created_at_ms < replaced_at_ms <= world.clock.now_ms()


STATUS: JsonObject = {
    "address": "0x",
    "names": ["bob.eth", 5],
    "createdAt": 1,
    "publicEncryptionKey": "key",
    "formerKeys": [{"publicEncryptionKey": "old", "replacedAt": 2}],
    "listed": None,
}


@pytest.mark.parametrize(
    ("change", "makes_sense"),
    [
        ({}, True),
        ({"listed": False, "later": 1}, True),
        ({"formerKeys": []}, True),
        ({"listed": "yes"}, False),
        ({"address": None}, False),
        ({"createdAt": "1"}, False),
        ({"formerKeys": ["old"]}, False),
        ({"formerKeys": None}, False),
    ],
)
def test_a_status_that_makes_no_sense_counts_as_no_answer(
    world: World, change: JsonObject, makes_sense: bool
) -> None:
    bob = world.join("bob.eth")
    body = canonicalize({**STATUS, **change}).encode()
    world.faults.append(answering(Response(200, body), path=f"{RELAY}/api/account/bob.eth"))
    if makes_sense:
        assert isinstance(bob.account()[0], AccountStatus)
    else:
        with pytest.raises(Unavailable):
            bob.account()


def test_nothing_to_report_when_all_of_them_did(world: World, bob: Dm3Client) -> None:
    assert bob.sign_out_everywhere() == ()
    assert bob.delete_account() == ()
    assert deleted(world, RELAY)
    assert deleted(world, SECOND)


@pytest.mark.parametrize(
    "act",
    [
        Dm3Client.register,
        Dm3Client.fetch,
        Dm3Client.account,
        Dm3Client.export,
        Dm3Client.delete_account,
        Dm3Client.sign_out_everywhere,
    ],
)
def test_if_none_does_it_that_is_an_error(
    world: World, bob: Dm3Client, act: Callable[[Dm3Client], object]
) -> None:
    world.faults += [down(RELAY), down(SECOND)]
    with pytest.raises(Unavailable):
        act(bob)


def test_following_waits_for_a_service_that_is_down_beside_one_that_never_was(world: World) -> None:
    alice, _ = world.join("alice.eth", SECOND), world.join("bob.eth", SECOND)
    alice.send("bob.eth", "hello")
    world.faults.append(down(SECOND))
    sleep = world.clock.sleep

    def mended(seconds: float) -> None:
        sleep(seconds)
        if len(world.clock.slept_s) > 2:
            world.faults.clear()

    world.clock.sleep = mended  # type: ignore[method-assign]
    reader = world.client(world.identity("bob.eth", "never.eth", SECOND))
    assert next(reader.follow(poll_s=1)).text == "hello"


def test_acknowledging_asks_all_before_it_says_that_one_did_not(world: World, bob: Dm3Client) -> None:
    alice = world.join("alice.eth")
    world.faults.append(down(RELAY))
    alice.send("bob.eth", "by the second")
    world.faults.clear()
    (received,) = bob.inbox()
    world.faults.append(down(RELAY))
    with pytest.raises(Dm3Error):
        bob.acknowledge([f"{RELAY}/00", received])
    world.faults.clear()
    assert list(bob.inbox()) == []
