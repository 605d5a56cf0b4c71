"""`/rules/{ensName}`: whom an account accepts, read and written by its owner.

The relay checks the documents itself: what is wrong in one is told in one sentence, not by a model.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, empty_answer, json_answer
from chalicelib.api.edge import Call, Routes

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay
    from chalicelib.relay.values import Account


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of rules."""
    collected = Routes("rules", wording.own)

    def owner(call: Call) -> Account:
        return relay().sessions.authenticate(call.authorization, call.name(), source=call.source)

    @collected.add(
        "GET", "/rules/{ensName}", "The rules of the account, lists included.", result="Rules", signed_in=True
    )
    def show(call: Call) -> Answer:
        return json_answer(relay().rules.get(owner(call)).to_json())

    @collected.add(
        "PUT",
        "/rules/{ensName}",
        "Replace all rules of the account; a member left out is back at its default.",
        body="Rules",
        result="Rules",
        signed_in=True,
    )
    def replace(call: Call) -> Answer:
        account = owner(call)
        return json_answer(relay().rules.replace(account, call.json()).to_json())

    @collected.add(
        "POST",
        "/rules/{ensName}/lists",
        "Put entries on the lists and take entries off; what goes on one list leaves the other.",
        body="ListChanges",
        result="Rules",
        signed_in=True,
    )
    def edit_lists(call: Call) -> Answer:
        account = owner(call)
        return json_answer(relay().rules.edit_lists(account, call.json()).to_json())

    @collected.add(
        "DELETE",
        "/rules/{ensName}",
        "Back to accepting everybody.",
        status=204,
        signed_in=True,
    )
    def clear(call: Call) -> Answer:
        relay().rules.clear(owner(call))
        return empty_answer(204)

    return collected
