"""What one account wants to be told, and how: one frozen document, sealed as a whole in the store.

People's channels (e-mail, web push, SMS) obey the global switch, which the reference client turns on; webhook
endpoints are an integrator's, and have a state of their own.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from enum import StrEnum

from chalicelib.notify.events import Channel
from chalicelib.protocol.errors import NotFound


class EndpointState(StrEnum):
    """What a webhook endpoint may receive."""

    UNVERIFIED = "unverified"
    """Nothing but the challenge: its owner has not yet proven that it answers for the relay."""
    ACTIVE = "active"
    PAUSED = "paused"
    """It failed for days, or its owner paused it; events are kept in its log and can be replayed."""
    GONE = "gone"
    """It answered 410: it wants no more."""


@dataclass(frozen=True, slots=True)
class PendingCode:
    """A one-time code that was sent: its keyed hash, until when it counts, and how many tries are left."""

    code_hash: bytes = field(repr=False)
    expires_at_ms: int
    tries_left: int


@dataclass(frozen=True, slots=True)
class WakeUpChannel:
    """A person's channel. `channel` is one of `events.WAKING`.

    `recipient` is an e-mail address, a web push subscription (JSON text) or a number in E.164 form.
    """

    channel: Channel
    recipient: str = field(repr=False)
    enabled: bool = True
    verified: bool = False
    code: PendingCode | None = None


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start_minute` to `end_minute` of the day (0 to 1439, past midnight too) in `time_zone` (IANA)."""

    start_minute: int
    end_minute: int
    time_zone: str


@dataclass(frozen=True, slots=True)
class Secret:
    """A signing secret of an endpoint: `whsec_…` (v1) or `whsk_…` (v1a), not used after `expires_at_ms`."""

    value: str = field(repr=False)
    created_at_ms: int
    expires_at_ms: int | None = None


@dataclass(frozen=True, slots=True)
class Endpoint:
    """A webhook endpoint. `secrets` are the newest first; at most two are valid at a time, of one kind.

    `failing_since_ms` is when the first of its present failures happened, None while all is well.
    `owner_untold`: it was paused, and its owner is still to be told.
    """

    endpoint_id: str
    url: str = field(repr=False)
    state: EndpointState
    secrets: tuple[Secret, ...] = field(repr=False)
    created_at_ms: int
    failing_since_ms: int | None = None
    owner_untold: bool = False


@dataclass(frozen=True, slots=True)
class Preferences:
    """The whole document. `minutes_between` is the least time between two wake-ups of a channel."""

    enabled: bool = False
    channels: tuple[WakeUpChannel, ...] = ()
    quiet_hours: QuietHours | None = None
    minutes_between: Mapping[Channel, int] = field(default_factory=dict)
    endpoints: tuple[Endpoint, ...] = ()

    def endpoint(self, endpoint_id: str) -> Endpoint:
        """The webhook endpoint of that id. Raises NotFound."""
        for endpoint in self.endpoints:
            if endpoint.endpoint_id == endpoint_id:
                return endpoint
        raise NotFound("There is no such webhook.")

    def with_endpoint(self, changed: Endpoint) -> Preferences:
        """The document with `changed` in the place of the endpoint of its id; none appears anew."""
        endpoints = (changed if one.endpoint_id == changed.endpoint_id else one for one in self.endpoints)
        return replace(self, endpoints=tuple(endpoints))

    def of(self, channel: Channel) -> tuple[WakeUpChannel, ...]:
        """A person's channels of one kind: several for web push (one a browser), else at most one."""
        return tuple(one for one in self.channels if one.channel is channel)
