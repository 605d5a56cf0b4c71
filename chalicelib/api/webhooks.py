"""`/webhooks/{ensName}`: where an account's owner wants to be told of mail, and how that went.

The documents are checked where they are understood (`notify.webhooks.requests`), in one sentence.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, empty_answer, json_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.errors import InvalidParams

if TYPE_CHECKING:
    from chalicelib.notify.service import Notify
    from chalicelib.relay.service import Relay
    from chalicelib.relay.values import Account

Owner = Callable[[Call], "Account"]

_ALL, _ONE = "/webhooks/{ensName}", "/webhooks/{ensName}/{endpoint}"


def routes(relay: Callable[[], Relay], notify: Callable[[], Notify]) -> Routes:
    """The blueprint of webhooks."""
    collected = Routes("webhooks", wording.own)

    def owner(call: Call) -> Account:
        return relay().sessions.authenticate(call.authorization, call.name(), source=call.source)

    _standing(collected, owner, notify)
    _sent(collected, owner, notify)
    return collected


def _standing(collected: Routes, owner: Owner, notify: Callable[[], Notify]) -> None:
    """The routes about webhooks themselves."""

    @collected.add("GET", _ALL, "The webhooks of the account.", result="Webhooks", signed_in=True)
    def show(call: Call) -> Answer:
        return json_answer({"webhooks": notify().webhooks.list(owner(call))})

    @collected.add(
        "POST",
        _ALL,
        "Add a webhook and challenge it; the secret is told this once.",
        body="NewWebhook",
        result="AddedWebhook",
        status=201,
        signed_in=True,
    )
    def add(call: Call) -> Answer:
        account = owner(call)
        return json_answer(notify().webhooks.add(account, call.json()), 201)

    @collected.add("DELETE", _ONE, "Forget a webhook and its log.", status=204, signed_in=True)
    def remove(call: Call) -> Answer:
        notify().webhooks.remove(owner(call), call.name("endpoint"))
        return empty_answer(204)

    @collected.add(
        "POST",
        _ONE + "/verify",
        "Challenge a webhook again: if it answers, it receives events, whatever it was before.",
        result="Webhook",
        signed_in=True,
    )
    def verify(call: Call) -> Answer:
        return json_answer(notify().webhooks.verify(owner(call), call.name("endpoint")))

    @collected.add(
        "POST",
        _ONE + "/pause",
        "Send no events until the webhook is verified again; what happens meanwhile can be replayed.",
        result="Webhook",
        signed_in=True,
    )
    def pause(call: Call) -> Answer:
        return json_answer(notify().webhooks.pause(owner(call), call.name("endpoint")))

    @collected.add(
        "POST",
        _ONE + "/rotate",
        "A new secret, told this once; the old one signs beside it for 24 hours.",
        result="RotatedWebhook",
        signed_in=True,
    )
    def rotate(call: Call) -> Answer:
        return json_answer(notify().webhooks.rotate(owner(call), call.name("endpoint")))


def _sent(collected: Routes, owner: Owner, notify: Callable[[], Notify]) -> None:
    """The routes about what is sent to them."""

    @collected.add(
        "POST",
        _ONE + "/test",
        "Send a test event now, once, and tell how it went.",
        result="Delivery",
        signed_in=True,
    )
    def test(call: Call) -> Answer:
        return json_answer(notify().webhooks.test(owner(call), call.name("endpoint")))

    @collected.add(
        "GET",
        _ONE + "/log",
        "What was sent to a webhook in the last 30 days and how it went, newest first; cursor continues.",
        result="DeliveryLog",
        signed_in=True,
        query=("cursor", "limit"),
    )
    def log(call: Call) -> Answer:
        limit = _limit(call.query("limit"))
        page = notify().webhooks.log(owner(call), call.name("endpoint"), call.query("cursor"), limit)
        return json_answer(page)

    @collected.add(
        "POST",
        _ONE + "/replay",
        "Send again: one delivery, or all that failed since a time; cursor continues.",
        body="Replay",
        result="Replayed",
        signed_in=True,
    )
    def replay(call: Call) -> Answer:
        account = owner(call)
        return json_answer(notify().webhooks.replay(account, call.name("endpoint"), call.json()))


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidParams("The limit must be a whole number.")
    return int(text)
