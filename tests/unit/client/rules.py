"""Rules in the answers of the relays of a `World`."""

from __future__ import annotations

import json
from urllib.parse import urlsplit

from chalicelib.client import Request, Response
from chalicelib.protocol.crypto import SCHEME
from chalicelib.protocol.extension import ProfileExtension
from chalicelib.protocol.rules import PublicRules
from tests.unit.client.world import Fault


def told(rules: PublicRules, *, host: str | None = None) -> Fault:
    """What `host` (every relay, without it) says of receivers: that these are their rules."""
    extension = ProfileExtension(("NEW",), (SCHEME,), rules)
    body = json.dumps({"jsonrpc": "2.0", "id": None, "result": extension.to_json()}).encode()

    def fault(request: Request) -> Response | None:
        asked = b"dm3_getProfileExtension" in request.body
        return Response(200, body) if asked and host in (None, urlsplit(request.url).hostname) else None

    return fault
