"""A message from one reference client to another, through this relay."""

from __future__ import annotations

import pytest

from tests.interop.people import Person
from tests.interop.reference import Json, ReferenceRefused

pytestmark = pytest.mark.npm

REVISIONS = ["encryptedMessageHash", "messageHash"]
EVERYTHING_FITS = {"message": True, "postmark": True, "postmarkHash": True}


@pytest.mark.parametrize("revision", REVISIONS)
def test_a_message_is_submitted_fetched_opened_and_verified(
    alice: Person, bob: Person, revision: str
) -> None:
    sent = alice.send(bob, "Grüße, Bob 👋", revision=revision)
    assert revision in sent["envelop"]["metadata"]
    assert sent["answer"]["status"] == 200
    (envelop,) = bob.incoming()
    opened = bob.open(envelop, alice)
    assert opened["message"] == sent["message"]
    assert opened["checks"] == EVERYTHING_FITS


def test_the_postmark_tells_when_the_relay_took_the_message(alice: Person, bob: Person) -> None:
    sent = alice.send(bob, "what time is it?")
    (envelop,) = bob.incoming()
    postmark = bob.open(envelop, alice)["postmark"]
    minute_ms = 60_000
    assert abs(postmark["incommingTimestamp"] - sent["message"]["metadata"]["timestamp"]) < minute_ms
    assert postmark["incomingTimestamp"] == postmark["incommingTimestamp"]


def test_a_foreign_senders_key_does_not_verify_the_message(alice: Person, bob: Person) -> None:
    alice.send(bob, "signed by alice")
    (envelop,) = bob.incoming()
    checks = bob.open(envelop, bob)["checks"]
    assert checks == {**EVERYTHING_FITS, "message": False}


@pytest.mark.parametrize(
    "kind", ["NEW", "EDIT", "REPLY", "REACTION", "DELETE_REQUEST", "READ_OPENED", "READ_RECEIVED"]
)
def test_every_type_of_message_that_the_library_makes_arrives(alice: Person, bob: Person, kind: str) -> None:
    reference = None if kind == "NEW" else "0x" + "ab" * 32
    sent = alice.send(bob, "" if kind.startswith("READ") else "text", type=kind, reference=reference)
    (envelop,) = bob.incoming()
    opened = bob.open(envelop, alice)
    assert opened["message"] == sent["message"]
    assert opened["message"]["metadata"]["type"] == kind
    assert opened["checks"] == EVERYTHING_FITS


def test_attachments_arrive_as_they_were(alice: Person, bob: Person) -> None:
    attachments = [{"name": "a.txt", "data": "data:text/plain;base64," + "QUJD" * 30_000}]
    sent = alice.send(bob, "see attachment", attachments=attachments)
    assert sent["size"] > 100_000
    (envelop,) = bob.incoming()
    assert bob.open(envelop, alice)["message"]["attachments"] == attachments


def test_the_delivery_information_is_opened_for_its_owner(alice: Person, bob: Person) -> None:
    sent = alice.send(bob, "whom from?")
    (envelop,) = bob.incoming()
    metadata = envelop["metadata"]
    assert metadata["deliveryInformation"] == {"to": bob.name, "from": alice.name}
    assert metadata["sealedDeliveryInformation"] == sent["envelop"]["metadata"]["deliveryInformation"]
    assert metadata["signature"] == sent["envelop"]["metadata"]["signature"]


def test_messages_are_fetched_by_contact(alice: Person, bob: Person, carol: Person) -> None:
    alice.send(bob, "from alice")
    carol.send(bob, "from carol")
    token = bob.call("signIn")
    (envelop,) = bob.call("fromContact", contact=carol.name, token=token)
    assert bob.open(envelop, carol)["message"]["message"] == "from carol"
    assert len(bob.incoming()) == 2


@pytest.mark.parametrize("revision", REVISIONS)
def test_an_acknowledged_message_is_gone_and_others_stay(alice: Person, bob: Person, revision: str) -> None:
    for text in ("first", "second"):
        alice.send(bob, text, revision=revision)
    first, second = bob.incoming()
    assert acknowledge(bob, alice.name, [first])["status"] == 200
    (left,) = bob.incoming()
    assert left == second
    assert bob.open(left, alice)["message"]["message"] == "second"


def test_acknowledging_a_wrong_contact_deletes_nothing(alice: Person, bob: Person, carol: Person) -> None:
    """The web client acknowledges everything it fetched once for each conversation."""
    alice.send(bob, "keep me")
    waiting = bob.incoming()
    assert acknowledge(bob, carol.name, waiting)["status"] == 200
    assert bob.incoming() == waiting


def test_acknowledging_twice_is_no_error(alice: Person, bob: Person) -> None:
    alice.send(bob, "once")
    waiting = bob.incoming()
    for _ in range(2):
        assert acknowledge(bob, alice.name, waiting)["status"] == 200
    assert bob.incoming() == []


def test_the_same_envelope_posted_again_is_stored_once(alice: Person, bob: Person) -> None:
    sent = alice.send(bob, "once only")
    again = alice.call("submit", envelop=sent["envelop"])
    assert again["status"] == 200
    assert len(bob.incoming()) == 1


def test_the_message_proxy_of_the_library_delivers(alice: Person, bob: Person) -> None:
    message = {"from": alice.name, "to": bob.name, "text": "over the proxy"}
    sent = alice.reference.call("sendOverProxy", message=message)
    assert [answer["status"] for answer in sent["answers"]] == [200]
    (envelop,) = bob.incoming()
    assert bob.open(envelop, alice)["message"] == sent["message"]


def test_a_forged_envelope_is_refused(alice: Person, bob: Person, carol: Person) -> None:
    """Carol signs an envelope that names Alice as its sender."""
    message = {"from": carol.name, "to": bob.name, "text": "it is me, Alice"}
    forged = carol.reference.call(
        "build",
        message=message,
        known={
            "receiver": bob.signed_profile["profile"],
            "service": carol.reference.call("readServiceProfile", name=bob.relay.relay_name),
            "sender": alice.name,
        },
    )
    with pytest.raises(ReferenceRefused) as refused:
        carol.call("submit", envelop=forged["envelop"])
    assert refused.value.status == 403
    assert bob.incoming() == []


def test_an_unknown_receiver_is_refused(alice: Person, stranger: Person) -> None:
    with pytest.raises(ReferenceRefused) as refused:
        alice.send(stranger, "are you there?")
    assert refused.value.status == 404


def test_a_conversation_goes_both_ways(alice: Person, bob: Person) -> None:
    alice.send(bob, "ping")
    (ping,) = bob.incoming()
    bob.send(alice, "pong", type="REPLY", reference=ping["metadata"]["encryptedMessageHash"])
    (pong,) = alice.incoming()
    assert alice.open(pong, bob)["message"]["message"] == "pong"


def acknowledge(person: Person, contact: str, envelopes: list[dict[str, Json]]) -> dict[str, Json]:
    """Acknowledge envelopes as the web client does: contact, and `messageHash` as the envelope names it."""
    answer: dict[str, Json] = person.call(
        "acknowledge",
        acknowledgements=[
            {"contactAddress": contact, "messageHash": envelop["metadata"].get("messageHash")}
            for envelop in envelopes
        ],
    )
    return answer
