"""`/auth/{ensName}`: a challenge, a session token for its signature, and signing out everywhere."""

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
    """The blueprint of sessions."""
    collected = Routes("auth", wording.reference)

    @collected.add("GET", "/auth/{ensName}", "A challenge to be signed by the profile key.", result="Text")
    def challenge(call: Call) -> Answer:
        return json_answer(relay().sessions.challenge(call.name(), source=call.source))

    @collected.add(
        "POST",
        "/auth/{ensName}",
        "A session token for a signed challenge.",
        wording=wording.sign_in,
        body="SignIn",
        result="Text",
    )
    def sign_in(call: Call) -> Answer:
        from chalicelib.api.models import SignIn

        signed = call.read(SignIn)
        token = relay().sessions.sign_in(call.name(), signed.challenge, signed.signature, source=call.source)
        return json_answer(token)

    @collected.add(
        "POST",
        "/auth/{ensName}/sign-out-everywhere",
        "Revoke every session token of the account, and close its sockets.",
        wording=wording.own,
        status=204,
        signed_in=True,
    )
    def sign_out_everywhere(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        relay().sessions.sign_out_everywhere(account)
        notify().close_sockets(account)  # after that, so that none signs in again
        return empty_answer(204)

    return collected
