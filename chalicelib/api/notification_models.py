"""The documents of notifications, described: the API's own documents are generated from these models.

The desk checks what it is given itself (`notify.desk`), in the words of the reference; the tests hold what it
takes and gives against these descriptions.
"""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from chalicelib.api.models import Input
from chalicelib.api.results import Output

ChannelName = Literal["EMAIL", "PUSH", "SMS"]
_TYPE = "SMS where the relay offers it."


class GlobalSwitch(Input):
    """Whether the account wants notifications at all."""

    isEnabled: bool  # noqa: N815 - as on the wire


class NewChannel(Input):
    """A channel and whom it reaches."""

    recipientValue: str = Field(  # noqa: N815
        description="An e-mail address; a browser's push subscription as JSON text; a number in E.164 form."
    )
    notificationChannelType: ChannelName = Field(description=_TYPE)  # noqa: N815


class ChannelType(Input):
    """Which channel."""

    notificationChannelType: ChannelName = Field(description=_TYPE)  # noqa: N815


class TriedCode(Input):
    """A one-time code, as text."""

    otp: str
    notificationChannelType: ChannelName = Field(description=_TYPE)  # noqa: N815


class ChannelSwitch(Input):
    """Whether a channel is on."""

    notificationChannelType: ChannelName = Field(description=_TYPE)  # noqa: N815
    isEnabled: bool  # noqa: N815


class QuietHours(Input):
    """When nobody is woken; past midnight, too. What comes in is told at the end, once."""

    from_: str = Field(alias="from", description="HH:MM.")
    to: str = Field(description="HH:MM.")
    time_zone: str = Field(alias="timeZone", description="Of the IANA database, such as Europe/Berlin.")


class MinutesBetween(Input):
    """The least time between two notifications, 1 to 1440 minutes."""

    email: int = Field(15, alias="EMAIL")
    push: int = Field(1, alias="PUSH")
    sms: int = Field(60, alias="SMS")


class NotificationSettings(Input):
    """When, and how often at most, a person is woken."""

    quiet_hours: QuietHours | None = Field(None, alias="quietHours")
    minutes_between: MinutesBetween = Field(default_factory=lambda: MinutesBetween(), alias="minutesBetween")


class ChannelConfig(Output):
    """Whom a channel reaches, and whether it does."""

    recipientValue: str  # noqa: N815
    isEnabled: bool  # noqa: N815
    isVerified: bool  # noqa: N815


class NotificationChannel(Output):
    """A channel of the account; of PUSH there is one for each browser."""

    type: ChannelName
    config: ChannelConfig


class NotificationChannels(Output):
    """The channels of the account."""

    notificationChannels: list[NotificationChannel]  # noqa: N815


class Removed(Output):
    """It is removed."""

    message: str


NOTIFICATION_BODIES: dict[str, type[Input]] = {
    model.__name__: model
    for model in (GlobalSwitch, NewChannel, ChannelType, TriedCode, ChannelSwitch, NotificationSettings)
}
"""The bodies of the routes of notifications, by name."""

NOTIFICATION_RESULTS: dict[str, type[Input | Output]] = {
    model.__name__: model for model in (GlobalSwitch, NotificationChannels, Removed, NotificationSettings)
}
"""What they answer, by name."""
