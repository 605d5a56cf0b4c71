"""`/notifications/…`: how an account wants to be told of new mail.

The routes and words are the reference's, but for `settings`. The desk checks what it is given
itself, in the reference's order, so no model comes before it.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol

from chalicelib.api import wording
from chalicelib.api.answers import Answer, json_answer, text_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.json_types import JsonObject, JsonValue

if TYPE_CHECKING:
    from chalicelib.notify.preferences import WakeUpChannel
    from chalicelib.notify.service import Notifications, Notify
    from chalicelib.relay.service import Relay
    from chalicelib.relay.values import Account

_TYPE, _RECIPIENT, _SWITCH, _CODE = "notificationChannelType", "recipientValue", "isEnabled", "otp"


class _Owner(Protocol):
    """Whose routes are called: the account that the path names by a parameter, signed in."""

    def __call__(self, call: Call, parameter: str = "ensName") -> Account: ...


_Desk = Callable[[], "Notifications"]


def routes(relay: Callable[[], Relay], notify: Callable[[], Notify]) -> Routes:
    """The blueprint of a person's channels."""
    collected = Routes("notifications", wording.reference)

    def account(call: Call, parameter: str = "ensName") -> Account:
        return relay().sessions.authenticate(call.authorization, call.name(parameter), source=call.source)

    def desk() -> Notifications:
        return notify().notifications

    _add_switch(collected, account, desk)
    _add_channels(collected, account, desk)
    _add_codes(collected, account, desk)
    _add_settings(collected, account, desk)
    return collected


def _add_switch(collected: Routes, owner: _Owner, desk: _Desk) -> None:
    @collected.add(
        "GET",
        "/notifications/global/{ensName}",
        "Whether the account wants notifications at all.",
        result="GlobalSwitch",
        signed_in=True,
    )
    def global_switch(call: Call) -> Answer:
        return json_answer({_SWITCH: desk().is_enabled(owner(call))})

    @collected.add(
        "POST",
        "/notifications/global/{ensName}",
        "Turn all of them on or off; off at first.",
        body="GlobalSwitch",
        signed_in=True,
    )
    def set_global_switch(call: Call) -> Answer:
        account = owner(call)
        desk().set_enabled(account, _members(call).get(_SWITCH))
        return _done()


def _add_channels(collected: Routes, owner: _Owner, desk: _Desk) -> None:
    @collected.add(
        "GET",
        "/notifications/{ensName}",
        "The channels of the account; none while all are off.",
        result="NotificationChannels",
        signed_in=True,
    )
    def channels(call: Call) -> Answer:
        return json_answer({"notificationChannels": [_channel(one) for one in desk().channels(owner(call))]})

    @collected.add(
        "POST",
        "/notifications/{ensName}",
        "Add a channel, or replace the one of its kind. A code is sent to it, but not to a browser.",
        body="NewChannel",
        signed_in=True,
    )
    def add(call: Call) -> Answer:
        account, members = owner(call), _members(call)
        desk().add(account, members.get(_TYPE), members.get(_RECIPIENT), source=call.source)
        return _done()

    @collected.add(
        "POST",
        "/notifications/channel/{ensName}",
        "Turn a channel on or off; PUSH in all browsers.",
        body="ChannelSwitch",
        signed_in=True,
    )
    def toggle(call: Call) -> Answer:
        account, members = owner(call), _members(call)
        desk().toggle(account, members.get(_TYPE), members.get(_SWITCH))
        return _done()

    @collected.add(
        "DELETE",
        "/notifications/channel/{ensName}/{second}",
        "Forget a channel: first its type (EMAIL, PUSH or SMS), then the name.",
        result="Removed",
        signed_in=True,
    )
    def remove(call: Call) -> Answer:
        # API Gateway knows one name for a parameter at each level of paths, and the first is taken above.
        account, channel_type = owner(call, "second"), call.name("ensName")
        desk().remove(account, channel_type)
        return json_answer({"message": f"Notification channel {channel_type} has been removed successfully"})


def _add_codes(collected: Routes, owner: _Owner, desk: _Desk) -> None:
    @collected.add(
        "POST",
        "/notifications/otp/{ensName}",
        "Send another code, a minute after the last at the earliest.",
        body="ChannelType",
        signed_in=True,
    )
    def send_code(call: Call) -> Answer:
        account = owner(call)
        desk().send_code(account, _members(call).get(_TYPE), source=call.source)
        return _done()

    @collected.add(
        "POST",
        "/notifications/otp/verify/{ensName}",
        "Prove a channel by the code that was sent to it: ten minutes, five tries, once.",
        body="TriedCode",
        signed_in=True,
    )
    def verify_code(call: Call) -> Answer:
        account, members = owner(call), _members(call)
        desk().verify_code(account, members.get(_TYPE), members.get(_CODE))
        return _done()


def _add_settings(collected: Routes, owner: _Owner, desk: _Desk) -> None:
    @collected.add(
        "GET",
        "/notifications/settings/{ensName}",
        "Quiet hours, and the least time between two notifications of a channel.",
        wording=wording.own,
        result="NotificationSettings",
        signed_in=True,
    )
    def settings(call: Call) -> Answer:
        return json_answer(desk().settings(owner(call)))

    @collected.add(
        "PUT",
        "/notifications/settings/{ensName}",
        "Replace them; a member left out is back at its default.",
        wording=wording.own,
        body="NotificationSettings",
        result="NotificationSettings",
        signed_in=True,
    )
    def set_settings(call: Call) -> Answer:
        account = owner(call)
        return json_answer(desk().set_settings(account, call.json()))


def _members(call: Call) -> JsonObject:
    """The body's members; what is no object has none, as in JavaScript."""
    value = call.json()
    return value if isinstance(value, dict) else {}


def _done() -> Answer:
    return text_answer("OK")


def _channel(channel: WakeUpChannel) -> JsonValue:
    config: JsonObject = {
        _RECIPIENT: channel.recipient,
        _SWITCH: channel.enabled,
        "isVerified": channel.verified,
    }
    return {"type": channel.channel.value.upper(), "config": config}
