"""A person's channels as their owner turns them on, proves them, and turns them off."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Final

from chalicelib.notify import channel_settings, refusals, texts
from chalicelib.notify.channel_list import (
    instead,
    require_configured,
    require_on,
    switched,
    unverified,
    with_channel,
    without,
)
from chalicelib.notify.channels.vapid import Vapid
from chalicelib.notify.code_limits import CodeLimits
from chalicelib.notify.codes import LIFETIME_MINUTES, Codes
from chalicelib.notify.events import WAKING, Channel
from chalicelib.notify.ports import Mailer, Refused, Texter
from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import Preferences, WakeUpChannel
from chalicelib.notify.recipients import checked
from chalicelib.notify.unsubscribing import Unsubscribing
from chalicelib.protocol.errors import Forbidden, InvalidInput, LimitExceeded, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.properties import NotificationChannel
from chalicelib.relay.ports import Chance, Clock, CounterStore
from chalicelib.relay.values import Account
from chalicelib.relay.vault import Vault

_TYPES: Final = {refusals.api_type(channel): channel for channel in WAKING}


class NotificationDesk:
    """Implements `service.Notifications`.

    A carrier that is None is not offered; SMS, which clients of the reference do not know, is then unknown
    here, too. `still_there` raises Forbidden if the account was deleted meanwhile. `allow_local` is for a
    relay on a laptop, whose push service may be there, too.
    """

    def __init__(
        self,
        *,
        book: PreferenceBook,
        mailer: Mailer | None,
        texter: Texter | None,
        vapid: Vapid | None,
        counters: CounterStore,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        still_there: Callable[[Account], None],
        allow_local: bool = False,
    ) -> None:
        self._book = book
        self._mailer = mailer
        self._texter = texter
        self._vapid = vapid
        self._codes = Codes(vault, clock, chance)
        self._limits = CodeLimits(counters, vault, clock, chance)
        self._unsubscribing = Unsubscribing(vault)
        self._still_there = still_there
        self._allow_local = allow_local

    def is_enabled(self, account: Account) -> bool:
        """See `service.Notifications.is_enabled`."""
        return self._book.load(account.inbox).enabled

    def set_enabled(self, account: Account, value: JsonValue) -> None:
        """See `service.Notifications.set_enabled`."""
        if not isinstance(value, bool):
            raise InvalidInput(refusals.INVALID_VALUE)
        self._write(account, lambda preferences: replace(preferences, enabled=value))

    def channels(self, account: Account) -> tuple[WakeUpChannel, ...]:
        """See `service.Notifications.channels`."""
        preferences = self._book.load(account.inbox)
        return preferences.channels if preferences.enabled else ()

    def add(
        self, account: Account, channel_type: JsonValue, recipient: JsonValue, *, source: str = ""
    ) -> None:
        """See `service.Notifications.add`.

        A browser's subscription needs no code: it was given to whoever is signed in.
        """
        channel = self._known(channel_type)
        if _is_missing(recipient):
            raise InvalidInput(refusals.RECIPIENT_MISSING)
        added = WakeUpChannel(channel, checked(channel, recipient, allow_local=self._allow_local))
        require_on(self._book.load(account.inbox))
        self._require_offered(channel)
        if channel is Channel.PUSH:
            self._write(account, lambda standing: with_channel(standing, replace(added, verified=True)))
            return
        self._limits.charge_code(account.key, channel, added.recipient, source)
        code = self._codes.make()
        waiting = self._codes.pending(account.inbox, added, code)
        self._write(account, lambda standing: with_channel(standing, waiting))
        self._send(account, waiting, code)

    def send_code(self, account: Account, channel_type: JsonValue, *, source: str = "") -> None:
        """See `service.Notifications.send_code`."""
        channel = self._known(channel_type)
        preferences = self._book.load(account.inbox)
        require_on(preferences)
        self._require_offered(channel)
        standing = unverified(preferences, channel)
        if channel is Channel.PUSH:
            # Its push service refused it for good. A browser proves itself by subscribing again.
            raise refusals.not_offered(channel)
        wait_s = self._codes.wait_s(standing)
        if wait_s:
            raise LimitExceeded(refusals.TOO_SOON, retry_after_s=wait_s)
        self._limits.charge_code(account.key, channel, standing.recipient, source)
        code = self._codes.make()
        waiting = self._codes.pending(account.inbox, standing, code)

        def change(preferences: Preferences) -> Preferences:
            now = unverified(preferences, channel)
            if now.recipient != standing.recipient:
                raise Unavailable("The channel was replaced at the same moment; try again.")
            return instead(preferences, now, waiting)

        self._write(account, change)
        self._send(account, waiting, code)

    def verify_code(self, account: Account, channel_type: JsonValue, code: JsonValue) -> None:
        """See `service.Notifications.verify_code`.

        The try is counted before it is answered, also when many are made at once.
        """
        if _is_missing(code):
            raise InvalidInput(refusals.CODE_MISSING)
        channel = self._known(channel_type)
        refusal: str | None = None

        def change(preferences: Preferences) -> Preferences:
            nonlocal refusal
            require_on(preferences)
            self._require_offered(channel)
            standing = unverified(preferences, channel)
            if not isinstance(code, str):
                raise InvalidInput(refusals.CODE_INVALID)
            judgement = self._codes.judge(account.inbox, standing, code)
            refusal = judgement.refusal
            return instead(preferences, standing, judgement.channel)

        self._write(account, change)
        if refusal is not None:
            raise InvalidInput(refusal)

    def toggle(self, account: Account, channel_type: JsonValue, value: JsonValue) -> None:
        """See `service.Notifications.toggle`; all browsers at once, and also what is not verified yet."""
        channel = self._known(channel_type)
        if value is not False and _is_missing(value):
            raise InvalidInput(refusals.SWITCH_MISSING)
        if not isinstance(value, bool):
            raise InvalidInput(refusals.SWITCH_INVALID)
        enabled = value

        def change(preferences: Preferences) -> Preferences:
            require_on(preferences)
            self._require_offered(channel)
            require_configured(preferences, channel)
            return switched(preferences, lambda one: one.channel is channel, enabled=enabled)

        self._write(account, change)

    def remove(self, account: Account, channel_type: JsonValue) -> None:
        """See `service.Notifications.remove`; all browsers at once.

        What the relay does not offer any more can be removed all the same.
        """
        channel = self._known(channel_type)

        def change(preferences: Preferences) -> Preferences:
            require_on(preferences)
            require_configured(preferences, channel)
            return without(preferences, lambda one: one.channel is channel)

        self._write(account, change)

    def settings(self, account: Account) -> JsonObject:
        """See `service.Notifications.settings`."""
        return channel_settings.to_json(self._book.load(account.inbox))

    def set_settings(self, account: Account, document: JsonValue) -> JsonObject:
        """See `service.Notifications.set_settings`."""
        preferences = self._write(account, lambda standing: channel_settings.applied_to(standing, document))
        return channel_settings.to_json(preferences)

    def unsubscribe(self, token: str) -> None:
        """See `service.Notifications.unsubscribe`. Of a channel that is gone there is nothing to turn off."""
        link = self._unsubscribing.read(token)

        self._book.update(
            link.owner,
            lambda standing: switched(
                standing, lambda one: self._unsubscribing.names(link, one), enabled=False
            ),
        )

    def offered(self) -> tuple[NotificationChannel, ...]:
        """See `service.Notifications.offered`. SMS is left out: clients of the reference refuse the word."""
        channels = []
        if self._mailer is not None:
            channels.append(NotificationChannel("EMAIL", {}))
        if self._vapid is not None:
            channels.append(NotificationChannel("PUSH", {"publicVapidKey": self._vapid.public_key}))
        return tuple(channels)

    def _known(self, channel_type: JsonValue) -> Channel:
        if _is_missing(channel_type):
            raise InvalidInput(refusals.TYPE_MISSING)
        channel = _TYPES.get(channel_type) if isinstance(channel_type, str) else None
        if channel is None or (channel is Channel.SMS and self._texter is None):
            raise InvalidInput(refusals.TYPE_INVALID)
        return channel

    def _require_offered(self, channel: Channel) -> None:
        carriers = {Channel.EMAIL: self._mailer, Channel.PUSH: self._vapid, Channel.SMS: self._texter}
        if carriers[channel] is None:
            raise refusals.not_offered(channel)

    def _send(self, account: Account, waiting: WakeUpChannel, code: str) -> None:
        try:
            if waiting.channel is Channel.EMAIL and self._mailer is not None:
                self._mailer.send(texts.code_mail(waiting.recipient, code, LIFETIME_MINUTES))
            elif self._texter is not None:
                self._texter.send(waiting.recipient, texts.code_sms(code, LIFETIME_MINUTES))
        except Refused:
            # The carrier will never take it, so nobody could ever prove it.
            self._write(account, lambda standing: without(standing, lambda one: one == waiting))
            raise refusals.recipient_invalid(waiting.channel) from None

    def _write(self, account: Account, change: Callable[[Preferences], Preferences]) -> Preferences:
        self._limits.charge_change(account.key)
        preferences = self._book.update(account.inbox, change)
        try:
            self._still_there(account)
        except Forbidden:
            # Deleted since the caller signed in: nothing may be left behind.
            self._book.delete(account.inbox)
            raise
        return preferences


def _is_missing(value: JsonValue) -> bool:
    """What JavaScript takes for false: the reference calls it missing."""
    return value is None or value is False or value in ("", 0)
