"""The Lambda events of a WebSocket API: what API Gateway hands to `$connect`, `$default` and `$disconnect`.

Source: AWS documentation, "Set up a WebSocket API integration request in API Gateway", and the events that
Lambda functions log. The path of the handshake is in none of them.
"""

from __future__ import annotations

import base64
import time
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qsl

API_ID = "local"
STAGE = "local"


@dataclass(frozen=True, slots=True)
class Handshake:
    """What is known of a connection from its beginning. Times are milliseconds since the Unix epoch."""

    connection_id: str
    source: str
    domain_name: str
    headers: Mapping[str, list[str]] = field(repr=False)
    query: Mapping[str, list[str]] = field(repr=False)
    connected_at_ms: int

    @classmethod
    def of(cls, connection_id: str, scope: Mapping[str, Any]) -> Handshake:
        """The handshake of an ASGI scope of type "websocket"."""
        headers: dict[str, list[str]] = {}
        for name, value in scope["headers"]:
            headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
        query: dict[str, list[str]] = {}
        for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
            query.setdefault(name, []).append(value)
        hosts = [values[-1] for name, values in headers.items() if name.lower() == "host"]
        return cls(
            connection_id=connection_id,
            source=(scope.get("client") or ("127.0.0.1", 0))[0],
            domain_name=(hosts or ["localhost"])[0].rpartition(":")[0] or "localhost",
            headers=headers,
            query=query,
            connected_at_ms=_now_ms(),
        )

    def connect_event(self) -> dict[str, Any]:
        """The event of `$connect`."""
        return {
            "headers": {name: values[-1] for name, values in self.headers.items()},
            "multiValueHeaders": dict(self.headers),
            "queryStringParameters": {name: values[-1] for name, values in self.query.items()} or None,
            "multiValueQueryStringParameters": dict(self.query) or None,
            "requestContext": self._context("$connect", "CONNECT"),
            "isBase64Encoded": False,
        }

    def message_event(self, content: str | bytes) -> dict[str, Any]:
        """The event of `$default`: a message of text, or a binary one in base64."""
        is_binary = isinstance(content, bytes)
        return {
            "requestContext": {
                **self._context("$default", "MESSAGE"),
                "messageId": base64.b64encode(uuid.uuid4().bytes[:11]).decode(),
            },
            "body": base64.b64encode(content).decode() if isinstance(content, bytes) else content,
            "isBase64Encoded": is_binary,
        }

    def disconnect_event(self, code: int, reason: str) -> dict[str, Any]:
        """The event of `$disconnect`, with the code by which the connection was closed."""
        return {
            "headers": {"Host": self.domain_name},
            "multiValueHeaders": {"Host": [self.domain_name]},
            "requestContext": {
                **self._context("$disconnect", "DISCONNECT"),
                "disconnectStatusCode": code,
                "disconnectReason": reason,
            },
            "isBase64Encoded": False,
        }

    @property
    def identity(self) -> dict[str, Any]:
        """Who opened the connection, as the gateway tells it."""
        agents = [values[-1] for name, values in self.headers.items() if name.lower() == "user-agent"]
        return {"sourceIp": self.source, "userAgent": agents[-1] if agents else None}

    def _context(self, route: str, kind: str) -> dict[str, Any]:
        return {
            "routeKey": route,
            "eventType": kind,
            "messageDirection": "IN",
            "connectionId": self.connection_id,
            "connectedAt": self.connected_at_ms,
            "requestTimeEpoch": _now_ms(),
            "requestId": str(uuid.uuid4()),
            "domainName": self.domain_name,
            "stage": STAGE,
            "apiId": API_ID,
            "identity": self.identity,
        }


def _now_ms() -> int:
    return time.time_ns() // 1_000_000
