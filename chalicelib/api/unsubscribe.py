"""`/unsubscribe/{token}`: the links in e-mails that end them, for people and for mail programs."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import unsubscribe_page
from chalicelib.api.answers import Answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.errors import InvalidName, NotFound

if TYPE_CHECKING:
    from chalicelib.notify.service import Notify


def routes(notify: Callable[[], Notify]) -> Routes:
    """The blueprint of the links. They need no session: whoever has the e-mail has the link."""
    collected = Routes("unsubscribe", unsubscribe_page.refusal)

    @collected.add(
        "GET",
        "/unsubscribe/{token}",
        "A page with a button that turns off the channel that the link names.",
    )
    def ask_before_unsubscribing(_call: Call) -> Answer:
        # Mail programs and scanners follow links by themselves: that must turn nothing off.
        return unsubscribe_page.question()

    @collected.add(
        "POST",
        "/unsubscribe/{token}",
        "Turn off the channel that the link names (RFC 8058, one click).",
    )
    def unsubscribe(call: Call) -> Answer:
        try:
            token = call.name("token")
        except InvalidName:
            raise NotFound from None
        notify().notifications.unsubscribe(token)
        return unsubscribe_page.done()

    return collected
