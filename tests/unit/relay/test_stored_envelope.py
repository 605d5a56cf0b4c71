from __future__ import annotations

import json
import time
from base64 import b64encode

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import Undecryptable
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.stored_envelope import StoredEnvelope, pack, unpack

CIPHERTEXT = b64encode(bytes(range(256)) * 40).decode()
SEALED = json.dumps({"ciphertext": CIPHERTEXT, "nonce": "0x" + "ab" * 12, "ephemPublicKey": "A" * 43 + "="})


def stored(metadata: JsonObject | None = None, *, relay_added: bool = True) -> StoredEnvelope:
    return StoredEnvelope(
        sender="alice.eth",
        message=SEALED,
        metadata=metadata or {"version": "v1", "deliveryInformation": SEALED, "signature": "c2ln"},
        postmark=SEALED,
        delivery_information={"to": "bob.eth", "from": "ALICE.eth"},
        message_hash="0x1234",
        relay_added=relay_added,
        verified=True,
    )


def test_a_stored_envelope_comes_back() -> None:
    assert StoredEnvelope.from_bytes(stored().to_bytes()) == stored()


def test_base64_shrinks_by_a_quarter() -> None:
    assert len(stored().to_bytes()) < 0.76 * len(canonicalize(stored().wire_form()))


@settings(deadline=None, max_examples=150)
@given(
    st.text(st.characters(max_codepoint=127), max_size=200)
    | st.text("AQgw+/=09z", max_size=200)
    | st.binary(min_size=20, max_size=90).map(lambda data: f'"{b64encode(data).decode()}"')
)
def test_any_text_is_packed_exactly(text: str) -> None:
    assert unpack(pack(text)) == text


@pytest.mark.parametrize(
    "text",
    [
        "A" * 43 + "B",
        "A" * 42 + "B=",
        "A" * 41 + "B==",
        "A" * 33,
        "A" * 40 + "=====",
        "n" + "A" * 64,
        "A" * 45 + "=A==",
    ],
)
def test_what_is_not_canonical_base64_stays_text(text: str) -> None:
    assert unpack(pack(text)) == text
    assert unpack(pack(f'{{"x":"{text}"}}')) == f'{{"x":"{text}"}}'


@settings(deadline=None, max_examples=60)
@given(
    st.dictionaries(
        st.text(max_size=5),
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=40),
        max_size=5,
    )
)
def test_what_was_signed_comes_back_as_it_was_signed(extra: JsonObject) -> None:
    metadata = {**extra, "deliveryInformation": SEALED}
    back = StoredEnvelope.from_bytes(stored(metadata).to_bytes())
    assert canonicalize(back.metadata) == canonicalize(metadata)


def test_lone_surrogates_and_odd_numbers_survive() -> None:
    metadata = parse_json('{"a":"\\ud800","b":1e21,"c":-0,"d":1.0,"e":123456789012345678901234567890}')
    assert isinstance(metadata, dict)
    metadata["deliveryInformation"] = SEALED
    back = StoredEnvelope.from_bytes(stored(metadata).to_bytes())
    assert canonicalize(back.metadata) == canonicalize(metadata)


def test_the_receiver_gets_both_forms_of_the_delivery_information() -> None:
    metadata = stored().wire_form()["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["deliveryInformation"] == {"to": "bob.eth", "from": "ALICE.eth"}
    assert metadata["sealedDeliveryInformation"] == SEALED


def test_a_missing_message_hash_is_added_and_said_to_be() -> None:
    metadata = stored().wire_form()["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["messageHash"] == "0x1234"
    assert metadata["relayAdded"] == ["messageHash"]


def test_nothing_is_added_to_an_envelope_that_has_its_hash() -> None:
    given_hash: JsonObject = {"deliveryInformation": SEALED, "messageHash": "0xaa"}
    metadata = stored(given_hash, relay_added=False).wire_form()["metadata"]
    assert isinstance(metadata, dict)
    assert metadata["messageHash"] == "0xaa"
    assert "relayAdded" not in metadata


def test_much_that_only_looks_like_base64_is_packed_in_linear_time() -> None:
    text = ("A" * 33 + " ") * 60_000
    began = time.process_time()
    packed = pack(text)
    assert time.process_time() - began < 2
    assert unpack(packed) == text


@pytest.mark.parametrize("version", [0, 2, 255])
def test_another_version_is_not_guessed_at(version: int) -> None:
    data = bytes([version]) + stored().to_bytes()[1:]
    with pytest.raises(Undecryptable):
        unpack(data)
