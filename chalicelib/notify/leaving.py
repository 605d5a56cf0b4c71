"""An account that leaves, and what it can take along."""

from __future__ import annotations

from collections.abc import Callable

from chalicelib.notify.preference_book import PreferenceBook
from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.notify.service import Notifications, Webhooks
from chalicelib.protocol.json_types import JsonObject
from chalicelib.relay.values import Account


class Leaving:
    """`forget_webhooks` deletes an account's endpoints and their logs, `close_sockets` closes its sockets."""

    def __init__(
        self,
        *,
        book: PreferenceBook,
        notifications: Notifications,
        webhooks: Webhooks,
        forget_webhooks: Callable[[Account], None],
        close_sockets: Callable[[Account], None],
    ) -> None:
        self._book = book
        self._notifications = notifications
        self._webhooks = webhooks
        self._forget_webhooks = forget_webhooks
        self._close_sockets = close_sockets

    def export(self, account: Account) -> JsonObject:
        """`{"notifications": {enabled, channels, …settings}, "webhooks"}`, without secrets and codes.

        The channels are there whether the global switch is on or off: `{type, recipient, enabled, verified}`.
        """
        preferences = self._book.load(account.inbox)
        return {
            "notifications": {
                "enabled": preferences.enabled,
                "channels": [_channel(one) for one in preferences.channels],
                **self._notifications.settings(account),
            },
            "webhooks": list(self._webhooks.list(account)),
        }

    def forget(self, account: Account) -> None:
        """Delete everything of the account, the logs of webhooks first: without endpoints nobody finds them.

        Repeatable, and to be repeated when the account is gone: a socket may have signed in meanwhile.
        """
        self._forget_webhooks(account)
        self._book.delete(account.inbox)
        self._close_sockets(account)


def _channel(channel: WakeUpChannel) -> JsonObject:
    return {
        "type": str(channel.channel).upper(),
        "recipient": channel.recipient,
        "enabled": channel.enabled,
        "verified": channel.verified,
    }
