from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.receipt import Receipt, make_receipt, verify_receipt
from tests.unit.protocol.people import NOW_MS, SERVICE_SIGNING, STRANGER_SIGNING
from tests.unit.protocol.strategies import accepts_or_refuses, bent

RECEIPT = make_receipt(
    message_id="id",
    message_hash="0x00",
    incoming_timestamp_ms=NOW_MS,
    expires_at_ms=NOW_MS + 1,
    signing_private_key=SERVICE_SIGNING.private_key,
)


def test_a_receipt_proves_who_gave_it() -> None:
    assert verify_receipt(RECEIPT, SERVICE_SIGNING.public_key)
    assert not verify_receipt(RECEIPT, STRANGER_SIGNING.public_key)


@pytest.mark.parametrize("name", ["message_id", "message_hash", "incoming_timestamp_ms", "expires_at_ms"])
def test_the_signature_covers_every_member(name: str) -> None:
    other: dict[str, Any] = {name: 7 if name.endswith("_ms") else "other"}
    assert not verify_receipt(replace(RECEIPT, **other), SERVICE_SIGNING.public_key)


def test_what_stands_beside_it_is_not_signed() -> None:
    assert Receipt.parse({**RECEIPT.to_json(), "duplicate": True}) == RECEIPT


def test_what_is_no_receipt_is_refused() -> None:
    for value in (None, {}, {**RECEIPT.to_json(), "expiresAt": None}):
        with pytest.raises(InvalidInput):
            Receipt.parse(value)


@settings(deadline=None, max_examples=80)
@given(bent(RECEIPT.to_json()))
def test_any_value_is_a_receipt_or_refused(value: JsonValue) -> None:
    accepts_or_refuses(lambda: verify_receipt(Receipt.parse(value), SERVICE_SIGNING.public_key))
