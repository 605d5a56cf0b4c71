"""`/account/{ensName}`: leaving is easy. Export what is stored, delete account and mail."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, empty_answer, json_answer
from chalicelib.api.edge import Call, Routes

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of accounts."""
    collected = Routes("account", wording.own)

    @collected.add(
        "GET",
        "/account/{ensName}/export",
        "Everything stored for the account, with a page of its mail; cursor continues.",
        result="Export",
        signed_in=True,
        query=("cursor",),
    )
    def export(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        return json_answer(relay().accounts.export(account, call.query("cursor")).to_json())

    @collected.add(
        "DELETE",
        "/account/{ensName}",
        "Delete the account with profile, names, rules and mail, at once and for good.",
        status=204,
        signed_in=True,
    )
    def delete(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        relay().accounts.delete(account)
        return empty_answer(204)

    return collected
