"""The management API of the laptop's WebSockets, in the form of botocore's "apigatewaymanagementapi" client.

It raises botocore's own exceptions with AWS's codes, so what works here is what catches them on AWS.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from typing import Any

from botocore.errorfactory import ClientExceptionsFactory
from botocore.session import Session

from infra.local.connection import BufferFull, Connection, NotOpen
from infra.local.sockets import SocketGateway

SERVICE = "apigatewaymanagementapi"

_STATUS = {"GoneException": 410, "PayloadTooLargeException": 413, "LimitExceededException": 429}


class ManagementClient:
    """Posts to the connections of `gateway`. May be called from any thread.

    `exceptions` are the classes that a real client has. A connection is gone (GoneException) until its
    `$connect` has been answered, and after its end. LimitExceededException: the client does not read what it
    was sent before.
    """

    def __init__(self, gateway: SocketGateway) -> None:
        self._gateway = gateway
        model = Session().get_service_model(SERVICE)
        self.exceptions: Any = ClientExceptionsFactory().create_client_exceptions(model)

    def post_to_connection(self, *, ConnectionId: str, Data: bytes | str) -> dict[str, Any]:  # noqa: N803
        """Send one message of text."""
        content = Data.encode() if isinstance(Data, str) else bytes(Data)
        if len(content) > self._gateway.limits.message_bytes:
            raise self._error("PayloadTooLargeException", "PostToConnection")
        try:
            self._gateway.connection(ConnectionId).post(content)
        except NotOpen:
            raise self._error("GoneException", "PostToConnection") from None
        except BufferFull:
            raise self._error("LimitExceededException", "PostToConnection") from None
        return _answer(200)

    def delete_connection(self, *, ConnectionId: str) -> dict[str, Any]:  # noqa: N803
        """Close the connection."""
        try:
            self._gateway.connection(ConnectionId).close()
        except NotOpen:
            raise self._error("GoneException", "DeleteConnection") from None
        return _answer(204)

    def get_connection(self, *, ConnectionId: str) -> dict[str, Any]:  # noqa: N803
        """`{ConnectedAt, Identity, LastActiveAt}`."""
        try:
            connection = self._gateway.connection(ConnectionId)
            connection.look()
        except NotOpen:
            raise self._error("GoneException", "GetConnection") from None
        return {**_answer(200), **_described(connection)}

    def _error(self, code: str, operation: str) -> Exception:
        response = {
            "Error": {"Code": code, "Message": ""},
            "ResponseMetadata": {"HTTPStatusCode": _STATUS[code], "RetryAttempts": 0},
        }
        kind: Callable[..., Exception] = self.exceptions.from_code(code)
        return kind(response, operation)


def _answer(status: int) -> dict[str, Any]:
    return {"ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0}}


def _described(connection: Connection) -> dict[str, Any]:
    handshake = connection.handshake
    return {
        "ConnectedAt": datetime.fromtimestamp(handshake.connected_at_ms / 1000, UTC),
        "Identity": {"SourceIp": handshake.source, "UserAgent": handshake.identity["userAgent"] or ""},
        "LastActiveAt": datetime.now(UTC) - timedelta(seconds=connection.idle_s),
    }
