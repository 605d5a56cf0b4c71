"""What is told about live connections: how each stands, to the caller; what came in, within this package."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from enum import StrEnum
from typing import TypeAlias

from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonValue


class Standing(StrEnum):
    """How mail comes in from a delivery service."""

    CONNECTED = "connected"  # over a live connection, at once
    RECONNECTING = "reconnecting"  # not just now; the connection is opened again soon
    POLLING = "polling"  # it has no live connections, so it is asked again and again


@dataclass(frozen=True, slots=True)
class LiveState:
    """How things stand with the delivery service called `delivery_service`.

    `reason` says why it is not connected, in one sentence without names or secrets.
    """

    delivery_service: str
    standing: Standing
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Arrived:
    """A message that the delivery service called `service` gave, unopened."""

    service: str
    message: JsonValue = field(repr=False)


@dataclass(frozen=True, slots=True)
class Answered:
    """The delivery service called `service` gives mail, whether or not there is any."""

    service: str


@dataclass(frozen=True, slots=True)
class Failed:
    """The delivery service called `service` gives no mail just now."""

    service: str
    error: Dm3Error


@dataclass(frozen=True, slots=True)
class Pinged:
    """The service has asked whether somebody is there: `answer` says so."""

    answer: Callable[[], None]


@dataclass(frozen=True, slots=True)
class NotAcknowledged:
    """Messages were not deleted, and asking again would not help."""

    error: Dm3Error


Event: TypeAlias = LiveState | Arrived | Answered | Failed | Pinged | NotAcknowledged
