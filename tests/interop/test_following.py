"""Our SDK follows its mail over a live connection to a whole relay: pushed at once, and nothing is missed."""

from __future__ import annotations

import threading
import time
from collections.abc import Iterator
from itertools import islice
from urllib.parse import urlsplit

import pytest

from chalicelib.client import (
    Dm3Client,
    Following,
    Identity,
    LiveSocket,
    LiveState,
    LiveTiming,
    Standing,
    SystemEntropy,
    Wallet,
    WebSocketDialer,
)
from chalicelib.protocol.profile import USER_PROFILE_RECORD
from tests.interop.cutting import Way, way_to
from tests.interop.people import People, Person, RunningRelay
from tests.interop.reference import Reference

pytestmark = [pytest.mark.npm, pytest.mark.chain, pytest.mark.xdist_group("local-relay")]

WITHIN_S = 20.0


@pytest.fixture(scope="module")
def relay(local_relay: RunningRelay) -> RunningRelay:
    """The relay on this machine."""
    return local_relay


@pytest.fixture
def way(relay: RunningRelay) -> Iterator[Way]:
    with way_to(relay.url) as way:
        yield way


class Through:
    """Dials the relay by a way that can be cut."""

    def __init__(self, way: Way) -> None:
        self._way = way

    def dial(self, url: str) -> LiveSocket:
        return WebSocketDialer(allow_ws=True).dial(
            self._way.url.replace("http", "ws", 1) + urlsplit(url).path
        )


@pytest.fixture
def dave(people: People, reference: Reference, relay: RunningRelay, way: Way) -> Dm3Client:
    """Somebody who uses our SDK, and has an account."""
    wallet = Wallet.create(SystemEntropy())
    label = f"dave-{wallet.address[2:10].lower()}"
    name = reference.call("registerName", label=label, address=wallet.address)
    identity = Identity.create(name, wallet.address, wallet.sign, [relay.relay_name])
    reference.call("publishText", name=name, key=USER_PROFILE_RECORD, value=identity.profile_record())
    client = Dm3Client.connect(identity, relay.rpc_url, universal_resolver=relay.universal_resolver)
    client.register()
    client._live = Through(way)
    return client


def send(sender: Person, to: Dm3Client, text: str) -> None:
    message = {"from": sender.name, "to": to.identity.name, "text": text}
    sender.reference.call("send", message=message)


def collect(following: Following, count: int) -> list[str | None]:
    watchdog = threading.Timer(WITHIN_S, following.stop)
    watchdog.start()
    try:
        return [message.text for message in islice(following, count)]
    finally:
        watchdog.cancel()


def test_what_the_library_sends_comes_at_once(dave: Dm3Client, alice: Person) -> None:
    states: list[LiveState] = []
    send(alice, dave, "waiting")
    with dave.follow(poll_s=600, tell=states.append) as following:
        assert collect(following, 1) == ["waiting"]
        for number in range(3):
            send(alice, dave, f"live {number}")
            began_s = time.monotonic()
            assert collect(following, 1) == [f"live {number}"]
            assert time.monotonic() - began_s < 5
    assert [state.standing for state in states] == [Standing.CONNECTED]


def test_cuts_lose_nothing_and_repeat_nothing(dave: Dm3Client, alice: Person, way: Way) -> None:
    expected = []
    with dave.follow(poll_s=600) as following:
        texts: list[str | None] = []
        for number in range(12):
            if number % 3 == 1:
                way.cut()
            expected.append(f"number {number}")
            send(alice, dave, expected[-1])
            texts += collect(following, 1)
    assert texts == expected


def test_acknowledged_over_the_socket_is_gone(dave: Dm3Client, alice: Person) -> None:
    for number in range(3):
        send(alice, dave, f"number {number}")
    with dave.follow(acknowledge=True) as following:
        assert collect(following, 3) == ["number 0", "number 1", "number 2"]
    assert [message.text for message in dave.inbox()] == ["number 2"]


def test_a_large_message_comes_too(dave: Dm3Client, alice: Person) -> None:
    """More than a frame of the gateway holds: it is announced, and fetched over REST."""
    text = "x" * 300_000
    with dave.follow(poll_s=600) as following:
        send(alice, dave, "first")
        assert collect(following, 1) == ["first"]
        send(alice, dave, text)
        assert collect(following, 1) == [text]


def test_a_token_that_was_revoked_is_renewed(dave: Dm3Client, alice: Person) -> None:
    with dave.follow(poll_s=600) as following:
        send(alice, dave, "first")
        assert collect(following, 1) == ["first"]
        dave.sign_out_everywhere()
        send(alice, dave, "second")
        assert collect(following, 1) == ["second"]


def test_the_question_what_was_missed_is_answered(dave: Dm3Client, alice: Person) -> None:
    object.__setattr__(dave._settings, "timing", LiveTiming(between_questions_s=0.5))
    with dave.follow(poll_s=600) as following:
        send(alice, dave, "first")
        assert collect(following, 1) == ["first"]
        time.sleep(2)
        send(alice, dave, "second")
        assert collect(following, 1) == ["second"]
