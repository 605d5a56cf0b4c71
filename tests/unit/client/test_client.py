"""The client as a whole, against the real API over a relay in memory."""

from __future__ import annotations

import dataclasses
import json
from pathlib import Path

import pytest

from chalicelib.client import (
    Dm3Client,
    Draft,
    FileOutbox,
    MessageType,
    Patience,
    Queued,
    Refused,
    Response,
    Revision,
    Sent,
    Settings,
    attach,
    drafts,
)
from chalicelib.names.directory import ResolvedName, Toll
from chalicelib.names.memory import MemoryDirectory
from chalicelib.protocol.errors import (
    InvalidMessage,
    InvalidName,
    InvalidSignature,
    NotFound,
    ReceiverMoved,
    SignInRequired,
    Spam,
    TooBig,
    Unauthorized,
    Unavailable,
)
from chalicelib.protocol.profile import DeliveryServiceProfile
from chalicelib.protocol.profile_uri import data_uri
from chalicelib.protocol.receipt import make_receipt
from chalicelib.relay.policy.port import Candidate, Dues
from chalicelib.relay.settings import Limits
from tests.unit.client.world import (
    RELAY,
    SECOND,
    World,
    answering,
    down,
    relay_keys,
    service_record,
)


@pytest.fixture
def world() -> World:
    return World()


@pytest.fixture
def alice(world: World) -> Dm3Client:
    return world.join("alice.eth")


@pytest.fixture
def bob(world: World) -> Dm3Client:
    return world.join("bob.eth", RELAY, SECOND)


def texts(client: Dm3Client) -> list[str | None]:
    return [message.text for message in client.inbox()]


def submissions(world: World) -> list[bytes]:
    """The envelopes submitted so far, as they were sent."""
    bodies = [
        json.loads(request.body) for request in world.transport.requests if request.url.endswith("/rpc")
    ]
    return [body["params"][0].encode() for body in bodies if body["method"] == "dm3_submitMessage"]


class TestSending:
    def test_a_message_arrives_verified(self, alice: Dm3Client, bob: Dm3Client) -> None:
        sent = alice.send("Bob.eth", "Hello Bob")
        assert isinstance(sent, Sent)
        assert sent.receipt is not None
        assert sent.delivery_service == RELAY
        (received,) = bob.inbox()
        assert received.text == "Hello Bob"
        assert received.verified, received.checks
        assert received.sender == "alice.eth"
        assert received.message_hash == sent.message_hash
        assert received.received_at_ms == sent.receipt.incoming_timestamp_ms
        assert received.expires_at_ms == sent.receipt.expires_at_ms

    @pytest.mark.parametrize(
        "revisions",
        [
            (Revision.ENCRYPTED_MESSAGE_HASH,),
            (Revision.MESSAGE_HASH,),
            (Revision.SPECIFICATION,),
            (Revision.MESSAGE_HASH, Revision.ENCRYPTED_MESSAGE_HASH),
        ],
    )
    def test_every_revision_of_the_envelope(
        self, world: World, alice: Dm3Client, bob: Dm3Client, revisions: tuple[Revision, ...]
    ) -> None:
        writer = world.client(alice.identity, revisions=revisions)
        assert writer.send("bob.eth", "hello").delivered
        metadata = json.loads(submissions(world)[-1])["metadata"]
        for revision in (Revision.MESSAGE_HASH, Revision.ENCRYPTED_MESSAGE_HASH):
            assert (revision in metadata) == (revision in revisions)
        (received,) = bob.inbox()
        assert received.verified, received.checks

    @pytest.mark.parametrize(
        ("draft", "kind", "text"),
        [
            (drafts.new("n"), MessageType.NEW, "n"),
            (drafts.reply("0x01", "r"), MessageType.REPLY, "r"),
            (drafts.edit("0x01", "e"), MessageType.EDIT, "e"),
            (drafts.delete_request("0x01"), MessageType.DELETE_REQUEST, None),
            (drafts.reaction("0x01", "👍"), MessageType.REACTION, "👍"),
            (drafts.read_receipt("0x01"), MessageType.READ_RECEIPT, None),
            (drafts.read_opened("0x01"), MessageType.READ_OPENED, ""),
            (drafts.read_received("0x01"), MessageType.READ_RECEIVED, ""),
            (drafts.resend_request("0x01"), MessageType.RESEND_REQUEST, None),
        ],
    )
    def test_every_type_of_message(
        self, alice: Dm3Client, bob: Dm3Client, draft: Draft, kind: MessageType, text: str | None
    ) -> None:
        assert alice.send("bob.eth", draft).delivered
        (received,) = bob.inbox()
        assert (received.type, received.text) == (kind, text)
        assert received.message.reference_message_hash == (None if kind == MessageType.NEW else "0x01")
        assert received.verified

    def test_attachments_arrive(self, alice: Dm3Client, bob: Dm3Client, tmp_path: Path) -> None:
        photo = tmp_path / "photo.png"
        photo.write_bytes(b"\x89PNG")
        alice.send("bob.eth", "look", [attach(photo)])
        (received,) = bob.inbox()
        assert [(item.name, item.data) for item in received.attachments] == [
            ("photo.png", "data:image/png;base64,iVBORw==")
        ]

    def test_an_application_may_add_metadata(self, alice: Dm3Client, bob: Dm3Client) -> None:
        alice.send(
            "bob.eth", Draft("NEW", "x", extra={"mood": "good"}, reply_delivery_instruction="by pigeon")
        )
        (received,) = bob.inbox()
        assert received.message.metadata_extra == {"mood": "good"}
        assert received.message.reply_delivery_instruction == "by pigeon"

    def test_a_name_that_cannot_be_normalised(self, alice: Dm3Client) -> None:
        with pytest.raises(InvalidName):
            alice.send("bob .eth", "hello")

    def test_properties_and_extension_are_asked_once(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        alice.send("bob.eth", "one")
        before = len(world.transport.requests)
        alice.send("bob.eth", "two")
        assert len(world.transport.requests) - before == 1

    def test_the_size_limit_is_obeyed_without_submitting(self, bob: Dm3Client) -> None:
        world = World(limits=Limits(size_limit_bytes=20_000))
        alice, _ = world.join("alice.eth"), world.join("bob.eth")
        with pytest.raises(TooBig):
            alice.send("bob.eth", "x" * 20_000)
        assert submissions(world) == []
        assert alice.unsent() == ()

    def test_a_type_the_receiver_does_not_support_is_not_sent(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        answer = {"jsonrpc": "2.0", "id": None, "result": {"supportedMessageTypes": ["NEW"]}}
        world.faults.append(
            answering(Response(200, json.dumps(answer).encode()), containing=b"getProfileExtension")
        )
        with pytest.raises(InvalidMessage):
            alice.send("bob.eth", drafts.reaction("0x01", "👍"))
        assert submissions(world) == []
        assert alice.send("bob.eth", "hello").delivered

    def test_an_encryption_scheme_that_is_unknown_here(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        result = {"supportedMessageTypes": ["NEW"], "encryptionScheme": ["rot13"]}
        answer = {"jsonrpc": "2.0", "id": None, "result": result}
        world.faults.append(
            answering(Response(200, json.dumps(answer).encode()), containing=b"getProfileExtension")
        )
        with pytest.raises(InvalidMessage):
            alice.send("bob.eth", "hello")

    def test_a_service_that_knows_no_extensions_is_taken_for_the_default(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        error = {"jsonrpc": "2.0", "id": None, "error": {"code": -32601, "message": "?"}}
        world.faults.append(
            answering(Response(404, json.dumps(error).encode()), containing=b"getProfileExtension")
        )
        assert alice.send("bob.eth", drafts.reaction("0x01", "👍")).delivered


class TestFailures:
    def test_when_the_first_service_is_dead_the_second_takes_it(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(down(RELAY))
        sent = alice.send("bob.eth", "hello")
        assert isinstance(sent, Sent)
        assert sent.delivery_service == SECOND
        world.faults.clear()
        assert texts(bob) == ["hello"]

    def test_when_the_first_service_has_no_record_the_second_takes_it(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.directory.remove(RELAY)
        sent = alice.send("bob.eth", "hello")
        assert isinstance(sent, Sent)
        assert sent.delivery_service == SECOND

    @pytest.mark.parametrize("services", [(RELAY, SECOND), (RELAY,)])
    def test_who_has_moved_is_reached_where_they_are_now(
        self, world: World, alice: Dm3Client, bob: Dm3Client, services: tuple[str, ...]
    ) -> None:
        """Alice remembers the profile of before, in which the former service stands, first or alone."""
        now = world.identity("bob.eth", SECOND)
        remembering = MemoryDirectory()
        for name in (RELAY, SECOND):
            remembering.add(name, None, service_text=service_record(name, world.keys[name]))
        remembering.add("bob.eth", now.address, world.identity("bob.eth", *services).profile_record())
        world.publish(now)
        settings = Settings(clock_ms=world.clock.now_ms, entropy=world.chance)
        writer = Dm3Client(alice.identity, remembering, world.transport, settings=settings)
        sent = writer.send("bob.eth", "hello")
        if SECOND not in services:
            assert isinstance(sent, Queued)
            assert sent.reason.message == ReceiverMoved.summary
            remembering.add("bob.eth", now.address, now.profile_record())
            (sent,) = writer.flush()  # type: ignore[assignment]
        assert isinstance(sent, Sent)
        assert sent.delivery_service == SECOND
        assert texts(bob) == ["hello"]

    def test_when_all_are_down_it_waits_and_goes_later(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults += [down(RELAY), down(SECOND)]
        queued = alice.send("bob.eth", "hello")
        assert isinstance(queued, Queued)
        assert isinstance(queued.reason, Unavailable)
        (entry,) = alice.unsent()
        assert (entry.to, entry.attempts) == ("bob.eth", 1)
        (again,) = alice.flush()
        assert isinstance(again, Queued)
        assert alice.unsent()[0].attempts == 2
        world.faults.clear()
        (sent,) = alice.flush()
        assert isinstance(sent, Sent)
        assert sent.message_hash == queued.message_hash
        assert alice.unsent() == ()
        assert texts(bob) == ["hello"]

    def test_a_receiver_without_a_profile_gets_it_later(self, world: World, alice: Dm3Client) -> None:
        queued = alice.send("carol.eth", "welcome")
        assert isinstance(queued, Queued)
        assert isinstance(queued.reason, NotFound)
        carol = world.identity("carol.eth")
        world.publish(carol)
        (still,) = alice.flush()  # a profile, but no account at the relay yet
        assert isinstance(still, Queued)
        assert still.reason.message == "The receiver has no account at this delivery service."
        client = world.client(carol)
        client.register()
        (sent,) = alice.flush()
        assert sent.delivered
        assert texts(client) == ["welcome"]

    def test_a_lost_answer_is_made_good_by_the_very_same_envelope(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        lost = [True]

        def lose(request: object) -> Response | None:
            if lost[0] and b"dm3_submitMessage" in request.body:  # type: ignore[attr-defined]
                world.ask(request)  # type: ignore[arg-type]
                raise TimeoutError
            return None

        world.faults += [lose, down(SECOND)]
        assert isinstance(alice.send("bob.eth", "once"), Queued)
        lost[0] = False
        (sent,) = alice.flush()
        assert isinstance(sent, Sent)
        assert sent.duplicate
        assert len(set(submissions(world))) == 1
        world.faults.clear()
        assert texts(bob) == ["once"]

    def test_503_is_tried_again_after_as_long_as_it_asks(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        busy = Response(503, b"{}", {"retry-after": "7"})
        world.faults.append(answering(busy, containing=b"dm3_submitMessage", times=2))
        assert alice.send("bob.eth", "hello").delivered
        assert world.clock.slept_s == [7.0, 7.0]

    def test_429_beyond_our_patience_is_not_waited_for(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        error = {"code": -32005, "message": "Too many.", "data": {"retryAfter": 3600}}
        full = Response(429, json.dumps({"jsonrpc": "2.0", "id": None, "error": error}).encode())
        world.faults.append(answering(full, containing=b"dm3_submitMessage"))
        queued = alice.send("bob.eth", "hello")
        assert isinstance(queued, Queued)
        assert queued.retry_after_s == 3600
        assert world.clock.slept_s == []

    def test_spam_is_final_and_not_kept(self) -> None:
        class Nobody:
            def admit(self, _candidate: Candidate) -> Dues:
                raise Spam(data={"rule": "receiver"})

        world = World(policy=Nobody())
        alice, _ = world.join("alice.eth"), world.join("bob.eth", RELAY, SECOND)
        with pytest.raises(Spam) as refused:
            alice.send("bob.eth", "buy!")
        assert refused.value.data == {"rule": "receiver"}
        assert len(submissions(world)) == 1
        assert alice.unsent() == ()

    def test_an_unpublished_sender_is_refused_for_good(self, world: World, bob: Dm3Client) -> None:
        nobody = world.client(world.identity("nobody.eth"))
        with pytest.raises(Unauthorized):
            nobody.send("bob.eth", "who am I?")
        assert nobody.unsent() == ()

    def test_what_becomes_unsendable_is_dropped_from_the_outbox(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults += [down(RELAY), down(SECOND)]
        alice.send("bob.eth", "hello")
        world.faults.clear()
        world.directory.remove("alice.eth")
        (refused,) = alice.flush()
        assert isinstance(refused, Refused)
        assert isinstance(refused.reason, Unauthorized)
        assert alice.unsent() == ()

    def test_a_forged_receipt_is_no_success(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        forged = make_receipt(
            message_id="00" * 16,
            message_hash="0x00",
            incoming_timestamp_ms=1,
            expires_at_ms=2,
            signing_private_key=relay_keys("mallory").signing.private_key,
        )
        answer = {"jsonrpc": "2.0", "id": None, "result": dict(forged.to_json())}
        world.faults += [
            answering(Response(200, json.dumps(answer).encode()), containing=b"dm3_submitMessage"),
        ]
        with pytest.raises(InvalidSignature):
            alice.send("bob.eth", "hello")

    def test_a_genuine_receipt_for_another_message_is_no_success(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        first = alice.send("bob.eth", "one")
        assert isinstance(first, Sent)
        assert first.receipt is not None
        answer = {"jsonrpc": "2.0", "id": None, "result": dict(first.receipt.to_json())}
        world.faults += [
            answering(Response(200, json.dumps(answer).encode()), containing=b"dm3_submitMessage"),
        ]
        with pytest.raises(InvalidSignature):
            alice.send("bob.eth", "two")

    def test_a_service_whose_published_key_is_rubbish_gives_no_genuine_receipt(
        self, world: World, alice: Dm3Client
    ) -> None:
        world.join("bob.eth")
        keys = world.keys[RELAY]
        profile = DeliveryServiceProfile(keys.encryption.public_key, "AAAA", f"https://{RELAY}/api")
        world.directory.add(RELAY, None, service_text=data_uri(profile.to_json()))
        with pytest.raises(InvalidSignature):
            alice.send("bob.eth", "hello")

    def test_after_a_forged_receipt_the_next_service_is_used(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        answer = Response(200, b'{"jsonrpc":"2.0","id":null,"result":{"messageId":"x"}}')
        world.faults.append(
            lambda request: answer if RELAY in request.url and b"submitMessage" in request.body else None
        )
        sent = alice.send("bob.eth", "hello")
        assert isinstance(sent, Sent)
        assert sent.delivery_service == SECOND

    def test_services_of_the_reference_give_no_receipt(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        world.faults.append(answering(Response(200, b"OK"), containing=b"dm3_submitMessage"))
        sent = alice.send("bob.eth", "hello")
        assert isinstance(sent, Sent)
        assert sent.receipt is None

    def test_new_keys_of_the_service_are_noticed(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        """What is sealed for the old keys is refused; the record on ENS is read afresh and sealed anew."""
        old = service_record(RELAY, world.keys[RELAY])
        world.keys[RELAY] = relay_keys("rotated")
        world.start(RELAY)
        new = service_record(RELAY, world.keys[RELAY])
        lookup = world.directory.delivery_service

        class Stale:
            """A directory that shows the old record until it is asked for a fresh one."""

            def lookup(self, name: str, *, fresh: bool = False, toll: Toll | None = None) -> ResolvedName:
                return world.directory.lookup(name, fresh=fresh)

            def delivery_service(self, name: str, *, fresh: bool = False) -> DeliveryServiceProfile | None:
                world.directory.add(RELAY, None, service_text=new if fresh else old)
                return lookup(name, fresh=fresh)

        client = Dm3Client(
            alice.identity,
            Stale(),
            world.transport,
            settings=alice._settings,
        )
        sent = client.send("bob.eth", "hello")
        assert isinstance(sent, Sent)
        assert sent.delivery_service == RELAY

    def test_the_outbox_survives_on_disk(
        self, world: World, alice: Dm3Client, bob: Dm3Client, tmp_path: Path
    ) -> None:
        def with_files() -> Dm3Client:
            box = FileOutbox(tmp_path / "outbox", alice.identity, world.chance)
            return world.client(alice.identity, outbox=box)

        world.faults += [down(RELAY), down(SECOND)]
        with_files().send("bob.eth", "from the last run")
        world.faults.clear()
        (sent,) = with_files().flush()
        assert sent.delivered
        assert texts(bob) == ["from the last run"]
        assert list((tmp_path / "outbox").iterdir()) == []


class TestReading:
    def test_the_inbox_is_read_page_by_page_in_order(self, alice: Dm3Client, bob: Dm3Client) -> None:
        for number in range(7):
            alice.send("bob.eth", str(number))
        assert [message.text for message in bob.inbox(page_size=3)] == [str(number) for number in range(7)]
        assert texts(bob) == [str(number) for number in range(7)], "reading deletes nothing"

    def test_a_cursor_continues(self, alice: Dm3Client, bob: Dm3Client) -> None:
        alice.send("bob.eth", "one")
        page = bob.fetch()
        assert not page.more
        alice.send("bob.eth", "two")
        assert [message.text for message in bob.fetch(page.cursor).messages] == ["two"]

    def test_acknowledging_deletes(self, alice: Dm3Client, bob: Dm3Client) -> None:
        alice.send("bob.eth", "one")
        alice.send("bob.eth", "two")
        one, _two = bob.inbox()
        assert bob.acknowledge([one]) == 1
        assert texts(bob) == ["two"]
        assert bob.acknowledge([message.id for message in bob.inbox()]) == 1
        assert texts(bob) == []

    def test_a_double_by_another_service_is_dropped_and_acknowledged_along(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        """The first service took it, but its answer was lost, so the second got it too."""

        def lose(request: object) -> Response | None:
            if RELAY in request.url and b"dm3_submitMessage" in request.body:  # type: ignore[attr-defined]
                world.ask(request)  # type: ignore[arg-type]
                raise TimeoutError
            return None

        world.faults.append(lose)
        alice.send("bob.eth", "once")
        world.faults.clear()
        (received,) = bob.inbox()
        assert received.text == "once"
        assert bob.acknowledge([received]) == 2
        assert texts(bob) == []

    def test_following_goes_on_through_outages_and_shows_nothing_twice(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        events = iter(["outage", "back", "mail", "nothing", "more mail"])

        def wait(_seconds: float) -> None:
            match next(events):
                case "outage":
                    world.faults.extend([down(RELAY), down(SECOND)])
                case "back":
                    world.faults.clear()
                case "mail" | "more mail" as event:
                    alice.send("bob.eth", event)

        reader = world.client(bob.identity, patience=Patience(attempts=1, sleep=wait))
        alice.send("bob.eth", "first")
        following = reader.follow(poll_s=1)
        assert [next(following).text for _ in range(3)] == ["first", "mail", "more mail"]

    def test_one_service_down_hides_only_its_own_mail(
        self, world: World, alice: Dm3Client, bob: Dm3Client
    ) -> None:
        alice.send("bob.eth", "by the first")
        world.faults.append(down(RELAY))
        alice.send("bob.eth", "by the second")
        page = bob.fetch()
        assert [message.text for message in page.messages] == ["by the second"]
        assert page.unreachable == (RELAY,)
        world.faults.clear()
        assert [message.text for message in bob.fetch(page.cursor).messages] == ["by the first"]

    def test_all_services_down(self, world: World, bob: Dm3Client) -> None:
        world.faults += [down(RELAY), down(SECOND)]
        with pytest.raises(Unavailable):
            bob.fetch()

    def test_without_an_account(self, world: World) -> None:
        with pytest.raises(NotFound):
            world.client(world.identity("nobody.eth")).fetch()

    def test_without_a_delivery_service(self, world: World, alice: Dm3Client) -> None:
        profile = alice.identity.signed_profile.profile
        signed = dataclasses.replace(
            alice.identity.signed_profile, profile=dataclasses.replace(profile, delivery_services=())
        )
        lonely = world.client(dataclasses.replace(alice.identity, signed_profile=signed))
        with pytest.raises(NotFound):
            lonely.fetch()


class TestSessions:
    def test_an_expired_token_is_renewed(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        alice.send("bob.eth", "hello")
        assert texts(bob) == ["hello"]
        world.clock.time_ms += 2 * 3_600_000
        assert texts(bob) == ["hello"]

    def test_a_revoked_token_is_renewed(self, world: World, alice: Dm3Client, bob: Dm3Client) -> None:
        alice.send("bob.eth", "hello")
        other = world.client(bob.identity)
        assert texts(bob) == texts(other) == ["hello"]
        bob.sign_out_everywhere()
        before = len(world.transport.requests)
        assert texts(other) == ["hello"]
        assert sum("/auth/" in request.url for request in world.transport.requests[before:]) == 4

    def test_signing_in_is_tried_once_only(self, world: World, bob: Dm3Client) -> None:
        world.faults.append(answering(Response(401, b"Unauthorized"), path="/inbox/"))
        with pytest.raises(SignInRequired):
            bob.fetch()
        for service in (RELAY, SECOND):
            assert sum(f"{service}/api/inbox/" in request.url for request in world.transport.requests) == 2


class TestAccount:
    def test_resolving_a_contact(self, alice: Dm3Client, bob: Dm3Client) -> None:
        contact = alice.resolve("BOB.eth")
        assert contact.name == "bob.eth"
        assert contact.proven
        assert contact.profile == bob.identity.signed_profile.profile
        with pytest.raises(NotFound):
            alice.resolve("nobody.eth")

    def test_registering_names_the_services(self, world: World) -> None:
        identity = world.identity("carol.eth", RELAY, SECOND)
        world.publish(identity)
        assert world.client(identity).register() == (RELAY, SECOND)

    def test_export_holds_everything(self, world: World, alice: Dm3Client) -> None:
        world.join("bob.eth")
        bob = world.client(world.identity("bob.eth"))
        alice.send("bob.eth", "hello")
        (export,) = bob.export()
        assert export["deliveryService"] == RELAY
        assert export["address"] == bob.identity.address
        assert len(export["messages"]) == 1  # type: ignore[arg-type]
        assert "cursor" not in export

    def test_an_export_is_read_to_its_end(self) -> None:
        world = World(limits=Limits(page_messages=2))
        alice, bob = world.join("alice.eth"), world.join("bob.eth")
        for number in range(5):
            alice.send("bob.eth", str(number))
        (export,) = bob.export()
        assert len(export["messages"]) == 5  # type: ignore[arg-type]

    @pytest.mark.parametrize("answer", [b"[]", b"", b"5"])
    def test_an_export_that_is_none(self, world: World, bob: Dm3Client, answer: bytes) -> None:
        world.faults.append(answering(Response(200, answer), path="/export"))
        with pytest.raises(Unavailable):
            bob.export()

    def test_a_deleted_account_takes_no_mail(self, world: World, alice: Dm3Client) -> None:
        bob = world.join("bob.eth")
        bob.delete_account()
        with pytest.raises(NotFound):
            bob.fetch()
        assert isinstance(alice.send("bob.eth", "still there?"), Queued)
