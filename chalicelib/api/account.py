"""`/account/{ensName}`: how it stands, what is stored for it, and leaving: account and mail are deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, empty_answer, json_answer
from chalicelib.api.edge import Call, Routes

if TYPE_CHECKING:
    from chalicelib.notify.service import Notify
    from chalicelib.relay.service import Relay


def routes(relay: Callable[[], Relay], notify: Callable[[], Notify]) -> Routes:
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
        exported = relay().accounts.export(account, call.query("cursor")).to_json()
        return json_answer({**exported, **notify().export(account)})

    @collected.add(
        "DELETE",
        "/account/{ensName}",
        "Delete the account with profile, names, rules, channels, webhooks and mail, at once and for good.",
        status=204,
        signed_in=True,
    )
    def delete(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        # The account goes last, so that an owner whose deletion was cut short can sign in and repeat it. A
        # socket that has signed in meanwhile is closed after that: then it cannot do so again.
        notify().forget(account)
        relay().accounts.delete(account)
        notify().forget(account)
        return empty_answer(204)

    return collected
