"""What the reference implementation gets wrong, one test for each that concerns the relay.

The faults were seen by running the reference; each name says what holds here instead.
"""

from __future__ import annotations

import logging

import pytest

from chalicelib.protocol.errors import (
    Dm3Error,
    Forbidden,
    InvalidInput,
    InvalidSignature,
    LimitExceeded,
    SignInRequired,
    UnverifiedSender,
)
from chalicelib.protocol.signing import sign
from tests.unit.relay.world import ALICE, BOB, MALLORY, SOURCE, Person, World, limited


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    return world


def test_1_posting_a_public_profile_opens_no_session() -> None:
    world = settled()
    # Anyone can read Bob's signed profile and post it again; what comes back opens nothing.
    public = world.relay.accounts.profile("bob.eth").to_json()
    answer = world.relay.accounts.register("bob.eth", public, source=SOURCE)  # type: ignore[func-returns-value]
    assert answer is None
    with pytest.raises(SignInRequired):
        world.relay.sessions.authenticate(f"Bearer {answer}", "bob.eth")


def test_1_a_name_pointed_at_an_address_opens_no_session() -> None:
    world = settled()
    world.directory.add("evil.eth", BOB.address)
    world.register(BOB, "evil.eth")
    challenge = world.relay.sessions.challenge("evil.eth")
    with pytest.raises(InvalidSignature):
        world.relay.sessions.sign_in("evil.eth", challenge, sign(MALLORY.signing.private_key, challenge))


def test_2_a_challenge_is_good_once_and_for_its_name_only() -> None:
    world = settled()
    world.register(world.publish(BOB, "robert.eth"), "robert.eth")
    challenge = world.relay.sessions.challenge("bob.eth")
    signature = sign(BOB.signing.private_key, challenge)
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("robert.eth", challenge, signature)
    world.relay.sessions.sign_in("bob.eth", challenge, signature)
    with pytest.raises(InvalidInput):
        world.relay.sessions.sign_in("bob.eth", challenge, signature)


@pytest.mark.parametrize("case", ["zeroed signature", "unknown sender", "impersonated sender", "garbage"])
def test_3_senders_are_verified(case: str) -> None:
    world = settled()
    letter = world.letter()
    if case == "zeroed signature":
        metadata = letter["metadata"]
        assert isinstance(metadata, dict)
        metadata["signature"] = "A" * 86 + "=="
    if case == "unknown sender":
        letter = world.letter(Person("ghost.eth"))
    if case == "impersonated sender":
        letter = world.letter(MALLORY, claim="alice.eth")
    if case == "garbage":
        letter["message"] = "garbage"
    with pytest.raises(Dm3Error) as caught:
        world.submit(letter)
    assert isinstance(caught.value, UnverifiedSender | InvalidInput)
    assert world.mail() == []


@pytest.mark.parametrize("name", ["", "0x0", "a\u0000b.eth", "💩‍.eth", "." * 300, "é" * 5_000, "\ud800.eth"])
def test_4_an_odd_name_ends_nothing(name: str) -> None:
    world = settled()
    for call in (
        lambda: world.relay.accounts.profile(name),
        lambda: world.relay.sessions.challenge(name),
        lambda: world.relay.accounts.register(name, BOB.signed_profile.to_json(), source=SOURCE),
        lambda: world.submit(world.letter(to=name or " ")),
        lambda: world.submit(world.letter(claim=name or " ")),
    ):
        with pytest.raises(Dm3Error) as caught:
            call()
        assert caught.value.status < 500


def test_4_an_unreachable_node_is_said_to_be_one() -> None:
    world = settled()
    world.restarted()
    world.directory.fail = True
    with pytest.raises(Dm3Error) as caught:
        world.submit()
    assert (caught.value.status, caught.value.retry) == (503, True)


def test_5_an_envelope_of_the_other_revision_can_be_acknowledged() -> None:
    world = settled()
    world.submit(world.letter(revision="encryptedMessageHash"))
    [message] = world.mail()
    metadata = message.envelope["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["messageHash"] == metadata["encryptedMessageHash"]
    pair = ("alice.eth", str(metadata["messageHash"]))
    assert world.relay.inbox.acknowledge_pairs(world.account(BOB), [pair]) == 1


def test_5_acknowledging_a_thousand_reads_no_conversation() -> None:
    world = settled()
    account = world.account(BOB)
    world.calls.clear()
    pairs = [("alice.eth", f"0x{number}") for number in range(1_000)]
    assert world.relay.inbox.acknowledge_pairs(account, pairs) == 0
    assert world.calls == {"submissions.find": 1_000}


def test_6_mail_from_more_than_101_contacts_is_all_reached() -> None:
    world = settled()
    for number in range(105):
        world.submit(world.letter(world.publish(Person(f"contact{number}.eth"))))
    assert len(world.mail()) == 105
    assert len(world.relay.inbox.incoming(world.account(BOB)).envelopes) == 105


def test_7_the_same_envelope_is_stored_once() -> None:
    world = settled()
    letter = world.letter()
    assert [world.submit(letter).duplicate for _ in range(3)] == [False, True, True]
    assert len(world.mail()) == 1


def test_8_properties_hold_no_secrets() -> None:
    properties = settled().relay.properties().to_json()
    assert properties["messageTTL"] == 30
    assert properties["sizeLimit"] == 3_000_000
    assert not {"privateKey", "password", "vapidKeys", "smtpPassword"} & set(str(properties))


def test_8_nothing_is_logged_and_no_error_repeats_what_it_was_given(
    caplog: pytest.LogCaptureFixture, capfd: pytest.CaptureFixture[str]
) -> None:
    caplog.set_level(logging.DEBUG)
    world = settled()
    token = world.token(BOB)
    errors: list[Dm3Error] = []
    for call in (
        lambda: world.submit(world.letter(MALLORY, claim="alice.eth")),
        lambda: world.submit(world.letter(to="nobody.eth")),
        lambda: world.relay.sessions.authenticate(f"Bearer {token}", "alice.eth"),
        lambda: world.relay.sessions.authenticate(f"Bearer {token}x", "bob.eth"),
        lambda: world.register(MALLORY, "bob.eth"),
        lambda: world.relay.inbox.page(world.account(BOB), token),
    ):
        with pytest.raises(Dm3Error) as caught:
            call()
        errors.append(caught.value)
    world.mail()
    said = caplog.text + "".join(capfd.readouterr()) + "".join(f"{error} {error.data}" for error in errors)
    for secret in ("alice", "bob", "mallory", "nobody", token[:20], BOB.address, "0x"):
        assert secret not in said


def test_9_a_rotated_key_is_seen() -> None:
    world = settled()
    world.submit()
    new_alice = world.publish(ALICE.with_new_keys())
    world.submit(world.letter(new_alice, text="with new keys"))
    with pytest.raises(UnverifiedSender):
        world.submit(world.letter(ALICE, text="with old keys"))


def test_10_what_was_answered_with_success_is_there_in_a_new_process() -> None:
    world = settled()
    receipt = world.submit().receipt
    world.restarted()
    assert [message.message_id for message in world.mail()] == [receipt.message_id]


def test_12_garbage_is_refused_before_anything_is_asked() -> None:
    world = settled()
    world.calls.clear()
    world.directory.readings.clear()
    letter = world.letter()
    metadata = letter["metadata"]
    assert isinstance(metadata, dict)
    metadata["deliveryInformation"] = world.seal("{}", MALLORY.encryption.public_key)
    with pytest.raises(InvalidInput):
        world.submit(letter)
    assert (dict(world.calls), world.directory.readings) == ({}, [])


def test_forgeries_spend_no_quota_of_whom_they_name() -> None:
    world = settled(limited(sender_messages_per_hour=1, receiver_kib_per_day=20))
    for number in range(10):
        with pytest.raises(UnverifiedSender):
            world.submit(world.letter(MALLORY, claim="alice.eth", text=str(number)))
    world.submit()


def test_a_source_pays_for_its_forgeries_itself() -> None:
    world = settled(limited(source_submits_per_minute=3))
    for number in range(3):
        with pytest.raises(UnverifiedSender):
            world.submit(world.letter(MALLORY, claim="alice.eth", text=str(number)))
    with pytest.raises(LimitExceeded):
        world.submit()
    world.submit(source="192.0.2.8")


def test_a_superseded_profile_does_not_come_back() -> None:
    world = settled()
    world.register(world.publish(BOB.with_new_keys()))
    with pytest.raises(Forbidden):
        world.register(BOB)
