from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import InvalidMessage
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.message import (
    Attachment,
    MessageType,
    build_message,
    message_hash,
    message_id,
    parse_message,
    verify_message,
)
from tests.unit.protocol.people import ALICE_SIGNING, NOW_MS, STRANGER_SIGNING, message
from tests.unit.protocol.strategies import accepts_or_refuses, bent, values

FULL = build_message(
    to="bob.eth",
    from_="alice.eth",
    timestamp_ms=NOW_MS,
    signing_private_key=ALICE_SIGNING.private_key,
    message="see",
    type=MessageType.REPLY,
    attachments=[Attachment("data:,x", "x.txt"), Attachment("ipfs://y", extra={"size": 3})],
    reference_message_hash="0x00",
    reply_delivery_instruction="topic",
    metadata={"link": {"profileName": "x"}, "to": "not taken"},
)


def test_a_message_comes_back_as_it_was_signed() -> None:
    again = parse_message(parse_json(canonicalize(FULL.to_json())))
    assert again == FULL
    assert again.to == "bob.eth"
    assert verify_message(again, ALICE_SIGNING.public_key)
    assert not verify_message(again, STRANGER_SIGNING.public_key)


@pytest.mark.parametrize("type_", list(MessageType))
def test_messages_of_every_type(type_: MessageType) -> None:
    made = build_message(
        to="b",
        from_="a",
        timestamp_ms=1,
        type=type_,
        reference_message_hash="0x00",
        signing_private_key=ALICE_SIGNING.private_key,
    )
    assert parse_message(made.to_json()) == made
    assert verify_message(made, ALICE_SIGNING.public_key)


@pytest.mark.parametrize("type_", ["REPLY", "DELETE_REQUEST", "EDIT", "REACTION", "RESEND_REQUEST"])
def test_some_types_must_refer_to_a_message(type_: str) -> None:
    with pytest.raises(InvalidMessage):
        build_message(
            to="b",
            from_="a",
            timestamp_ms=1,
            type=type_,
            signing_private_key=ALICE_SIGNING.private_key,
        )


@pytest.mark.parametrize(
    "change",
    [
        {"message": "other"},
        {"attachments": ()},
        {"metadata_extra": {}},
        {"extra": {"x": 1}},
        {"timestamp_ms": NOW_MS + 1},
        {"type": "NEW"},
    ],
    ids=str,
)
def test_the_signature_covers_everything(change: dict[str, Any]) -> None:
    assert not verify_message(replace(FULL, **change), ALICE_SIGNING.public_key)


def test_no_attachments_and_an_empty_array_are_not_the_same() -> None:
    assert "attachments" not in message().to_json()
    assert replace(message(), attachments=()).to_json()["attachments"] == []


def test_hash_and_id_are_of_the_whole_message() -> None:
    unsigned = replace(FULL, signature="")
    assert message_hash(FULL) != message_hash(unsigned)
    assert message_id(FULL) != message_id(unsigned)


METADATA: JsonObject = {"to": "b", "from": "a", "timestamp": 1, "type": "NEW"}
REFUSED: dict[str, JsonValue] = {
    "no object": ["message"],
    "no metadata": {"signature": ""},
    "no signature": {"metadata": METADATA},
    "infinite time": {"metadata": {**METADATA, "timestamp": float("inf")}, "signature": ""},
    "null text": {"metadata": METADATA, "message": None, "signature": ""},
    "attachments no array": {"metadata": METADATA, "attachments": {}, "signature": ""},
    "attachment without data": {"metadata": METADATA, "attachments": [{"name": "x"}], "signature": ""},
    "reference null": {"metadata": {**METADATA, "referenceMessageHash": None}, "signature": ""},
}


@pytest.mark.parametrize("value", REFUSED.values(), ids=REFUSED.keys())
def test_what_is_no_message_is_refused(value: JsonValue) -> None:
    with pytest.raises(InvalidMessage):
        parse_message(value)


@settings(deadline=None, max_examples=100)
@given(bent(FULL.to_json()) | values(["metadata", "signature", "attachments"]))
def test_any_value_is_a_message_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: verify_message(parse_message(value), ALICE_SIGNING.public_key))
