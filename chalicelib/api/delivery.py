"""`/delivery/…`: the inbox as the reference's client fetches and acknowledges it.

The listing cannot page; when there is more than an answer carries, a `Link` header (RFC 8288) names where the
rest is, and repeated fetches reach all of it. Clients that can page use `api.inbox`.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING
from urllib.parse import quote

from chalicelib.api.answers import Answer, empty_answer, json_answer
from chalicelib.api.edge import Call, Routes
from chalicelib.api.wording import reference

if TYPE_CHECKING:
    from chalicelib.relay.service import Relay
    from chalicelib.relay.values import Listing


def routes(relay: Callable[[], Relay]) -> Routes:
    """The blueprint of the reference's inbox."""
    collected = Routes("delivery", reference)

    @collected.add(
        "GET",
        "/delivery/messages/incoming/{ensName}",
        "Every stored envelope, as many as an answer carries.",
        result="Envelopes",
        signed_in=True,
    )
    def incoming(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        return _listed(relay().inbox.incoming(account), f"{call.base}/inbox/{quote(call.name(), safe='')}")

    @collected.add(
        "GET",
        "/delivery/messages/{ensName}/contact/{contact}",
        "The stored envelopes from one contact, oldest first.",
        result="Envelopes",
        signed_in=True,
        query=("cursor",),
    )
    def conversation(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        listing = relay().inbox.conversation(account, call.name("contact"), call.query("cursor"))
        name, contact = quote(call.name(), safe=""), quote(call.name("contact"), safe="")
        return _listed(listing, f"{call.base}/delivery/messages/{name}/contact/{contact}")

    @collected.add(
        "POST",
        "/delivery/messages/{ensName}/syncAcknowledgements",
        "Delete messages by contact and message hash; wrong and incomplete entries are skipped.",
        body="Acknowledgements",
        signed_in=True,
    )
    def acknowledge(call: Call) -> Answer:
        account = relay().sessions.authenticate(call.authorization, call.name(), source=call.source)
        from chalicelib.api.models import Acknowledgements

        entries = call.read(Acknowledgements).acknowledgements
        # Clients send every entry once for each conversation: what is equal is sent on once.
        pairs = dict.fromkeys(pair for entry in entries if (pair := entry.pair()) is not None)
        relay().inbox.acknowledge_pairs(account, list(pairs))
        return empty_answer(200)

    return collected


def _listed(listing: Listing, rest: str) -> Answer:
    """The envelopes, and where the rest is to be had."""
    headers = {}
    if listing.next_cursor is not None:
        headers["Link"] = f'<{rest}?cursor={quote(listing.next_cursor, safe="")}>; rel="next"'
    return json_answer(listing.envelopes, headers=headers)
