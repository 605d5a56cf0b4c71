"""One's channels and settings as lines of a table."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

from chalicelib.client.notifications import Channel, ChannelType, Notifications, NotificationSettings
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import ParseError

_WIDTH = 15


def notification_lines(notifications: Notifications) -> Iterator[str]:
    """What a service keeps, a line for each channel and setting."""
    if not notifications.enabled:
        yield "Notifications are off."
    elif not notifications.channels:
        yield "Notifications are on, but there is no channel yet."
    for channel in notifications.channels:
        yield f"{channel.type:<{_WIDTH}}{_recipient(channel)}  ({_state(channel)})"
    if notifications.settings is not None:
        yield from _settings(notifications.settings)


def _state(channel: Channel) -> str:
    if not channel.verified:
        return "waits for its code"
    return "on" if channel.enabled else "off"


def _recipient(channel: Channel) -> str:
    """A subscription is long, and the secrets in it are nobody's business: the push service is enough."""
    if channel.type != ChannelType.PUSH:
        return channel.recipient
    try:
        members = parse_json(channel.recipient)
    except ParseError:
        members = None
    endpoint = members.get("endpoint") if isinstance(members, dict) else None
    try:
        host = urlsplit(endpoint).hostname if isinstance(endpoint, str) else None
    except ValueError:
        host = None
    return f"a browser at {host}" if host else "a browser"


def _settings(settings: NotificationSettings) -> Iterator[str]:
    quiet = settings.quiet_hours
    if quiet is not None:
        yield f"{'Quiet hours':<{_WIDTH}}{quiet.start} to {quiet.end}, {quiet.time_zone}"
    for name, minutes in settings.minutes_between.items():
        yield f"{name + ' tells':<{_WIDTH}}at most once in {minutes} min"
