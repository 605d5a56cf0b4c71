"""Live sockets, as the unmodified socket.io-client and the reference's own `sendMessage` speak them."""

from __future__ import annotations

import itertools
import time
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from chalicelib.relay import tokens
from infra.local.serve import start_local
from tests.interop.cutting import Way, way_to
from tests.interop.people import People, Person, RunningRelay
from tests.interop.reference import Json, Reference, ReferenceRefused, start_reference

pytestmark = [pytest.mark.npm, pytest.mark.chain, pytest.mark.xdist_group("local-relay")]

TOKEN_FAILED = "check token has failed for WS"
_numbers = itertools.count()


@pytest.fixture(scope="module")
def relay(local_relay: RunningRelay) -> RunningRelay:
    """The relay on this machine, whose gateway imitates what API Gateway does to sockets."""
    return local_relay


@dataclass(frozen=True, slots=True)
class Socket:
    """A socket of the library's, and what has happened to it."""

    reference: Reference
    name: str

    @classmethod
    def open(cls, person: Person, *, token: str | None = None, url: str | None = None) -> Socket:
        """Open one for `person`, with a fresh token if none is given; it may be refused."""
        socket = cls(person.reference, f"{person.name} {next(_numbers)}")
        person.reference.call(
            "openSocket",
            socket=socket.name,
            url=url or person.relay.url,
            name=person.name,
            token=person.call("signIn") if token is None else token,
        )
        return socket

    def wait(self, event: str, count: int = 1) -> dict[str, Json]:
        """Everything that has happened, once `event` has, so many times."""
        happened: dict[str, Json] = self.reference.call(
            "awaitSocket", socket=self.name, event=event, count=count
        )
        return happened

    def state(self) -> dict[str, Json]:
        """What has happened until now."""
        happened: dict[str, Json] = self.reference.call("socketState", socket=self.name)
        return happened

    def call(self, call: str, /, **arguments: Json) -> Json:
        return self.reference.call(call, socket=self.name, **arguments)


def build(sender: Person, to: Person, text: str = "over the socket") -> Json:
    """An envelope, sealed for the receiver's delivery service, not submitted."""
    built = sender.reference.call("build", message={"from": sender.name, "to": to.name, "text": text})
    return built["envelop"]


class TestSigningIn:
    def test_with_a_token_it_is_authorised(self, bob: Person) -> None:
        socket = Socket.open(bob)
        happened = socket.wait("authorized")
        assert happened["connected"]
        assert happened["connect_error"] == happened["disconnect"] == happened["unauthorized"] == []
        socket.call("closeSocket")

    @pytest.mark.parametrize("token", ["", "nonsense", "a.b.c"])
    def test_a_bad_token_is_refused_to_the_letter_and_for_good(self, bob: Person, token: str) -> None:
        self._refused(Socket.open(bob, token=token))

    def test_a_token_of_somebody_else_is_refused(self, alice: Person, bob: Person) -> None:
        self._refused(Socket.open(bob, token=alice.call("signIn")))

    def test_what_a_posted_profile_answers_opens_no_socket(self, bob: Person) -> None:
        self._refused(Socket.open(bob, token=bob.call("submitProfile")))

    def test_a_revoked_token_is_refused(self, bob: Person) -> None:
        token = bob.call("signIn")
        bob.call("signOutEverywhere", token=token)
        self._refused(Socket.open(bob, token=token))

    @staticmethod
    def _refused(socket: Socket) -> None:
        happened = socket.wait("connect_error")
        assert happened["connect_error"] == [TOKEN_FAILED]
        assert happened["authorized"] == happened["connect"] == []
        assert not happened["active"], "the client takes this as final"


class TestPushing:
    def test_every_open_socket_of_the_account_gets_what_is_submitted(
        self, alice: Person, bob: Person, carol: Person
    ) -> None:
        """The reference pushes to the newest only."""
        sockets = [Socket.open(bob), Socket.open(bob), Socket.open(carol)]
        for socket in sockets:
            socket.wait("authorized")
        sent = alice.send(bob, "hello, live")
        for socket in sockets[:2]:
            (pushed,) = socket.wait("message")["message"]
            opened = bob.open(pushed, alice)
            assert opened["message"] == sent["message"]
            assert opened["checks"] == {"message": True, "postmark": True, "postmarkHash": True}
        assert sockets[2].state()["message"] == []
        assert pushed == bob.incoming()[0], "the same as is fetched"

    def test_the_others_go_on_when_the_newest_leaves(self, alice: Person, bob: Person) -> None:
        """The reference pushes to none then."""
        first, second = Socket.open(bob), Socket.open(bob)
        for socket in (first, second):
            socket.wait("authorized")
        second.call("closeSocket")
        alice.send(bob, "still there?")
        assert len(first.wait("message")["message"]) == 1

    def test_several_in_order_and_each_once(self, alice: Person, bob: Person) -> None:
        socket = Socket.open(bob)
        socket.wait("authorized")
        sent = []
        for number in range(5):
            sent.append(alice.send(bob, f"number {number}")["message"])
            socket.wait("message", number + 1)
        pushed = [bob.open(envelop, alice)["message"] for envelop in socket.state()["message"]]
        assert pushed == sent

    def test_nothing_is_pushed_after_signing_out(self, alice: Person, bob: Person) -> None:
        token = bob.call("signIn")
        socket = Socket.open(bob, token=token)
        socket.wait("authorized")
        bob.call("signOutEverywhere", token=token)
        happened = socket.wait("disconnect")
        assert not happened["connected"]
        other = Socket.open(bob)
        other.wait("authorized")
        alice.send(bob, "for who is signed in")
        other.wait("message")
        happened = socket.state()
        assert happened["message"] == []
        assert len(happened["authorized"]) == 1


class TestSubmitting:
    def test_the_library_s_send_message_succeeds(self, alice: Person, bob: Person) -> None:
        sender, receiver = Socket.open(alice), Socket.open(bob)
        sender.wait("authorized")
        receiver.wait("authorized")
        token = alice.call("signIn")
        assert sender.call("sendOverSocket", token=token, envelop=build(alice, bob)) == "success"
        (pushed,) = receiver.wait("message")["message"]
        assert bob.open(pushed, alice)["message"]["message"] == "over the socket"
        assert bob.incoming() == [pushed]

    def test_the_words_of_success_and_failure(
        self, alice: Person, bob: Person, carol: Person, stranger: Person
    ) -> None:
        socket = Socket.open(alice)
        socket.wait("authorized")
        token, foreign = alice.call("signIn"), carol.call("signIn")
        envelop = build(alice, bob)
        cases: list[tuple[Json, Json]] = [
            ({"envelop": envelop, "token": token}, {"response": "success"}),
            ({"envelop": {}, "token": token}, {"error": "invalid schema"}),
            ({"envelop": "nonsense", "token": token}, {"error": "invalid schema"}),
            ({"token": token}, {"error": "invalid schema"}),
            (None, {"error": "invalid schema"}),
            ({"envelop": build(alice, stranger), "token": token}, {"error": "unknown account"}),
            ({"envelop": build(alice, bob), "token": foreign}, {"error": TOKEN_FAILED}),
            ({"envelop": build(alice, bob), "token": "nonsense"}, {"error": TOKEN_FAILED}),
        ]
        for data, answer in cases:
            assert socket.call("emitSubmit", data=data) == answer
        assert len(bob.incoming()) == 1
        assert socket.state()["disconnect"] == []

    def test_the_library_s_send_message_fails(self, alice: Person, stranger: Person) -> None:
        socket = Socket.open(alice)
        socket.wait("authorized")
        token = alice.call("signIn")
        answer = socket.call("sendOverSocket", token=token, envelop=build(alice, stranger))
        assert answer == "error"

    def test_a_frame_beyond_the_gateway_s_limit_ends_the_socket_which_comes_back(
        self, alice: Person, bob: Person
    ) -> None:
        """Documented: 32 KB a frame. What is larger goes by RPC."""
        sender = Socket.open(alice)
        sender.wait("authorized")
        large = {"envelop": build(alice, bob, "x" * 40_000), "token": alice.call("signIn")}
        with pytest.raises(AssertionError, match="no acknowledgement"):
            sender.call("emitSubmit", data=large)
        assert len(sender.wait("authorized", 2)["disconnect"]) == 1
        assert bob.incoming() == []


@pytest.fixture
def way(relay: RunningRelay) -> Iterator[Way]:
    with way_to(relay.url) as way:
        yield way


class TestReconnecting:
    def test_after_a_cut_the_client_comes_back_with_its_old_token(
        self, alice: Person, bob: Person, way: Way
    ) -> None:
        socket = Socket.open(bob, url=way.url)
        socket.wait("authorized")
        for cuts in range(1, 4):
            assert way.cut() == 1
            socket.wait("authorized", cuts + 1)
            alice.send(bob, f"after cut {cuts}")
            happened = socket.wait("message", cuts)
            assert len(happened["disconnect"]) == cuts
            assert happened["connect_error"] == []

    def test_what_came_in_meanwhile_is_fetched(self, alice: Person, bob: Person, way: Way) -> None:
        socket = Socket.open(bob, url=way.url)
        socket.wait("authorized")
        way.close()
        socket.wait("disconnect")
        alice.send(bob, "while nobody listened")
        assert len(bob.incoming()) == 1
        socket.call("closeSocket")


LIFETIME_S = 3


@pytest.fixture(scope="module")
def brief_relay() -> Iterator[RunningRelay]:
    """A relay of its own in this process, whose tokens live for seconds."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(tokens, "SESSION_LIFETIME_S", LIFETIME_S)
        with start_local() as running:
            yield RunningRelay(**{name: getattr(running, name) for name in RunningRelay.__slots__})


@pytest.fixture
def brief_people(brief_relay: RunningRelay) -> Iterator[People]:
    with start_reference() as started:
        yield People(started, brief_relay)


def test_an_expired_token_that_once_opened_a_socket_reopens_it_and_no_other_does(
    brief_people: People,
) -> None:
    bob, alice = brief_people.join("bob"), brief_people.join("alice")
    unused = bob.call("signIn")
    time.sleep(1)  # tokens of one second are the same
    token = bob.call("signIn")
    assert token != unused
    with way_to(bob.relay.url) as way:
        socket = Socket.open(bob, token=token, url=way.url)
        socket.wait("authorized")
        time.sleep(LIFETIME_S + 1)
        way.cut()
        assert socket.wait("authorized", 2)["connect_error"] == []
        alice.send(bob, "to a socket that was reopened late")
        socket.wait("message")
        refused = Socket.open(bob, token=unused).wait("connect_error")
        assert refused["connect_error"] == [TOKEN_FAILED], "it expired, and never opened a socket"
        with pytest.raises(ReferenceRefused) as over_rest:
            bob.call("incomingWith", token=token)
        assert over_rest.value.status == 401
        bob.call("signOutEverywhere", token=bob.call("signIn"))
        socket.wait("disconnect", 2)
        late = Socket.open(bob, token=token).wait("connect_error")
        assert late["connect_error"] == [TOKEN_FAILED], "revoked is revoked"
