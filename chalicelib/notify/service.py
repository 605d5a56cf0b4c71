"""Telling receivers, as its callers see it: the API's part, and the workers that Lambda calls.

Every method of the API's part raises errors of `chalicelib.protocol.errors` and nothing else; `Unavailable`
and `LimitExceeded` are possible everywhere and not repeated below. `account` has been authenticated.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

from chalicelib.notify.preferences import WakeUpChannel
from chalicelib.protocol.json_types import JsonObject, JsonValue
from chalicelib.protocol.properties import NotificationChannel
from chalicelib.relay.values import Account

Worker = Callable[[Mapping[str, Any]], Any]
"""Takes a Lambda event (of a stream, a queue or the clock) and answers as Lambda expects of its kind."""


class Notifications(Protocol):
    """A person's channels. The texts of `InvalidInput` are the reference's, to the letter (WIRE.md)."""

    def is_enabled(self, account: Account) -> bool:
        """The global switch; off until somebody turns it on."""
        ...

    def set_enabled(self, account: Account, value: JsonValue) -> None:
        """Turn the global switch. Raises InvalidInput."""
        ...

    def channels(self, account: Account) -> tuple[WakeUpChannel, ...]:
        """The channels; none while the global switch is off."""
        ...

    def add(
        self, account: Account, channel_type: JsonValue, recipient: JsonValue, *, source: str = ""
    ) -> None:
        """Add a channel, or replace the one of its kind, and send a code to it. Raises InvalidInput.

        `source` is the network address that asks, as in `send_code`.
        """
        ...

    def send_code(self, account: Account, channel_type: JsonValue, *, source: str = "") -> None:
        """Send another code. Raises InvalidInput."""
        ...

    def verify_code(self, account: Account, channel_type: JsonValue, code: JsonValue) -> None:
        """Prove that the recipient reads the channel. A code counts once. Raises InvalidInput."""
        ...

    def toggle(self, account: Account, channel_type: JsonValue, value: JsonValue) -> None:
        """Turn one channel on or off. Raises InvalidInput."""
        ...

    def remove(self, account: Account, channel_type: JsonValue) -> None:
        """Forget one channel. Raises InvalidInput."""
        ...

    def settings(self, account: Account) -> JsonObject:
        """Quiet hours and pauses between wake-ups: `{quietHours, minutesBetween}`."""
        ...

    def set_settings(self, account: Account, document: JsonValue) -> JsonObject:
        """Replace them. Raises InvalidInput."""
        ...

    def unsubscribe(self, token: str) -> None:
        """Turn off the channel that a link of an e-mail names. Raises NotFound for any other link."""
        ...

    def offered(self) -> tuple[NotificationChannel, ...]:
        """The channels for the service properties, with public parts only."""
        ...


class Webhooks(Protocol):
    """An account's webhook endpoints. An endpoint that does not exist: NotFound."""

    def list(self, account: Account) -> tuple[JsonObject, ...]:
        """The endpoints, without secrets."""
        ...

    def add(self, account: Account, document: JsonValue) -> JsonObject:
        """Add `{url, signature?: "v1" or "v1a"}`, challenge it, and return it with its secret or public key.

        An endpoint that does not answer the challenge stays unverified. Raises InvalidInput, UnsafeLink.
        """
        ...

    def verify(self, account: Account, endpoint_id: str) -> JsonObject:
        """Challenge it again; resumes one that is paused or gone. Raises InvalidInput if it does not echo."""
        ...

    def pause(self, account: Account, endpoint_id: str) -> JsonObject:
        """Send nothing more until it is verified again."""
        ...

    def remove(self, account: Account, endpoint_id: str) -> None:
        """Forget the endpoint and its log."""
        ...

    def rotate(self, account: Account, endpoint_id: str) -> JsonObject:
        """A new secret; the old one signs beside it for 24 hours."""
        ...

    def test(self, account: Account, endpoint_id: str) -> JsonObject:
        """Send a `webhook.test` event now, once, and return how it went."""
        ...

    def log(self, account: Account, endpoint_id: str, cursor: str | None, limit: int | None) -> JsonObject:
        """`{deliveries: [...], cursor}`, newest first."""
        ...

    def replay(self, account: Account, endpoint_id: str, document: JsonValue) -> JsonObject:
        """Send again: `{delivery: id}`, or `{since: ms}` for all that failed since. `{replayed: n}`."""
        ...


class Sockets(Protocol):
    """The three routes of the WebSocket API: Lambda events in, Lambda answers out. They never raise."""

    def connect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$connect`."""
        ...

    def message(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$default`."""
        ...

    def disconnect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$disconnect`."""
        ...


@dataclass(frozen=True, slots=True)
class Workers:
    """What Lambda calls: `outbox` with the inbox's stream, `minute` by the clock, the others with queues.

    `untold` works what the stream's on-failure queue holds.
    """

    outbox: Worker
    untold: Worker
    sockets: Worker
    greetings: Worker
    webhooks: Worker
    email: Worker
    push: Worker
    sms: Worker
    minute: Worker


@dataclass(frozen=True, slots=True)
class Notify:
    """This layer, put together."""

    notifications: Notifications
    webhooks: Webhooks
    sockets: Sockets
    workers: Workers
    export: Callable[[Account], JsonObject]
    """What an account's export tells of this layer; secrets and pending codes are left out."""
    forget: Callable[[Account], None]
    """Deletes everything of an account that leaves, and closes its sockets. Repeatable."""
    close_sockets: Callable[[Account], None]
    """Closes the sockets of an account that has signed out everywhere. Repeatable."""
