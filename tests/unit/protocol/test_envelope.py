from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given, settings

from chalicelib.protocol.canonical import canonicalize
from chalicelib.protocol.crypto import seal_for
from chalicelib.protocol.envelope import (
    Envelope,
    Revision,
    build_envelope,
    envelope_size_bytes,
    open_delivery_information,
    open_envelope,
    parse_envelope,
    sealed_hash,
    sign_envelope,
    verify_envelope,
)
from chalicelib.protocol.errors import InvalidEnvelope, InvalidMessage, ParseError, Undecryptable
from chalicelib.protocol.hashing import sha256_canonical, sha256_hex
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.message import message_hash
from tests.unit.protocol.people import (
    ALICE_SIGNING,
    BOB_ENCRYPTION,
    INFORMATION,
    SERVICE_ENCRYPTION,
    STRANGER_ENCRYPTION,
    STRANGER_SIGNING,
    envelope,
    message,
)
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses, bent, values
from tests.vectors.entropy import CountingEntropy

BOTH = (Revision.ENCRYPTED_MESSAGE_HASH, Revision.MESSAGE_HASH)
EVERY = [(), BOTH[:1], BOTH[1:], BOTH]


@pytest.mark.parametrize("revisions", EVERY, ids=str)
def test_every_revision_is_built_accepted_and_opened(revisions: tuple[Revision, ...]) -> None:
    made = parse_envelope(canonicalize(envelope(*revisions).to_json()))
    assert verify_envelope(made, ALICE_SIGNING.public_key)
    assert open_delivery_information(made, SERVICE_ENCRYPTION) == INFORMATION
    assert open_envelope(made, BOB_ENCRYPTION) == message()
    assert made.revision == (revisions[0] if revisions else Revision.SPECIFICATION)
    assert sealed_hash(made) == sha256_hex(made.message)


def test_the_hash_of_the_message_is_the_later_one() -> None:
    assert envelope().message_hash is None
    assert envelope(*BOTH).message_hash == envelope(*BOTH[1:]).message_hash == message_hash(message())
    earlier = envelope(*BOTH[:1])
    assert earlier.message_hash == sha256_canonical(earlier.message)


def test_nobody_else_can_open_it() -> None:
    with pytest.raises(Undecryptable):
        open_envelope(envelope(), STRANGER_ENCRYPTION)
    with pytest.raises(Undecryptable):
        open_delivery_information(envelope(), STRANGER_ENCRYPTION)


def test_the_signature_covers_the_metadata() -> None:
    made = envelope()
    assert not verify_envelope(made, STRANGER_SIGNING.public_key)
    added = replace(made, metadata={**made.metadata, "x": 1})
    assert not verify_envelope(added, ALICE_SIGNING.public_key)


def test_one_sealed_message_for_several_delivery_services() -> None:
    first = envelope()
    second = build_envelope(
        message(),
        receiver_encryption_key=BOB_ENCRYPTION.public_key,
        delivery_service_encryption_key=STRANGER_ENCRYPTION.public_key,
        signing_private_key=ALICE_SIGNING.private_key,
        delivery_information=INFORMATION,
        entropy=CountingEntropy(),
        sealed_message=first.message,
    )
    assert sealed_hash(second) == sealed_hash(first)
    assert open_delivery_information(second, STRANGER_ENCRYPTION) == INFORMATION


def as_handed_out(made: Envelope) -> Envelope:
    """What this relay gives to the receiver."""
    metadata = {
        **made.metadata,
        "deliveryInformation": INFORMATION.to_json(),
        "sealedDeliveryInformation": made.delivery_information,
        "messageHash": "0x00",
        "relayAdded": ["messageHash"],
    }
    return Envelope(made.message, metadata, "postmark")


def test_what_the_relay_adds_is_taken_back() -> None:
    made = envelope(Revision.ENCRYPTED_MESSAGE_HASH)
    handed_out = parse_envelope(as_handed_out(made).to_json())
    assert handed_out.as_sent() == replace(made, postmark="postmark")
    assert made.as_sent() is made
    assert verify_envelope(handed_out, ALICE_SIGNING.public_key)
    assert open_envelope(handed_out, BOB_ENCRYPTION) == message()


@pytest.mark.parametrize("added", [None, "messageHash", [1], {}])
def test_nonsense_about_additions_takes_nothing_back(added: JsonValue) -> None:
    handed_out = as_handed_out(envelope())
    nonsense = replace(handed_out, metadata={**handed_out.metadata, "relayAdded": added})
    assert "messageHash" in nonsense.as_sent().metadata
    assert not verify_envelope(nonsense, ALICE_SIGNING.public_key)


def test_opened_delivery_information_alone_is_no_text() -> None:
    made = envelope()
    opened = replace(made, metadata={**made.metadata, "deliveryInformation": INFORMATION.to_json()})
    assert parse_envelope(opened.to_json()).as_sent() == opened
    with pytest.raises(InvalidEnvelope):
        open_delivery_information(opened, SERVICE_ENCRYPTION)


def test_a_hash_of_another_sealed_message_is_refused() -> None:
    made = envelope(Revision.ENCRYPTED_MESSAGE_HASH)
    other = envelope(text="other")
    with pytest.raises(InvalidEnvelope):
        parse_envelope(replace(made, message=other.message).to_json())


def test_a_hash_of_another_message_is_refused() -> None:
    made = envelope(Revision.MESSAGE_HASH)
    other = envelope(text="other")
    swapped = parse_envelope(replace(made, message=other.message).to_json())
    with pytest.raises(InvalidEnvelope):
        open_envelope(swapped, BOB_ENCRYPTION)


@pytest.mark.parametrize(("sealed", "error"), [("{", InvalidMessage), ("{}", InvalidMessage)])
def test_what_was_sealed_must_be_a_message(sealed: str, error: type[Exception]) -> None:
    text = seal_for(sealed, BOB_ENCRYPTION.public_key, CountingEntropy()).to_text()
    information = seal_for(sealed, SERVICE_ENCRYPTION.public_key, CountingEntropy()).to_text()
    made = sign_envelope(
        text,
        information,
        message=message(),
        signing_private_key=ALICE_SIGNING.private_key,
        revisions=(),
    )
    with pytest.raises(error):
        open_envelope(made, BOB_ENCRYPTION)
    with pytest.raises(InvalidEnvelope):
        open_delivery_information(made, SERVICE_ENCRYPTION)


def test_texts_that_are_not_json_are_refused() -> None:
    with pytest.raises(ParseError):
        parse_envelope("{")


def test_the_size_counts_bytes_of_the_canonical_text() -> None:
    made = envelope()
    assert envelope_size_bytes(made) == len(canonicalize(made.to_json()).encode())


ENVELOPE = as_handed_out(envelope(*BOTH)).to_json()


@settings(deadline=None, max_examples=120)
@given(bent(envelope(*BOTH).to_json()) | bent(ENVELOPE) | values(["message", "metadata"]) | TEXTS)
def test_any_value_is_an_envelope_or_refused(value: JsonValue) -> None:
    if not accepts_or_refuses(lambda: parse_envelope(value)):
        return
    made = parse_envelope(value)
    assert parse_envelope(made.to_json()) == made
    accepts_or_refuses(lambda: verify_envelope(made, ALICE_SIGNING.public_key))
    accepts_or_refuses(lambda: open_envelope(made, BOB_ENCRYPTION))
    accepts_or_refuses(lambda: open_delivery_information(made, SERVICE_ENCRYPTION))
    assert made.message_hash is None or isinstance(made.message_hash, str)
