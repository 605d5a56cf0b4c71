"""Whom a channel reaches: e-mail addresses, web push subscriptions, telephone numbers, checked as text.

Whether anybody is there is proven by a code, or, for a browser's subscription, by the first push.
"""

from __future__ import annotations

import json
import re
from base64 import urlsafe_b64decode
from binascii import Error as NotBase64
from dataclasses import dataclass, field
from typing import Final

from chalicelib.fetching.urls import vet
from chalicelib.notify.events import Channel
from chalicelib.notify.refusals import recipient_invalid
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import Dm3Error, InvalidInput
from chalicelib.protocol.json_types import JsonValue
from chalicelib.protocol.members import require_object, text_member

MAX_ENDPOINT_CHARACTERS: Final = 2_048
MAX_SUBSCRIPTION_CHARACTERS: Final = 4_096
_E164: Final = re.compile(r"\+[1-9][0-9]{6,14}")
_POINT_BYTES, _SECRET_BYTES = 65, 16


@dataclass(frozen=True, slots=True)
class Subscription:
    """A browser's push subscription: where to post, its public key (65 bytes), its secret (16 bytes)."""

    endpoint: str = field(repr=False)
    public_key: bytes = field(repr=False)
    secret: bytes = field(repr=False)

    @classmethod
    def parse(cls, text: str) -> Subscription:
        """The subscription in the JSON that `PushSubscription.toJSON` gives. Raises InvalidInput."""
        if len(text) > MAX_SUBSCRIPTION_CHARACTERS:
            raise InvalidInput("The subscription is too long.")
        members = require_object(parse_json(text), InvalidInput)
        keys = require_object(members.get("keys"), InvalidInput)
        endpoint = text_member(members, "endpoint", InvalidInput)
        if len(endpoint) > MAX_ENDPOINT_CHARACTERS:
            raise InvalidInput("The endpoint of the subscription is too long.")
        public_key = _bytes(text_member(keys, "p256dh", InvalidInput), _POINT_BYTES)
        _require_point(public_key)
        return cls(endpoint, public_key, _bytes(text_member(keys, "auth", InvalidInput), _SECRET_BYTES))


def checked(channel: Channel, value: JsonValue, *, allow_local: bool = False) -> str:
    """The recipient as it is kept. Raises InvalidInput in the words of the reference.

    `allow_local`: push endpoints may also begin with `http:`; the fetcher decides which of them are called.
    """
    if not isinstance(value, str):
        raise recipient_invalid(channel)
    try:
        if channel is Channel.EMAIL:
            return _email(value)
        if channel is Channel.PUSH:
            return _push(value, allow_local=allow_local)
        return _number(value)
    except (Dm3Error, ValueError):
        raise recipient_invalid(channel) from None


def _email(value: str) -> str:
    # Imported where it is needed: most requests do not.
    from email_validator import validate_email

    # Nothing is looked up: that would tell a name server who signs up here, and a code proves more.
    found = validate_email(value, check_deliverability=False, allow_smtputf8=False, strict=True)
    if found.ascii_email is None:
        raise ValueError("no address in ASCII")
    return found.ascii_email


def _push(value: str, *, allow_local: bool) -> str:
    """The subscription again, with nothing in it but what a push needs."""
    subscription = Subscription.parse(value)
    if not subscription.endpoint.isascii():
        # No browser has such a one, and as it is kept it would be many times as long.
        raise InvalidInput("The endpoint is not written in ASCII.")
    if vet(subscription.endpoint).scheme != "https" and not allow_local:
        raise InvalidInput("The endpoint does not begin with https:.")
    keys = require_object(require_object(parse_json(value), InvalidInput)["keys"], InvalidInput)
    kept = {
        "endpoint": subscription.endpoint,
        "keys": {"p256dh": keys["p256dh"], "auth": keys["auth"]},
    }
    return json.dumps(kept, separators=(",", ":"))


def _number(value: str) -> str:
    if not _E164.fullmatch(value):
        raise InvalidInput("The number is not in E.164 form.")
    return value


def _bytes(text: str, size: int) -> bytes:
    """Base64url with or without padding; browsers give the URL form, some libraries the other."""
    try:
        data = urlsafe_b64decode(text.rstrip("=").replace("+", "-").replace("/", "_") + "==")
    except (NotBase64, ValueError):
        raise InvalidInput("A key of the subscription is not base64.") from None
    if len(data) != size:
        raise InvalidInput("A key of the subscription has the wrong length.")
    return data


def _require_point(public_key: bytes) -> None:
    # Imported where it is needed: it takes tens of milliseconds.
    from cryptography.hazmat.primitives.asymmetric.ec import SECP256R1, EllipticCurvePublicKey

    try:
        EllipticCurvePublicKey.from_encoded_point(SECP256R1(), public_key)
    except ValueError:
        raise InvalidInput("A key of the subscription is not on the curve.") from None
