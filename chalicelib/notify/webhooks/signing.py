"""Signatures of webhooks, as "Standard Webhooks" 1.0 writes them, symmetric (v1) and asymmetric (v1a).

Signed is `{id}.{timestamp}.{body}`. Neither id nor timestamp can have a full stop in it, so no part can be
moved into another. A secret says by its prefix of which kind it is: `whsec_` is a key of HMAC-SHA256 that
both sides know, `whsk_` an Ed25519 key pair (64 bytes: seed, public key) whose public half the receiver
knows as `whpk_`.
"""

from __future__ import annotations

from base64 import b64decode, b64encode
from collections.abc import Sequence
from datetime import UTC, datetime
from enum import StrEnum
from typing import Final

from nacl.signing import SigningKey
from standardwebhooks import Webhook

from chalicelib.relay.ports import Chance

ID_HEADER: Final = "webhook-id"
TIMESTAMP_HEADER: Final = "webhook-timestamp"
SIGNATURE_HEADER: Final = "webhook-signature"

_SHARED, _PRIVATE, _PUBLIC = "whsec_", "whsk_", "whpk_"
_SECRET_BYTES = 32


class Signature(StrEnum):
    """The kinds of signature, by the mark that stands before one in the header."""

    V1 = "v1"
    V1A = "v1a"


def new_secret(kind: Signature, chance: Chance) -> str:
    """A fresh secret of this kind."""
    seed = chance.token(_SECRET_BYTES)
    if kind is Signature.V1:
        return _SHARED + b64encode(seed).decode()
    return _PRIVATE + b64encode(seed + bytes(SigningKey(seed).verify_key)).decode()


def kind_of(secret: str) -> Signature:
    """The kind of a secret that `new_secret` made."""
    return Signature.V1A if secret.startswith(_PRIVATE) else Signature.V1


def public_key(secret: str) -> str | None:
    """What a receiver needs to check signatures by a `whsk_` secret: its `whpk_`. None for a shared one."""
    if kind_of(secret) is Signature.V1:
        return None
    return _PUBLIC + b64encode(_pair(secret)[_SECRET_BYTES:]).decode()


def signed_headers(secrets: Sequence[str], webhook_id: str, at_ms: int, body: str) -> dict[str, str]:
    """The three headers of a request that is sent at `at_ms`: one signature for each secret."""
    moment = datetime.fromtimestamp(at_ms // 1_000, UTC)
    signatures = [_signature(secret, webhook_id, moment, body) for secret in secrets]
    return {
        ID_HEADER: webhook_id,
        TIMESTAMP_HEADER: str(at_ms // 1_000),
        SIGNATURE_HEADER: " ".join(signatures),
    }


def _signature(secret: str, webhook_id: str, moment: datetime, body: str) -> str:
    if kind_of(secret) is Signature.V1:
        return str(Webhook(secret).sign(webhook_id, moment, body))
    content = f"{webhook_id}.{int(moment.timestamp())}.{body}".encode()
    signed = SigningKey(_pair(secret)[:_SECRET_BYTES]).sign(content)
    return f"{Signature.V1A},{b64encode(signed.signature).decode()}"


def _pair(secret: str) -> bytes:
    return b64decode(secret.removeprefix(_PRIVATE))
