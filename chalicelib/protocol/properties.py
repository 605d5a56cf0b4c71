"""Properties of a delivery service: what a sender must know before sending.

Source: dm3 specification, "API delivery service", `dm3_getDeliveryServiceProperties`. The reference adds
`notificationChannel`, with its passwords in it; here a channel is its type and what is public about it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from chalicelib.protocol.errors import InvalidInput
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import number_member, require_object, text_member

_CHANNEL_MEMBERS = frozenset({"type", "config"})
_CHANNEL_TYPES = frozenset({"EMAIL", "PUSH"})
# Members of the reference that are its own business; they are checked, and not kept.
_OPERATOR_MEMBERS = ("metricsCollectionIntervalInSeconds", "metricsRetentionDurationInSeconds")


@dataclass(frozen=True, slots=True)
class NotificationChannel:
    """A way of telling receivers that mail has come: EMAIL or PUSH, with its configuration."""

    type: str
    config: JsonValue

    def to_json(self) -> JsonObject:
        """`{type, config}`."""
        return {"type": self.type, "config": self.config}

    @classmethod
    def parse(cls, value: JsonValue) -> NotificationChannel:
        """Inverse of `to_json`. Raises `InvalidInput`."""
        members = require_object(value, InvalidInput)
        type_ = text_member(members, "type", InvalidInput)
        if members.keys() != _CHANNEL_MEMBERS or type_ not in _CHANNEL_TYPES:
            raise InvalidInput("The notification channel is invalid.")
        return cls(type_, members["config"])


@dataclass(frozen=True, slots=True)
class DeliveryServiceProperties:
    """What a delivery service promises and asks for.

    `message_ttl_days` is how long a message is kept at least; 0 is for ever. `size_limit_bytes` is the
    largest envelope accepted; None is any. `notification_channels` of None are not told. `limits` is ours:
    quotas by name, each a whole number; a service that does not tell them has None.
    """

    message_ttl_days: int = 0
    size_limit_bytes: int | None = None
    notification_channels: tuple[NotificationChannel, ...] | None = None
    limits: Mapping[str, int] | None = None

    def to_json(self) -> JsonObject:
        """`{messageTTL, sizeLimit?, notificationChannel?, limits?}`."""
        members: dict[str, JsonValue] = {"messageTTL": self.message_ttl_days}
        if self.size_limit_bytes is not None:
            members["sizeLimit"] = self.size_limit_bytes
        if self.notification_channels is not None:
            members["notificationChannel"] = [channel.to_json() for channel in self.notification_channels]
        if self.limits is not None:
            members["limits"] = dict(self.limits)
        return members

    @classmethod
    def parse(cls, value: JsonValue) -> DeliveryServiceProperties:
        """Inverse of `to_json`; every member may be missing, unknown ones are ignored. Raises `InvalidInput`.

        `messageTTL` is read in days, as the specification defines it; null is 0.
        """
        members = require_object(value, InvalidInput)
        for name in _OPERATOR_MEMBERS:
            _optional_number(members, name)
        size_limit = _optional_number(members, "sizeLimit")
        return cls(
            message_ttl_days=int(
                0 if members.get("messageTTL") is None else number_member(members, "messageTTL", InvalidInput)
            ),
            size_limit_bytes=None if size_limit is None else int(size_limit),
            notification_channels=_channels(members),
            limits=_limits(members),
        )


def _optional_number(members: JsonObject, name: str) -> int | float | None:
    return number_member(members, name, InvalidInput) if name in members else None


def _limits(members: JsonObject) -> Mapping[str, int] | None:
    """Limits that are whole numbers; another service's member of that name may be anything."""
    value = members.get("limits")
    if not isinstance(value, Mapping):
        return None
    return {
        name: limit for name, limit in value.items() if isinstance(limit, int) and not isinstance(limit, bool)
    }


def _channels(members: JsonObject) -> tuple[NotificationChannel, ...] | None:
    if "notificationChannel" not in members:
        return None
    value = members["notificationChannel"]
    if not isinstance(value, (list, tuple)):
        raise InvalidInput("The member notificationChannel is not an array.")
    return tuple(NotificationChannel.parse(item) for item in value)
