"""Runs the vectors about the reference's schemas: what our parsers accept."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.api.models import Acknowledgement
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.envelope import Envelope
from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.message import parse_message
from chalicelib.protocol.profile import DeliveryServiceProfile, SignedUserProfile
from chalicelib.protocol.properties import DeliveryServiceProperties, NotificationChannel
from tests.vectors.cases import Case, Differs, runs

_PARSERS: dict[str, Callable[[JsonValue], object]] = {
    "schema_encryption_envelop": Envelope.parse,
    "schema_encryption_envelop_message_hash_variant": Envelope.parse,
    "schema_message": parse_message,
    "schema_signed_user_profile": SignedUserProfile.parse,
    "schema_delivery_service_profile": DeliveryServiceProfile.parse,
    "schema_profile_extension": ProfileExtension.parse,
    "schema_notification_channel": NotificationChannel.parse,
}


@runs(*_PARSERS)
def run_schema(case: Case) -> None:
    parser = _PARSERS[case["id"].rsplit("-", 1)[0]]
    assert _accepts(parser, case) == case["valid"]


@runs("schema_delivery_service_properties")
def run_delivery_service_properties(case: Case) -> None:
    # Read from other services' answers, whose members are all optional.
    assert _accepts(DeliveryServiceProperties.parse, case) == case["valid_when_no_member_is_required"]


@runs("schema_acknowledgement")
def run_acknowledgement(case: Case) -> None:
    value = parse_json(case["input_json"])
    understood = isinstance(value, dict) and Acknowledgement.model_validate(value).pair() is not None
    assert understood == case["valid"]


@runs("schema_account")
def run_account(case: Case) -> None:
    raise Differs(f"a row of the reference's own database ({case['id']})")


def _accepts(parser: Callable[[JsonValue], object], case: Case) -> bool:
    value = parse_json(case["input_json"])
    try:
        parser(value)
    except Dm3Error:
        return False
    return True
