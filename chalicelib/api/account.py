"""`/account/{ensName}`: how it stands, what is stored for it, and leaving: account and mail are deleted."""

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
        "/account/{ensName}",
        "How the account stands: its keys, and whether ENS lists this relay under the name.",
        result="AccountStatus",
        signed_in=True,
    )
    def status(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        return json_answer(relay().accounts.status(account, source=call.source).to_json())

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
