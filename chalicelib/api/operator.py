"""`/operator/rules`: what the operator decides while the relay runs, without a deployment."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, json_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.errors import InvalidInput

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of the operator. Its routes do not exist at a relay that knows no operator's token."""
    collected = Routes("operator", wording.own)

    @collected.add(
        "GET",
        "/operator/rules",
        "The operator's rules: block list, minimum version, limits of sources.",
        result="OperatorRules",
        operator=True,
    )
    def show(call: Call) -> Answer:
        relay().operator.authenticate(call.authorization, source=call.source)
        return json_answer(relay().operator.rules())

    @collected.add(
        "PUT",
        "/operator/rules",
        "Replace the operator's rules; in force at once here, and everywhere within 30 s.",
        body="OperatorRules",
        result="OperatorRules",
        operator=True,
    )
    def change(call: Call) -> Answer:
        from chalicelib.api.models import OperatorRules

        relay().operator.authenticate(call.authorization, source=call.source)
        document = call.json()
        OperatorRules.check(document, error=InvalidInput)
        return json_answer(relay().operator.set_rules(document))

    return collected
