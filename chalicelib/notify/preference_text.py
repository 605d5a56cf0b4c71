"""The text form of an account's preferences, as it is sealed in the store."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict
from typing import Any

from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import (
    Endpoint,
    EndpointState,
    PendingCode,
    Preferences,
    QuietHours,
    Secret,
    WakeUpChannel,
)


def to_bytes(preferences: Preferences) -> bytes:
    """JSON in UTF-8; bytes in hex."""
    return json.dumps(asdict(preferences), separators=(",", ":"), default=bytes.hex).encode()


def from_bytes(data: bytes) -> Preferences:
    """Inverse of `to_bytes`, for what this relay has sealed itself."""
    members = json.loads(data)
    quiet = members["quiet_hours"]
    return Preferences(
        enabled=members["enabled"],
        channels=tuple(_channel(one) for one in members["channels"]),
        quiet_hours=None if quiet is None else QuietHours(**quiet),
        minutes_between={Channel(name): value for name, value in members["minutes_between"].items()},
        endpoints=tuple(_endpoint(one) for one in members["endpoints"]),
    )


def _channel(members: Mapping[str, Any]) -> WakeUpChannel:
    code = members["code"]
    pending = None if code is None else PendingCode(**{**code, "code_hash": bytes.fromhex(code["code_hash"])})
    return WakeUpChannel(**{**members, "channel": Channel(members["channel"]), "code": pending})


def _endpoint(members: Mapping[str, Any]) -> Endpoint:
    secrets = tuple(Secret(**secret) for secret in members["secrets"])
    return Endpoint(**{**members, "state": EndpointState(members["state"]), "secrets": secrets})
