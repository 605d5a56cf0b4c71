from __future__ import annotations

import pytest
from hypothesis import given, settings

from chalicelib.protocol.crypto import seal_for
from chalicelib.protocol.delivery_information import DeliveryInformation
from chalicelib.protocol.errors import InvalidEnvelope, Undecryptable
from chalicelib.protocol.hashing import sha256_canonical
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.postmark import (
    Postmark,
    make_postmark,
    open_postmark,
    seal_postmark,
    sealed_message_hash,
    sign_postmark,
    verify_postmark,
)
from tests.unit.protocol.people import (
    BOB_ENCRYPTION,
    INFORMATION,
    NOW_MS,
    SERVICE_SIGNING,
    STRANGER_ENCRYPTION,
    STRANGER_SIGNING,
    envelope,
)
from tests.unit.protocol.strategies import TEXTS, accepts_or_refuses, bent, values
from tests.vectors.entropy import CountingEntropy

ENVELOPE, OTHER = envelope(), envelope(text="other")
POSTMARK = make_postmark(
    ENVELOPE, INFORMATION, incoming_timestamp_ms=NOW_MS, signing_private_key=SERVICE_SIGNING.private_key
)


def test_both_dialects_find_what_they_look_for() -> None:
    members = POSTMARK.to_json()
    assert members["incommingTimestamp"] == members["incomingTimestamp"] == NOW_MS
    assert members["messageHash"] == sealed_message_hash(ENVELOPE.message)
    assert members["deliveryInformation"] == {"to": "bob.eth", "from": "alice.eth"}
    assert POSTMARK.incoming_timestamp_ms == NOW_MS
    assert POSTMARK.delivery_information == INFORMATION


def test_a_postmark_is_of_one_envelope_by_one_service() -> None:
    assert verify_postmark(POSTMARK, ENVELOPE, SERVICE_SIGNING.public_key)
    assert not verify_postmark(POSTMARK, OTHER, SERVICE_SIGNING.public_key)
    assert not verify_postmark(POSTMARK, ENVELOPE, STRANGER_SIGNING.public_key)


@pytest.mark.parametrize("name", ["incomingTimestamp", "incommingTimestamp", "deliveryInformation", "sha256"])
def test_the_signature_covers_every_member(name: str) -> None:
    members = {key: value for key, value in POSTMARK.members.items() if key != name}
    assert not verify_postmark(Postmark(members, POSTMARK.signature), ENVELOPE, SERVICE_SIGNING.public_key)


def test_the_receiver_opens_it() -> None:
    text = seal_postmark(POSTMARK, BOB_ENCRYPTION.public_key, CountingEntropy())
    assert open_postmark(text, BOB_ENCRYPTION) == POSTMARK
    with pytest.raises(Undecryptable):
        open_postmark(text, STRANGER_ENCRYPTION)


@pytest.mark.parametrize("hashed", [ENVELOPE.message, '"quoted"'])
def test_postmarks_of_other_services(hashed: str) -> None:
    """The specification's SHA-256 of the sealed message, of the text or of its canonical JSON."""
    quoted = hashed == '"quoted"'
    given_hash = sha256_canonical(ENVELOPE.message) if quoted else POSTMARK.sha256
    foreign = sign_postmark(
        {"messageHash": given_hash, "incomingTimestamp": NOW_MS}, SERVICE_SIGNING.private_key
    )
    assert foreign.sha256 is None
    assert foreign.delivery_information is None
    assert verify_postmark(Postmark.parse(foreign.to_json()), ENVELOPE, SERVICE_SIGNING.public_key)
    assert not verify_postmark(foreign, OTHER, SERVICE_SIGNING.public_key)


def test_two_hashes_must_agree() -> None:
    members = {**POSTMARK.members, "sha256": "0x00"}
    mixed = sign_postmark(members, SERVICE_SIGNING.private_key)
    assert not verify_postmark(mixed, ENVELOPE, SERVICE_SIGNING.public_key)


@pytest.mark.parametrize("sealed", ["{", "{}", '{"signature":"","messageHash":"0x"}', "[]"])
def test_what_was_sealed_must_be_a_postmark(sealed: str) -> None:
    text = seal_for(sealed, BOB_ENCRYPTION.public_key, CountingEntropy()).to_text()
    with pytest.raises(InvalidEnvelope):
        open_postmark(text, BOB_ENCRYPTION)


@settings(deadline=None, max_examples=100)
@given(bent(POSTMARK.to_json()) | values(["messageHash", "signature", "incomingTimestamp"]), TEXTS)
def test_any_value_is_a_postmark_or_refused(value: JsonValue, text: str) -> None:
    accepts_or_refuses(lambda: open_postmark(text, BOB_ENCRYPTION))
    if accepts_or_refuses(lambda: Postmark.parse(value)):
        postmark = Postmark.parse(value)
        accepts_or_refuses(lambda: verify_postmark(postmark, ENVELOPE, SERVICE_SIGNING.public_key))
        assert isinstance(postmark.incoming_timestamp_ms, int)
        assert isinstance(postmark.delivery_information, DeliveryInformation | None)
