"""What a receiver is told about a message that is not what it should be: the delivery service is hostile."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

import pytest

from chalicelib.client import Received, Unreadable, Verdict, drafts
from chalicelib.client.composer import Composer
from chalicelib.client.delivery_service import DeliveryService
from chalicelib.client.identity import Identity
from chalicelib.client.opening import Opener
from chalicelib.client.patience import Patience
from chalicelib.client.services import Services
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.envelope import Envelope, Revision
from chalicelib.protocol.json_types import JsonObject
from chalicelib.protocol.postmark import make_postmark, seal_postmark
from chalicelib.protocol.profile_uri import data_uri
from tests.unit.client.world import RELAY, World, relay_keys


@pytest.fixture
def world() -> World:
    world = World()
    for name in ("alice.eth", "bob.eth", "mallory.eth"):
        world.publish(world.identity(name))
    return world


@pytest.fixture
def bob(world: World) -> Identity:
    return world.identity("bob.eth")


def service_of(world: World) -> DeliveryService:
    return _services(world).find(RELAY)


def _services(world: World) -> Services:
    return Services(world.directory, world.transport, Patience(), world.clock.now_ms)


def sealed(
    world: World,
    author: Identity,
    to: Identity,
    *,
    written_to: str = "bob.eth",
    revision: Revision = Revision.ENCRYPTED_MESSAGE_HASH,
) -> Envelope:
    composer = Composer(author, revisions=(revision,), clock_ms=world.clock.now_ms, entropy=world.chance)
    entry = composer.compose(written_to, drafts.new("hello"))
    made = composer.seal(entry, to.signed_profile.profile, service_of(world).profile)
    return Envelope.parse(made.envelope)


def stored(
    world: World,
    envelope: Envelope,
    *,
    sender: str = "alice.eth",
    stamped_for: Envelope | None = None,
    stamp_key: str | None = None,
    stamp_sender: str | None = None,
) -> JsonObject:
    """`envelope` as a relay would hand it out, or as a lying one would."""
    information = DeliveryInformation("bob.eth", sender)
    key = stamp_key or world.keys[RELAY].signing.private_key
    postmark = make_postmark(
        stamped_for or envelope,
        DeliveryInformation("bob.eth", stamp_sender or sender),
        incoming_timestamp_ms=1_700_000_000_000,
        signing_private_key=key,
    )
    receiver = world.identity("bob.eth").signed_profile.profile.public_encryption_key
    metadata = {
        **envelope.metadata,
        "deliveryInformation": information.to_json(),
        "sealedDeliveryInformation": envelope.metadata["deliveryInformation"],
    }
    wire: JsonObject = {
        "message": envelope.message,
        "metadata": metadata,
        "postmark": seal_postmark(postmark, receiver, world.chance),
    }
    return {"id": "1", "messageId": "m", "storedAt": 5, "expiresAt": 9, "verified": True, "envelope": wire}


def opened(world: World, bob: Identity, item: JsonObject) -> Received | Unreadable:
    return Opener(bob, world.directory, _services(world)).open(item, service_of(world).name)


def verdicts(received: Received | Unreadable) -> dict[str, Verdict]:
    assert isinstance(received, Received)
    return {check.name: check.verdict for check in received.checks}


PASSED = dict.fromkeys(("message", "envelope", "receiver", "postmark"), Verdict.PASSED)


@pytest.mark.parametrize("revision", list(Revision))
def test_a_genuine_message_passes_every_check(world: World, bob: Identity, revision: Revision) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob, revision=revision)
    received = opened(world, bob, stored(world, envelope))
    assert isinstance(received, Received)
    assert received.verified
    assert received.reasons == ()
    assert received.received_at_ms == 1_700_000_000_000
    assert received.id == "relay.eth/1"


def test_members_that_the_relay_has_added_do_not_break_the_signature(world: World, bob: Identity) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob))
    added = {"messageHash": "0x00", "relayAdded": ["messageHash"]}
    item["envelope"]["metadata"] |= added  # type: ignore[index, operator, call-overload]
    assert verdicts(opened(world, bob, item)) == PASSED


def test_a_message_by_somebody_else_in_alices_name(world: World, bob: Identity) -> None:
    impostor = replace(world.identity("alice.eth"), keys=world.identity("mallory.eth").keys)
    received = opened(world, bob, stored(world, sealed(world, impostor, bob)))
    assert verdicts(received) == PASSED | {"message": Verdict.FAILED, "envelope": Verdict.FAILED}
    assert isinstance(received, Received)
    assert not received.verified
    assert len(received.reasons) == 2


def test_an_envelope_that_names_another_sender_than_the_message(world: World, bob: Identity) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob)
    received = opened(world, bob, stored(world, envelope, sender="mallory.eth"))
    assert verdicts(received) == PASSED | {"envelope": Verdict.FAILED, "postmark": Verdict.FAILED}


def test_a_message_to_somebody_else_that_was_passed_on(world: World, bob: Identity) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob, written_to="mallory.eth")
    assert verdicts(opened(world, bob, stored(world, envelope))) == PASSED | {"receiver": Verdict.FAILED}


@pytest.mark.parametrize("written_to", ["not a name", "bob .eth"])
def test_a_receiver_that_is_no_name(world: World, bob: Identity, written_to: str) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob, written_to=written_to)
    assert verdicts(opened(world, bob, stored(world, envelope)))["receiver"] is Verdict.FAILED


def test_another_name_of_the_reader_is_the_reader(world: World, bob: Identity) -> None:
    world.directory.add("bobby.eth", bob.address)
    envelope = sealed(world, world.identity("alice.eth"), bob, written_to="bobby.eth")
    assert verdicts(opened(world, bob, stored(world, envelope))) == PASSED


def test_a_sender_whose_name_is_no_name(world: World, bob: Identity) -> None:
    nameless = replace(world.identity("alice.eth"), name="no name")
    received = opened(world, bob, stored(world, sealed(world, nameless, bob)))
    assert verdicts(received)["message"] is Verdict.FAILED
    assert isinstance(received, Received)
    assert received.sender == ""


def test_a_sender_without_a_profile(world: World, bob: Identity) -> None:
    world.directory.remove("alice.eth")
    received = opened(world, bob, stored(world, sealed(world, world.identity("alice.eth"), bob)))
    assert verdicts(received) == PASSED | {"message": Verdict.FAILED, "envelope": Verdict.FAILED}


def test_a_forged_postmark(world: World, bob: Identity) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob)
    item = stored(world, envelope, stamp_key=relay_keys("mallory").signing.private_key)
    received = opened(world, bob, item)
    assert verdicts(received) == PASSED | {"postmark": Verdict.FAILED}
    assert isinstance(received, Received)
    assert received.received_at_ms == 5, "a forged time is not believed"


def test_the_postmark_of_another_message(world: World, bob: Identity) -> None:
    alice = world.identity("alice.eth")
    other = sealed(world, alice, bob)
    received = opened(world, bob, stored(world, sealed(world, alice, bob), stamped_for=other))
    assert verdicts(received) == PASSED | {"postmark": Verdict.FAILED}


def test_a_postmark_that_names_another_sender(world: World, bob: Identity) -> None:
    envelope = sealed(world, world.identity("alice.eth"), bob)
    received = opened(world, bob, stored(world, envelope, stamp_sender="mallory.eth"))
    assert verdicts(received) == PASSED | {"postmark": Verdict.FAILED}


@pytest.mark.parametrize("postmark", [None, "", "not sealed", 5])
def test_a_postmark_that_is_none(world: World, bob: Identity, postmark: object) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob))
    item["envelope"]["postmark"] = postmark  # type: ignore[index]
    received = opened(world, bob, item)
    if isinstance(received, Received):
        assert verdicts(received) == PASSED | {"postmark": Verdict.FAILED}
    else:
        assert not isinstance(postmark, str)


def test_when_ens_is_down_nothing_is_called_verified(world: World, bob: Identity) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob, written_to="bobby.eth"))
    service, services = service_of(world), _services(world)
    world.directory.fail = True
    received = Opener(bob, world.directory, services).open(item, service.name)
    assert set(verdicts(received).values()) == {Verdict.UNCHECKED}
    assert isinstance(received, Received)
    assert not received.verified


def test_a_sender_who_publishes_a_key_of_the_wrong_form(world: World, bob: Identity) -> None:
    alice = world.identity("alice.eth")
    profile = replace(alice.signed_profile.profile, public_signing_key="AAAA")
    world.directory.add("alice.eth", alice.address, data_uri(profile.to_json()))
    received = opened(world, bob, stored(world, sealed(world, alice, bob)))
    assert verdicts(received) == PASSED | {"message": Verdict.FAILED, "envelope": Verdict.FAILED}


def test_ones_own_name_is_known_while_ens_is_down(world: World, bob: Identity) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob))
    service, services = service_of(world), _services(world)
    world.directory.fail = True
    checks = verdicts(Opener(bob, world.directory, services).open(item, service.name))
    assert checks["receiver"] is Verdict.PASSED, "one's own name needs no looking up"
    assert checks["message"] is Verdict.UNCHECKED


def test_a_service_that_has_left_ens(world: World, bob: Identity) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob))
    service = service_of(world)
    world.directory.remove(RELAY)
    received = Opener(bob, world.directory, _services(world)).open(item, service.name)
    assert verdicts(received) == PASSED | {"postmark": Verdict.FAILED}


def _altered(wire: Mapping[str, object]) -> JsonObject:
    message = str(wire["message"]).replace('"ciphertext":"', '"ciphertext":"AAAA', 1)
    return {**wire, "message": message}  # type: ignore[dict-item]


def _for_another_key(wire: Mapping[str, object]) -> JsonObject:
    return {**wire, "message": wire["postmark"]}  # type: ignore[dict-item]


@pytest.mark.parametrize(
    "spoil",
    [
        _altered,
        _for_another_key,
        lambda _: {},
        lambda wire: {**wire, "metadata": 1},
        lambda wire: {"message": "x"},
    ],
)
@pytest.mark.parametrize("revision", [Revision.ENCRYPTED_MESSAGE_HASH, Revision.SPECIFICATION])
def test_what_was_tampered_with_is_not_opened(
    world: World, bob: Identity, revision: Revision, spoil: Callable[[JsonObject], JsonObject]
) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), bob, revision=revision))
    received = opened(world, bob, {**item, "envelope": spoil(item["envelope"])})  # type: ignore[arg-type]
    assert isinstance(received, Unreadable)
    assert received.id == "relay.eth/1"
    assert received.reason.endswith(".")


@pytest.mark.parametrize(
    ("told", "replaced"),
    [
        ({"olderKey": True, "encryptionKey": "another"}, True),
        ({"olderKey": False, "encryptionKey": "another"}, False),
        ({"olderKey": True}, False),
        ({"olderKey": "true", "encryptionKey": "another"}, False),
        ({}, False),
    ],
)
def test_mail_for_a_key_that_was_replaced_says_so(
    world: World, bob: Identity, told: JsonObject, replaced: bool
) -> None:
    item = stored(world, sealed(world, world.identity("alice.eth"), world.identity("mallory.eth")))
    received = opened(world, bob, {**item, **told})
    assert isinstance(received, Unreadable)
    assert ("that you have replaced" in received.reason) is replaced


def test_the_keys_of_then_open_it_message_and_postmark(world: World, bob: Identity) -> None:
    """The postmark is sealed for the key that stood, which need not be the one that the sender knew."""
    new = replace(bob, keys=world.identity("mallory.eth").keys)
    services = _services(world)
    for receiver in (bob, new):
        item = stored(world, sealed(world, world.identity("alice.eth"), receiver))
        received = Opener(new, world.directory, services, [bob]).open(item, service_of(world).name)
        assert verdicts(received) == PASSED
    assert isinstance(opened(world, new, stored(world, sealed(world, bob, bob))), Unreadable)


def test_who_has_the_key_of_then_opens_it_and_rubbish_under_its_own_key_is_rubbish(
    world: World, bob: Identity
) -> None:
    told: JsonObject = {"olderKey": True, "encryptionKey": bob.keys.encryption.public_key}
    item = {**stored(world, sealed(world, world.identity("alice.eth"), bob)), **told}
    assert isinstance(opened(world, bob, item), Received)
    wire = item["envelope"]
    assert isinstance(wire, dict)
    spoilt = opened(world, bob, {**item, "envelope": _altered(wire)})
    assert isinstance(spoilt, Unreadable)
    assert "replaced" not in spoilt.reason


@pytest.mark.parametrize("item", [None, 5, [], {}, {"envelope": "x"}, {"id": 7, "envelope": {"message": 1}}])
def test_an_item_that_is_nonsense_stops_nobody(world: World, bob: Identity, item: JsonObject) -> None:
    assert isinstance(opened(world, bob, item), Unreadable)


def test_new_keys_of_the_sender_are_noticed(world: World, bob: Identity) -> None:
    """The remembered profile does not fit the signature: it is read afresh, once."""
    alice = world.identity("alice.eth")
    opened(world, bob, stored(world, sealed(world, alice, bob)))
    assert world.directory.fresh_readings == []
    impostor = replace(alice, keys=world.identity("mallory.eth").keys)
    opened(world, bob, stored(world, sealed(world, impostor, bob)))
    assert world.directory.fresh_readings.count("alice.eth") == 2  # one for each of the two signatures
