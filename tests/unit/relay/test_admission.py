from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from threading import Barrier, Thread

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    InvalidEnvelope,
    InvalidInput,
    InvalidName,
    LimitExceeded,
    ParseError,
    Spam,
    TooBig,
    Unavailable,
    Undecryptable,
    UnknownReceiver,
    UnverifiedSender,
)
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.postmark import open_postmark
from chalicelib.protocol.receipt import verify_receipt
from chalicelib.relay import admission
from chalicelib.relay.admission import MAX_INFORMATION_BYTES
from chalicelib.relay.journal import MAX_VARIANTS
from chalicelib.relay.policy.port import Candidate, Dues, nothing_due
from chalicelib.relay.settings import Limits, RelaySettings
from chalicelib.relay.values import Submitted
from tests.unit.relay.world import (
    ALICE,
    BOB,
    MALLORY,
    RELAY_KEYS,
    RELAY_NAME,
    Person,
    Stranger,
    World,
    limited,
)

REVISIONS = ["messageHash", "encryptedMessageHash", None]


def settled(world: World | None = None) -> World:
    world = world or World()
    world.settle(ALICE, BOB)
    world.publish(MALLORY)
    world.calls.clear()
    world.directory.readings.clear()
    world.directory.fresh_readings.clear()
    return world


def metadata_of(envelope: JsonObject) -> dict[str, JsonValue]:
    metadata = envelope["metadata"]
    assert isinstance(metadata, dict)
    return metadata


@pytest.mark.parametrize("revision", REVISIONS)
@pytest.mark.parametrize(
    "form", [lambda one: one, canonicalize, json.dumps], ids=["object", "text", "spaced"]
)
def test_a_genuine_envelope_is_stored(revision: str | None, form: Callable[[JsonObject], JsonValue]) -> None:
    world = settled()
    envelope = world.letter(revision=revision)
    submitted = world.relay.admission.submit(form(envelope), source="192.0.2.1")
    assert not submitted.duplicate
    [message] = world.mail()
    assert message.message_id == submitted.receipt.message_id
    assert message.verified
    assert message.envelope["message"] == envelope["message"]


def test_the_receipt_is_the_relays_word_for_it() -> None:
    world = settled()
    receipt = world.submit().receipt
    assert verify_receipt(receipt, RELAY_KEYS.signing.public_key)
    assert receipt.incoming_timestamp_ms == world.clock.now_ms()
    assert receipt.expires_at_ms >= world.clock.now_ms() + 30 * 86_400_000


def test_the_postmark_is_for_the_receiver_and_about_this_envelope() -> None:
    world = settled()
    world.submit()
    [message] = world.mail()
    text = message.envelope["postmark"]
    assert isinstance(text, str)
    postmark = open_postmark(text, BOB.encryption)
    assert postmark.incoming_timestamp_ms == message.stored_at_ms


def test_the_signature_can_still_be_checked_by_the_receiver() -> None:
    world = settled()
    sent = world.letter(revision=None, extra={"unknown": {"b": 1.50, "a": "é"}})
    world.submit(sent)
    metadata = metadata_of(world.mail()[0].envelope)
    assert metadata.pop("relayAdded") == ["messageHash"]
    metadata.pop("messageHash")
    metadata["deliveryInformation"] = metadata.pop("sealedDeliveryInformation")
    assert canonicalize(metadata) == canonicalize(sent["metadata"])


# Step 1


def test_the_size_limit_is_exact() -> None:
    size_bytes = len(canonicalize(World().letter()).encode())
    for limit_bytes, fits in ((size_bytes, True), (size_bytes - 1, False)):
        world = settled(limited(size_limit_bytes=limit_bytes))
        letter = world.letter()
        if fits:
            world.submit(letter)
        else:
            with pytest.raises(TooBig):
                world.submit(letter)


def test_text_that_escapes_make_too_large_to_give_out_is_refused() -> None:
    world = settled(limited(size_limit_bytes=20_000))
    with pytest.raises(TooBig):
        world.submit(world.letter(extra={"x": "é" * 6_000}))


def test_numbers_that_become_too_long_to_give_out_are_refused() -> None:
    """Canonical JSON prints 1e20 with 21 digits: 3 MB would have gone out as 12."""
    world = settled(limited(size_limit_bytes=12_000))
    spelled_short = canonicalize(world.letter(extra={"x": [1e20] * 900})).replace("1" + "0" * 20, "1e20")
    assert len(spelled_short) < 12_000
    with pytest.raises(TooBig):
        world.relay.admission.submit(spelled_short, source="192.0.2.1")


def test_delivery_information_too_large_to_give_out_three_times_is_refused() -> None:
    world = settled()
    letter = world.letter(claim=f"{ALICE.name}{' ' * MAX_INFORMATION_BYTES}")
    with pytest.raises(TooBig):
        world.submit(letter)
    assert not world.calls, "before anything is read"


@pytest.mark.parametrize(
    "extra",
    [
        {"x": "y" * 65_536},
        {"y" * 65_536: 1},
        {"x": "\u20ac" * 30_000},
        {"x": [0] * 1_000},
        {"x": [[]] * 1_000},
        {str(number): 0 for number in range(1_000)},
    ],
    ids=["text", "name", "bytes", "values", "arrays", "members"],
)
def test_metadata_is_bounded_before_anything_is_done_with_it(extra: JsonObject) -> None:
    world = settled()
    with pytest.raises(TooBig):
        world.submit(world.letter(extra=extra))
    assert not world.calls


def test_metadata_may_have_what_any_client_puts_there() -> None:
    world = settled()
    world.submit(world.letter(extra={"x": "y" * 60_000, "z": [0] * 900}))
    assert len(world.mail()) == 1


def test_garbage_is_not_measured(monkeypatch: pytest.MonkeyPatch) -> None:
    """What cannot be opened here is refused before its megabytes are made into canonical text."""
    world = settled()
    letter = world.letter(text="x" * 1_000_000)
    metadata_of(letter)["deliveryInformation"] = world.seal("{}", MALLORY.encryption.public_key)
    for name in ("envelope_bytes", "carried_bytes"):
        monkeypatch.setattr(admission, name, lambda _value: pytest.fail("it was measured"))
    with pytest.raises(Undecryptable):
        world.submit(letter)


@pytest.mark.parametrize("member", ["messageHash", "encryptedMessageHash"])
@pytest.mark.parametrize(
    "text",
    ["", "ab" * 32, "0x" + "g" * 64, "0x" + "a" * 65, "a" * 500_000, "\ud800"],
    ids=["empty", "bare", "no hex", "long", "endless", "surrogate"],
)
def test_a_hash_of_another_form_is_refused_before_anything_is_read(member: str, text: str) -> None:
    world = settled()
    with pytest.raises(InvalidEnvelope):
        world.submit(world.letter(revision=None, extra={member: text}))
    assert not world.calls


@pytest.mark.parametrize("digits", ["ab" * 32, "AB" * 32])
def test_a_hash_in_capitals_is_one(digits: str) -> None:
    world = settled()
    receipt = world.submit(world.letter(revision=None, extra={"messageHash": f"0x{digits}"})).receipt
    assert receipt.message_hash == f"0x{digits}"


@pytest.mark.parametrize("member", ["sealedDeliveryInformation", "relayAdded"])
def test_what_the_relay_adds_cannot_come_from_a_sender(member: str) -> None:
    world = settled()
    with pytest.raises(InvalidEnvelope):
        world.submit(world.letter(extra={member: "x"}))


def test_text_that_is_no_json_is_a_parse_error() -> None:
    with pytest.raises(ParseError):
        settled().relay.admission.submit("{", source="192.0.2.1")


@pytest.mark.parametrize("value", [None, True, 1, [], {}, "null", "[]", {"message": 1, "metadata": {}}])
def test_what_is_no_envelope_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidEnvelope):
        settled().relay.admission.submit(value, source="192.0.2.1")


@pytest.mark.parametrize(
    "change", [{"ciphertext": "AA=="}, {"nonce": "0x00"}, {"ephemPublicKey": "AA=="}, {"nonce": "?"}]
)
def test_a_message_that_is_not_sealed_is_refused(change: JsonObject) -> None:
    world = settled()
    letter = world.letter()
    sealed = parse_json(str(letter["message"]))
    assert isinstance(sealed, dict)
    letter["message"] = canonicalize({**sealed, **change})
    with pytest.raises(InvalidEnvelope):
        world.submit(letter)
    assert not world.calls


# Step 2


def garbage() -> list[JsonValue]:
    world = World()
    foreign = world.seal('{"to":"bob.eth","from":"alice.eth"}', MALLORY.encryption.public_key)
    sealed = world.seal("not json", RELAY_KEYS.encryption.public_key)
    number = world.seal('{"to":1,"from":[]}', RELAY_KEYS.encryption.public_key)
    letters: list[JsonValue] = []
    for text in (foreign, sealed, number, "", "{}", "x" * 5_000):
        letter = world.letter()
        metadata_of(letter)["deliveryInformation"] = text
        letters.append(letter)
    return [*letters, {}, "{", None]


@pytest.mark.parametrize("value", garbage())
def test_garbage_costs_neither_a_store_call_nor_a_lookup(value: JsonValue) -> None:
    world = settled()
    with pytest.raises((InvalidInput, ParseError)):
        world.relay.admission.submit(value, source="192.0.2.1")
    assert not world.calls
    assert not world.directory.readings


def test_delivery_information_for_another_service_cannot_be_opened() -> None:
    world = settled()
    letter = world.letter()
    metadata_of(letter)["deliveryInformation"] = world.seal("{}", MALLORY.encryption.public_key)
    with pytest.raises(Undecryptable):
        world.submit(letter)


# Step 3


def test_an_unknown_receiver_is_refused_and_remembered_as_unknown() -> None:
    world = settled()
    for _ in range(3):
        with pytest.raises(UnknownReceiver):
            world.submit(world.letter(to="nobody.eth"))
    assert world.directory.readings == ["nobody.eth"]
    assert world.calls == {"accounts.linked": 1, "counters.charge": 1}


def test_a_receiver_with_an_address_but_without_account_is_unknown() -> None:
    world = settled()
    with pytest.raises(UnknownReceiver):
        world.submit(world.letter(to="mallory.eth"))


def test_every_name_of_the_address_reaches_the_same_inbox() -> None:
    world = settled()
    world.directory.add("robert.eth", BOB.address)
    world.submit(world.letter(to="Robert.ETH"))
    assert len(world.mail()) == 1


def test_made_up_receivers_buy_lookups_at_a_limited_rate_only() -> None:
    world = settled(limited(unknown_names_per_minute=5))
    errors: list[type[Dm3Error]] = []
    for number in range(20):
        with pytest.raises(Dm3Error) as caught:
            world.submit(world.letter(to=f"nobody{number}.eth"))
        errors.append(type(caught.value))
    assert errors == [UnknownReceiver] * 5 + [LimitExceeded] * 15
    assert len(world.directory.readings) == 5
    world.submit()


@pytest.mark.parametrize("made_up", ["receiver", "sender"])
def test_lookups_of_made_up_names_are_their_sources_and_close_nothing_to_others(made_up: str) -> None:
    world = settled(limited(source_lookups_per_minute=5, unknown_names_per_minute=8))
    for number in range(20):
        name = f"nobody{number}.eth"
        letter = world.letter(to=name) if made_up == "receiver" else world.letter(MALLORY, claim=name)
        with pytest.raises((UnknownReceiver, UnverifiedSender) if number < 2 else Dm3Error):
            world.submit(letter, source="192.0.2.66")
    made_up_readings = [name for name in world.directory.readings if name != BOB.name]
    assert len(made_up_readings) <= 6
    with pytest.raises(LimitExceeded) as caught:
        world.submit(world.letter(to="another.eth"), source="192.0.2.66")
    assert 0 < caught.value.retry_after_s <= 60
    with pytest.raises(UnknownReceiver):
        world.submit(world.letter(to="nobody.eth"))
    world.submit()
    world.submit(world.letter(text="known"), source="192.0.2.66")


@pytest.mark.parametrize("name", ["", ".", "a..b", "bob_b.eth", "\u0000", "bob eth", "\ud800"])
def test_a_receiver_that_is_no_name_is_refused(name: str) -> None:
    world = settled()
    with pytest.raises(InvalidInput):
        world.submit(world.letter(to=name or "."))


# Step 4


def test_a_receivers_space_is_limited() -> None:
    world = settled(limited(receiver_kib_per_day=23))
    for number in range(3):
        world.submit(world.letter(text=str(number)))
    with pytest.raises(LimitExceeded) as caught:
        world.submit(world.letter(text="too much"))
    assert 0 < caught.value.retry_after_s <= 86_400
    assert len(world.mail()) == 3
    world.clock.pass_s(caught.value.retry_after_s)
    world.submit()


def test_what_one_source_sends_in_a_day_is_limited_in_bytes() -> None:
    world = settled(limited(source_kib_per_day=23))
    for number in range(3):
        world.submit(world.letter(text=str(number)))
    with pytest.raises(LimitExceeded) as caught:
        world.submit(world.letter(text="too much"))
    assert 0 < caught.value.retry_after_s <= 86_400
    world.submit(world.letter(text="elsewhere"), source="192.0.2.8")
    world.clock.pass_s(caught.value.retry_after_s)
    world.submit()


def test_a_source_over_its_quota_costs_no_lookup() -> None:
    world = settled(limited(source_submits_per_minute=2))
    for number in range(2):
        world.submit(world.letter(text=str(number)))
    world.publish(Person("carol.eth"))
    world.directory.readings.clear()
    with pytest.raises(LimitExceeded) as caught:
        world.submit(world.letter(Person("carol.eth")))
    assert 0 < caught.value.retry_after_s <= 60
    assert not world.directory.readings
    world.submit(world.letter(text="elsewhere"), source="192.0.2.8")


# Step 5


def forged(world: World) -> JsonObject:
    return world.letter(MALLORY, claim="alice.eth")


def test_an_impersonator_is_refused() -> None:
    world = settled()
    with pytest.raises(UnverifiedSender):
        world.submit(forged(world))
    assert world.mail() == []


@pytest.mark.parametrize("signature", ["", "AA==", "!", "A" * 86 + "==", "\ud800"])
def test_an_odd_signature_is_refused(signature: str) -> None:
    world = settled()
    letter = world.letter()
    metadata_of(letter)["signature"] = signature
    with pytest.raises(Dm3Error) as caught:
        world.submit(letter)
    assert isinstance(caught.value, UnverifiedSender | InvalidInput)
    assert world.mail() == []


def test_a_sender_without_profile_is_refused() -> None:
    world = settled()
    with pytest.raises(UnverifiedSender):
        world.submit(world.letter(Person("ghost.eth")))


def test_a_sender_that_is_no_name_is_refused() -> None:
    world = settled()
    with pytest.raises(InvalidName):
        world.submit(world.letter(claim="not a name"))


def test_altered_metadata_is_refused() -> None:
    world = settled()
    letter = world.letter()
    metadata_of(letter)["version"] = "v2"
    with pytest.raises(Dm3Error):
        world.submit(letter)


def test_a_bare_profile_is_enough_to_verify_a_name() -> None:
    world = settled()
    carol = Person("carol.eth")
    bare = "data:application/json," + canonicalize(carol.profile.to_json())
    world.directory.add("carol.eth", carol.address, bare)
    assert not world.submit(world.letter(carol)).duplicate


def test_ens_unreachable_means_try_again_and_nothing_stored() -> None:
    world = settled()
    world.restarted()
    world.directory.fail = True
    with pytest.raises(Unavailable):
        world.submit()
    world.directory.fail = False
    assert world.mail() == []


def test_a_lenient_relay_accepts_and_marks() -> None:
    world = settled(World(RelaySettings(RELAY_NAME, lenient=True)))
    world.submit(forged(world))
    world.submit(world.letter(text="genuine"))
    assert [message.verified for message in world.mail()] == [False, True]


def test_a_claim_swallows_nothing_at_a_lenient_relay() -> None:
    world = settled(World(RelaySettings(RELAY_NAME, lenient=True)))
    genuine = world.letter(sealed=world.seal("hello", BOB.encryption.public_key))
    sealed = genuine["message"]
    assert isinstance(sealed, str)
    world.submit(world.letter(MALLORY, claim="alice.eth", sealed=sealed))
    assert not world.submit(genuine).duplicate
    assert [message.verified for message in world.mail()] == [False, True]


# Step 6


def test_submitting_twice_is_submitting_once() -> None:
    world = settled()
    letter = world.letter()
    first = world.submit(letter)
    world.clock.pass_s(3_600)
    again = world.submit(letter)
    assert again == Submitted(first.receipt, duplicate=True)
    assert canonicalize(again.receipt.to_json()) == canonicalize(first.receipt.to_json())
    assert len(world.mail()) == 1


def test_a_duplicate_is_known_after_it_was_acknowledged() -> None:
    world = settled()
    letter = world.letter()
    world.submit(letter)
    account = world.account(BOB)
    world.relay.inbox.acknowledge(account, [message.id for message in world.mail()])
    assert world.submit(letter).duplicate
    assert world.mail() == []


def test_a_duplicate_is_not_charged() -> None:
    world = settled(limited(sender_messages_per_hour=1))
    letter = world.letter()
    for _ in range(5):
        world.submit(letter)
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(text="another"))


def test_a_duplicate_is_charged_to_its_source() -> None:
    world = settled(limited(source_submits_per_minute=3))
    letter = world.letter()
    for _ in range(3):
        world.submit(letter)
    with pytest.raises(LimitExceeded):
        world.submit(letter)
    assert world.submit(letter, source="192.0.2.8").duplicate


def test_all_of_an_ipv6_network_is_one_source() -> None:
    world = settled(limited(source_submits_per_minute=2))
    for number in range(2):
        world.submit(world.letter(text=str(number)), source=f"2001:db8::{number}")
    with pytest.raises(LimitExceeded):
        world.submit(source="2001:db8::ffff")
    world.submit(source="2001:db8:0:1::1")


def test_what_rules_ask_of_the_chain_is_paid_by_the_source() -> None:
    world = settled(limited(source_lookups_per_minute=1 + 3))  # one for the sender's name
    world.rule(rules={"minNonce": 1})
    for _ in range(3):
        with pytest.raises(Spam):
            world.submit(source="192.0.2.66")
    with pytest.raises(LimitExceeded):
        world.submit(source="192.0.2.66")
    assert len(world.holdings.readings) == 3
    with pytest.raises(Spam):
        world.submit(source="192.0.2.67")


@pytest.mark.parametrize("kind", ["no JSON", "for another", "unknown receiver"])
def test_large_refusals_are_charged_to_their_source_and_small_ones_are_free(kind: str) -> None:
    world = settled(limited(source_submits_per_minute=2, source_lookups_per_minute=0))

    def refused(size: int) -> JsonValue:
        if kind == "no JSON":
            return "{" * size
        if kind == "unknown receiver":
            return world.letter(to="nobody.eth", text="x" * size)
        letter = world.letter(text="x" * size)
        metadata_of(letter)["deliveryInformation"] = world.seal("{}", MALLORY.encryption.public_key)
        return letter

    for _ in range(5):
        with pytest.raises((ParseError, InvalidInput, UnknownReceiver)):
            world.relay.admission.submit(refused(10), source="192.0.2.66")
    assert "counters.charge" not in world.calls
    for _ in range(2):
        with pytest.raises((ParseError, InvalidInput, UnknownReceiver)):
            world.relay.admission.submit(refused(100_000), source="192.0.2.66")
    with pytest.raises(LimitExceeded):
        world.relay.admission.submit(refused(100_000), source="192.0.2.66")


def test_a_stranger_with_the_ciphertext_cannot_swallow_the_genuine_envelope() -> None:
    world = settled()
    genuine = world.letter()
    sealed = genuine["message"]
    assert isinstance(sealed, str)
    assert not world.submit(world.letter(MALLORY, sealed=sealed)).duplicate
    assert not world.submit(genuine).duplicate
    senders = [metadata_of(message.envelope)["deliveryInformation"] for message in world.mail()]
    assert senders == [{"to": "bob.eth", "from": "mallory.eth"}, {"to": "bob.eth", "from": "alice.eth"}]


def variants(world: World, letter: JsonObject, count: int) -> list[JsonObject]:
    """The metadata of `letter` on other ciphertexts: with spaces, and of anybody's making."""
    spaces = [
        {**letter, "message": f"{letter['message']}{' ' * number}"} for number in range(1, count // 2 + 1)
    ]
    others = [
        world.seal(f"not hers {number}", BOB.encryption.public_key) for number in range(count - len(spaces))
    ]
    return [*spaces, *({**letter, "message": other} for other in others)]


@pytest.mark.parametrize("revision", ["messageHash", None])
def test_few_other_messages_come_in_under_one_signature(revision: str | None) -> None:
    world = settled()
    letter = world.letter(revision=revision)
    first = world.submit(letter)
    more = variants(world, letter, 20)
    for variant in more[: MAX_VARIANTS - 1]:
        assert not world.submit(variant).duplicate
    for variant in more[MAX_VARIANTS - 1 :]:
        with pytest.raises(InvalidEnvelope):
            world.submit(variant)
    assert len(world.mail()) == MAX_VARIANTS
    assert world.submit(letter) == Submitted(first.receipt, duplicate=True)
    assert world.submit(more[0]).duplicate


@pytest.mark.parametrize("revision", ["messageHash", None])
def test_a_sender_pays_once_for_one_signature(revision: str | None) -> None:
    world = settled(limited(sender_messages_per_hour=2))
    letter = world.letter(revision=revision)
    for variant in [letter, *variants(world, letter, 3)]:
        world.submit(variant)
    world.submit(world.letter(text="another"))
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(text="a third"))


def test_the_source_pays_for_other_messages_under_a_signature_refused_ones_too() -> None:
    world = settled(limited(source_submits_per_minute=MAX_VARIANTS + 2))
    letter = world.letter()
    for variant in [letter, *variants(world, letter, 5)]:
        with suppress(InvalidEnvelope):
            world.submit(variant)
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(text="another"))
    world.submit(world.letter(text="another"), source="192.0.2.8")


def test_the_genuine_message_comes_in_though_another_was_first_under_its_signature() -> None:
    world = settled()
    letter = world.letter()
    for variant in variants(world, letter, MAX_VARIANTS - 1):
        world.submit(variant)
    assert not world.submit(letter).duplicate
    assert letter["message"] in [message.envelope["message"] for message in world.mail()]


def test_forgeries_at_a_lenient_relay_take_no_place_under_a_genuine_signature() -> None:
    world = settled(World(RelaySettings(RELAY_NAME, lenient=True)))
    letter = world.letter()
    metadata = {**metadata_of(letter), "signature": "AA=="}
    for variant in variants(world, letter, MAX_VARIANTS):
        world.submit({**variant, "metadata": metadata})
    assert not world.submit(letter).duplicate


def test_a_signature_spelled_otherwise_is_the_same_signature() -> None:
    """Base64 has several texts for the same bytes, and the metadata text leaves the signature out."""
    world = settled()
    letter = world.letter()
    signature = str(metadata_of(letter)["signature"])
    world.submit(letter)
    respelled = {**letter, "metadata": {**metadata_of(letter), "signature": signature.rstrip("=")}}
    assert world.submit(respelled).duplicate


def test_a_hash_that_binds_the_message_leaves_no_room_for_another() -> None:
    world = settled()
    letter = world.letter(revision="encryptedMessageHash")
    world.submit(letter)
    for variant in variants(world, letter, 3):
        with pytest.raises(InvalidEnvelope):
            world.submit(variant)


# Step 7


class Picky:
    """Accepts nobody but alice.eth, and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[Candidate] = []

    def admit(self, candidate: Candidate) -> Dues:
        self.asked.append(candidate)
        if candidate.sender.name != "alice.eth":
            raise Spam(data={"rule": "receiver"})
        return nothing_due


def test_the_policy_decides_about_settled_senders_only() -> None:
    picky = Picky()
    world = settled(World(policy=picky))
    with pytest.raises(UnverifiedSender):
        world.submit(forged(world))
    assert picky.asked == []
    with pytest.raises(Spam):
        world.submit(world.letter(MALLORY))
    world.submit()
    assert [candidate.sender.address for candidate in picky.asked] == [MALLORY.address, ALICE.address]
    assert len(world.mail()) == 1


def test_a_sender_is_charged_after_the_policy_only() -> None:
    limits = Limits(source_lookups_per_minute=0, source_submits_per_minute=0)
    world = settled(World(RelaySettings(RELAY_NAME, limits), policy=Picky()))
    with pytest.raises(Spam):
        world.submit(world.letter(MALLORY))
    assert "counters.charge" not in world.calls


def test_who_is_refused_by_the_policy_is_charged_to_the_source() -> None:
    world = settled(World(RelaySettings(RELAY_NAME, Limits(source_submits_per_minute=2)), policy=Picky()))
    for number in range(2):
        with pytest.raises(Spam):
            world.submit(world.letter(MALLORY, text=str(number)))
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(MALLORY, text="again"))
    world.submit(source="192.0.2.8")


def test_a_senders_quota_is_one_for_all_names_of_an_address() -> None:
    world = settled(limited(sender_messages_per_hour=2))
    world.publish(ALICE, "alicia.eth")
    world.submit(world.letter(text="1"))
    world.submit(world.letter(text="2", claim="alicia.eth"))
    with pytest.raises(LimitExceeded):
        world.submit(world.letter(text="3", claim="alicia.eth"))
    world.submit(world.letter(MALLORY))


def test_forgeries_at_a_lenient_relay_spend_nobodys_quota() -> None:
    world = World(
        RelaySettings(RELAY_NAME, limited(sender_messages_per_hour=2).settings.limits, lenient=True)
    )
    settled(world)
    for number in range(2):
        world.submit(world.letter(MALLORY, claim="alice.eth", text=str(number)))
    world.submit(world.letter(text="genuine"))


# Cost


def test_what_a_submission_costs() -> None:
    world = settled()
    world.restarted()
    world.submit(world.letter(text="cold"))
    cold, lookups = dict(world.calls), len(world.directory.readings)
    world.calls.clear()
    world.submit(world.letter(text="warm"))
    warm = {
        "counters.read": 1,
        "submissions.find": 1,
        "counters.charge": 1,
        "submissions.begin": 1,
        "inbox.put": 1,
        "submissions.complete": 1,
    }
    sampled = world.calls["counters.charge"]
    assert sampled <= 4
    assert dict(world.calls) == {**warm, "counters.charge": sampled}
    assert lookups == len([BOB, ALICE])
    # Of the receiver: name, account, rules. Of the sender, who has an account here: account, rules.
    # And the operator's rules.
    read = {"accounts.linked": 1, "accounts.get": 2, "rules.get": 3}
    assert {**cold, "counters.charge": 1} == {**warm, **read}


def test_a_sender_who_is_at_home_elsewhere_is_not_looked_up() -> None:
    world = settled()
    carol = Stranger("carol.eth")
    world.publish(carol)
    world.submit(world.letter(carol))
    assert (world.calls["accounts.get"], world.calls["rules.get"]) == (1, 1), "the receiver's"


# Concurrency


def test_32_threads_with_one_envelope_store_one() -> None:
    world = settled()
    letter = world.letter()
    barrier = Barrier(32)
    answers: list[Submitted] = []

    def submit() -> None:
        barrier.wait()
        answers.append(world.submit(letter))

    threads = [Thread(target=submit) for _ in range(32)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(world.mail()) == 1
    assert len({canonicalize(answer.receipt.to_json()) for answer in answers}) == 1
    assert sorted(answer.duplicate for answer in answers) == [False] + [True] * 31


# Anything at all

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@settings(deadline=None, max_examples=100)
@given(JSON | st.text(max_size=60))
def test_any_value_is_accepted_or_refused_with_the_protocols_error(value: JsonValue) -> None:
    with pytest.raises(Dm3Error):
        World().relay.admission.submit(value, source="192.0.2.1")


def status_of(world: World, letter: JsonObject) -> int:
    try:
        world.submit(letter)
    except Dm3Error as error:
        return error.status
    return 200


@settings(deadline=None, max_examples=60)
@given(st.data())
def test_any_change_of_a_genuine_envelope_is_answered_in_order(data: st.DataObject) -> None:
    world = settled()
    letter = world.letter()
    target = data.draw(st.sampled_from([letter, metadata_of(letter)]))
    member = data.draw(st.sampled_from(sorted(target)) | st.text(max_size=5))
    target[member] = data.draw(JSON)
    assert status_of(world, letter) < 500
