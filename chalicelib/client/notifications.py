"""How one is told of new mail: channels and settings, kept at each of one's own delivery services.

A service of the reference has channels but no settings. Each service sends codes of its own, so a code
verifies a channel at the service that has sent it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Final, TypeVar

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.identity import Identity
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.several import at_each
from chalicelib.client.values import Unreached
from chalicelib.protocol.errors import InvalidInput, MethodNotSupported, NotFound, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.members import require_object, text_member

Result = TypeVar("Result")
_NONSENSE: Final = "The delivery service gave an answer that makes no sense."


class ChannelType(StrEnum):
    """A way of being told. SMS is offered by few services, and never by those of the reference."""

    EMAIL = "EMAIL"
    PUSH = "PUSH"
    SMS = "SMS"


@dataclass(frozen=True, slots=True)
class Channel:
    """One channel. `recipient` is an e-mail address, a push subscription (JSON text) or a number."""

    type: str
    recipient: str = field(repr=False)
    enabled: bool
    verified: bool

    @classmethod
    def parse(cls, value: JsonValue) -> Channel:
        """The channel in a service's answer. Raises InvalidInput."""
        members = require_object(value, InvalidInput)
        config = require_object(members.get("config"), InvalidInput)
        return cls(
            text_member(members, "type", InvalidInput),
            text_member(config, "recipientValue", InvalidInput),
            _switch(config, "isEnabled"),
            _switch(config, "isVerified"),
        )


@dataclass(frozen=True, slots=True)
class QuietHours:
    """From `start` to `end` (HH:MM, past midnight too) in `time_zone` (IANA) nobody is woken."""

    start: str
    end: str
    time_zone: str


@dataclass(frozen=True, slots=True)
class NotificationSettings:
    """When, and how often at most, one is woken. `minutes_between` is by the name of the channel."""

    quiet_hours: QuietHours | None = None
    minutes_between: Mapping[str, int] = field(default_factory=dict)

    def to_json(self) -> JsonObject:
        """`{quietHours, minutesBetween}`."""
        quiet = self.quiet_hours
        return {
            "quietHours": None
            if quiet is None
            else {"from": quiet.start, "to": quiet.end, "timeZone": quiet.time_zone},
            "minutesBetween": dict(self.minutes_between),
        }

    @classmethod
    def parse(cls, value: JsonValue) -> NotificationSettings:
        """Inverse of `to_json`. Raises InvalidInput."""
        members = require_object(value, InvalidInput)
        quiet = members.get("quietHours")
        between = require_object(members.get("minutesBetween"), InvalidInput)
        minutes = {
            name: number
            for name, number in between.items()
            if isinstance(number, int) and not isinstance(number, bool)
        }
        if len(minutes) != len(between):
            raise InvalidInput("A pause between notifications is no whole number.")
        return cls(None if quiet is None else _quiet_hours(quiet), minutes)


@dataclass(frozen=True, slots=True)
class Notifications:
    """How one service tells. `channels` are not told while it is not `enabled`.

    `settings` are None at a service that has none.
    """

    enabled: bool
    channels: tuple[Channel, ...]
    settings: NotificationSettings | None

    def to_json(self) -> JsonObject:
        """JSON for programs; recipients included."""
        return {
            "enabled": self.enabled,
            "channels": [
                {
                    "type": one.type,
                    "recipient": one.recipient,
                    "enabled": one.enabled,
                    "verified": one.verified,
                }
                for one in self.channels
            ],
            "settings": None if self.settings is None else self.settings.to_json(),
        }


@dataclass(frozen=True, slots=True)
class KeptNotifications:
    """What each service keeps, by name, and which did not answer."""

    at: Mapping[str, Notifications]
    unreached: tuple[Unreached, ...] = ()


@dataclass(frozen=True, slots=True)
class Done:
    """At which services something was done, and at which it was not, and why."""

    at: tuple[str, ...]
    unreached: tuple[Unreached, ...] = ()


class NotificationBook:
    """The channels of one identity at each of its delivery services.

    In every method a service that does not do as asked is in `unreached`; the error is raised if none did.
    """

    def __init__(self, identity: Identity, services: Services, sessions: Sessions) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions

    def read(self) -> KeptNotifications:
        """Whether notifications are on, by which channels, and when."""
        return KeptNotifications(*self._at_each(self._read))

    def switch(self, *, on: bool) -> Done:
        """Turn all of them on or off; channels are kept while they are off."""
        return self._post({"isEnabled": on}, "global")

    def add(self, channel: ChannelType, recipient: str) -> Done:
        """Add a channel, or replace the one of its kind. Raises InvalidInput.

        A code is sent to it for `verify`; but a browser's subscription counts at once.
        """
        return self._post({"notificationChannelType": channel.value, "recipientValue": recipient})

    def send_code(self, channel: ChannelType) -> Done:
        """Have another code sent. Raises InvalidInput, LimitExceeded (a minute after the last one)."""
        return self._post({"notificationChannelType": channel.value}, "otp")

    def verify(self, channel: ChannelType, code: str) -> Done:
        """Prove a channel by the code that was sent to it. Raises InvalidInput. Five tries, ten minutes."""
        return self._post({"notificationChannelType": channel.value, "otp": code}, "otp", "verify")

    def toggle(self, channel: ChannelType, *, on: bool) -> Done:
        """Turn one channel on or off; PUSH in all browsers. Raises InvalidInput."""
        return self._post({"notificationChannelType": channel.value, "isEnabled": on}, "channel")

    def remove(self, channel: ChannelType) -> Done:
        """Forget a channel; PUSH in all browsers. Raises InvalidInput."""
        where = path("notifications", "channel", channel.value, self._identity.name)
        done, unreached = self._at_each(lambda service: self._sessions.request(service, "DELETE", where))
        return Done(tuple(done), unreached)

    def change_settings(
        self, change: Callable[[NotificationSettings], NotificationSettings]
    ) -> KeptNotifications:
        """Read, `change` and put back the settings at each service. Raises InvalidInput, and what it does."""

        def put(service: DeliveryService) -> Notifications:
            settings = self._settings(service)
            if settings is None:
                raise MethodNotSupported("The delivery service has no settings for notifications.")
            where = self._path("settings")
            self._sessions.request(service, "PUT", where, body=change(settings).to_json())
            return self._read(service)

        return KeptNotifications(*self._at_each(put))

    def _read(self, service: DeliveryService) -> Notifications:
        switch = self._get(
            service, lambda value: _switch(require_object(value, InvalidInput), "isEnabled"), "global"
        )
        return Notifications(switch, self._get(service, _channels), self._settings(service))

    def _settings(self, service: DeliveryService) -> NotificationSettings | None:
        try:
            return self._get(service, NotificationSettings.parse, "settings")
        except NotFound:
            return None

    def _get(self, service: DeliveryService, parse: Callable[[JsonValue], Result], *below: str) -> Result:
        answer = self._sessions.request(service, "GET", self._path(*below))
        try:
            return parse(answer)
        except InvalidInput:
            raise Unavailable(_NONSENSE) from None

    def _post(self, body: JsonObject, *below: str) -> Done:
        where = self._path(*below)
        done, unreached = self._at_each(
            lambda service: self._sessions.request(service, "POST", where, body=body)
        )
        return Done(tuple(done), unreached)

    def _path(self, *below: str) -> str:
        return path("notifications", *below, self._identity.name)

    def _at_each(
        self, act: Callable[[DeliveryService], Result]
    ) -> tuple[dict[str, Result], tuple[Unreached, ...]]:
        return at_each(self._identity.delivery_services, lambda name: act(self._services.find(name)))


def _switch(members: JsonObject, name: str) -> bool:
    value = members.get(name)
    if not isinstance(value, bool):
        raise InvalidInput(f"The member {name} is not true or false.")
    return value


def _quiet_hours(value: JsonValue) -> QuietHours:
    members = require_object(value, InvalidInput)
    start, end, zone = (text_member(members, name, InvalidInput) for name in ("from", "to", "timeZone"))
    return QuietHours(start, end, zone)


def _channels(value: JsonValue) -> tuple[Channel, ...]:
    channels = require_object(value, InvalidInput).get("notificationChannels")
    if not isinstance(channels, list):
        raise InvalidInput("The channels are no array.")
    return tuple(Channel.parse(one) for one in channels)
