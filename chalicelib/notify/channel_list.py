"""The list of a person's channels: what may be done with it, and what it becomes.

Of e-mail and SMS there is one each. Of web push there is one for each browser, told apart by its endpoint.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chalicelib.notify import refusals
from chalicelib.notify.channel_settings import with_defaults
from chalicelib.notify.events import Channel
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.notify.recipients import Subscription
from chalicelib.protocol.errors import InvalidInput

MOST_SUBSCRIPTIONS: Final = 10
"""Browsers that one account is told in; the one that subscribed first makes place for an eleventh."""

Choice = Callable[[WakeUpChannel], bool]


def require_on(preferences: Preferences) -> None:
    """Raises InvalidInput while the global switch is off."""
    if not preferences.enabled:
        raise InvalidInput(refusals.GLOBAL_OFF)


def require_configured(preferences: Preferences, channel: Channel) -> WakeUpChannel:
    """The first channel of that kind. Raises InvalidInput if there is none."""
    found = preferences.of(channel)
    if not found:
        raise refusals.not_configured(channel)
    return found[0]


def unverified(preferences: Preferences, channel: Channel) -> WakeUpChannel:
    """The channel of that kind, if a code can be for it. Raises InvalidInput."""
    standing = require_configured(preferences, channel)
    if not standing.enabled:
        raise refusals.not_enabled(channel)
    if standing.verified:
        raise refusals.already_verified(channel)
    return standing


def with_channel(preferences: Preferences, added: WakeUpChannel) -> Preferences:
    """The preferences with a channel in place of the one it replaces: of its kind, or of its browser."""
    same_kind: tuple[WakeUpChannel, ...] = ()
    if added.channel is Channel.PUSH:
        others = without(preferences, lambda one: one.channel is Channel.PUSH and _same_browser(one, added))
        same_kind = others.of(Channel.PUSH)[-(MOST_SUBSCRIPTIONS - 1) :]
    rest = without(preferences, lambda one: one.channel is added.channel)
    return with_defaults(replace(rest, channels=(*rest.channels, *same_kind, added)))


def instead(preferences: Preferences, standing: WakeUpChannel, changed: WakeUpChannel) -> Preferences:
    """The preferences with `changed` in the place of `standing`, if that is still there."""
    channels = (changed if one == standing else one for one in preferences.channels)
    return replace(preferences, channels=tuple(channels))


def without(preferences: Preferences, these: Choice) -> Preferences:
    """The preferences without the channels that `these` chooses."""
    return replace(preferences, channels=tuple(one for one in preferences.channels if not these(one)))


def switched(preferences: Preferences, these: Choice, *, enabled: bool) -> Preferences:
    """The preferences with the channels that `these` chooses turned on or off."""
    channels = (replace(one, enabled=enabled) if these(one) else one for one in preferences.channels)
    return replace(preferences, channels=tuple(channels))


def _same_browser(one: WakeUpChannel, other: WakeUpChannel) -> bool:
    return Subscription.parse(one.recipient).endpoint == Subscription.parse(other.recipient).endpoint
