"""Rules in the answers of the relays of a `World`."""

from __future__ import annotations

import json
from typing import Any
from urllib.parse import urlsplit

from chalicelib.client import OwnRules, Request, Response
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


class RuleRoutes:
    """The routes `/rules/…` of every relay, for those who are signed in."""

    def __init__(self) -> None:
        self.documents: dict[str, dict[str, Any]] = {}

    def __call__(self, request: Request) -> Response | None:
        url = urlsplit(request.url)
        host, path = url.hostname or "", url.path.removeprefix("/api")
        if not path.startswith("/rules/"):
            return None
        if not request.headers.get("authorization", "").startswith("Bearer "):
            return Response(401, b"Unauthorized")
        kept = self.documents.setdefault(host, dict(OwnRules().to_json()))
        body = json.loads(request.body or b"{}")
        match request.method, path.count("/"):
            case "PUT", 2:
                kept = self.documents[host] = dict(OwnRules.parse(body).to_json())
            case "POST", 3:
                for name in ("allow", "block"):
                    gone = {*body["remove"], *body["block" if name == "allow" else "allow"]}
                    kept[name] = sorted(({*kept[name]} | {*body[name]}) - gone)
            case "DELETE", 2:
                del self.documents[host]
                return Response(204)
        return Response(200, json.dumps(kept).encode())
