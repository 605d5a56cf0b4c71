"""`/inbox/{ensName}`: the inbox by page, for clients that keep a position; reading needs no acknowledging."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, json_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.errors import InvalidParams

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of the paged inbox."""
    collected = Routes("inbox", wording.own)

    @collected.add(
        "GET",
        "/inbox/{ensName}",
        "A page of the inbox, oldest first; follow=true restarts 60 s early, so that nothing is missed.",
        result="Page",
        signed_in=True,
        query=("cursor", "limit", "follow"),
    )
    def page(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        page = relay().inbox.page(
            account, call.query("cursor"), _limit(call.query("limit")), follow=call.query("follow") == "true"
        )
        return json_answer(
            {
                "messages": [message.to_json() for message in page.messages],
                "cursor": page.cursor,
                "more": page.more,
                "unreadable": page.unreadable,
            }
        )

    @collected.add(
        "POST",
        "/inbox/{ensName}/acknowledgements",
        "Delete messages by their ids, for every device of the account.",
        body="AcknowledgedIds",
        result="Acknowledged",
        signed_in=True,
    )
    def acknowledge(call: Call) -> Answer:
        from chalicelib.api.models import AcknowledgedIds

        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        ids = call.read(AcknowledgedIds).ids
        return json_answer({"acknowledged": relay().inbox.acknowledge(account, ids)})

    return collected


def _limit(text: str | None) -> int | None:
    if text is None:
        return None
    if not (text.isascii() and text.isdigit() and len(text) <= 6):
        raise InvalidParams("The limit must be a whole number.")
    return int(text)
