"""`/profile/{ensName}`: the wallet-signed profile of an account.

The reference answers a posted profile with a session token. Signed profiles are public, so whoever reads one
could post it and take the account over: here the JSON string in the answer opens nothing, and clients of the
reference, answered 401, sign in by challenge by themselves.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from chalicelib.api import wording
from chalicelib.api.answers import Answer, json_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.protocol.errors import InvalidInput, InvalidProfile

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay

NO_SESSION = "stored-now-sign-in-by-challenge"
"""The answer to a posted profile. Clients send it as a token, so it has no spaces."""


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of profiles."""
    collected = Routes("profile", wording.reference)

    @collected.add(
        "GET", "/profile/{ensName}", "The signed profile of a name.", result="SignedProfile", fetched=True
    )
    def show(call: Call) -> Answer:
        # Records may link to the profile that stands here, and then it is the name's reading that asks.
        profile = relay().accounts.profile(call.name(), source=call.source, known_only=call.by_fetcher)
        return json_answer(profile.to_json())

    @collected.add(
        "POST",
        "/profile/{ensName}",
        "Register a name with its signed profile, or replace the profile. The answer is no session token.",
        wording=wording.profile,
        body="SignedProfile",
        result="Text",
    )
    def register(call: Call) -> Answer:
        from chalicelib.api.models import SignedProfile

        profile = call.json()
        try:
            SignedProfile.check(profile, error=InvalidInput)
        except InvalidInput:
            raise InvalidProfile("invalid schema") from None
        relay().accounts.register(call.name(), profile, source=call.source)
        return json_answer(NO_SESSION)

    return collected
