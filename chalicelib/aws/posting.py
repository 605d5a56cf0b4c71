"""Posts to open sockets: the management API of API Gateway's WebSockets."""

from __future__ import annotations

from contextlib import suppress
from http import HTTPStatus
from typing import TYPE_CHECKING

from chalicelib.aws.private_requests import http_status, private_request
from chalicelib.notify.ports import Gone
from chalicelib.protocol.errors import TooBig

if TYPE_CHECKING:
    from mypy_boto3_apigatewaymanagementapi import ApiGatewayManagementApiClient

_SERVICE = "apigatewaymanagementapi"


class ApiGatewayPoster:
    """`Poster` on API Gateway. The client's endpoint is the stage of the WebSocket API."""

    def __init__(self, client: ApiGatewayManagementApiClient) -> None:
        self._client = client

    def post(self, connection_id: str, text: str) -> None:
        """See `Poster.post` (one PostToConnection)."""
        with private_request(_SERVICE, _meaning):
            self._client.post_to_connection(ConnectionId=connection_id, Data=text.encode())

    def close(self, connection_id: str) -> None:
        """See `Poster.close` (one DeleteConnection)."""
        with suppress(Gone), private_request(_SERVICE, _meaning):
            self._client.delete_connection(ConnectionId=connection_id)


def _meaning(error: Exception) -> Exception | None:
    # By status: that is GoneException and PayloadTooLargeException, also where a gateway names no code.
    match http_status(error):
        case HTTPStatus.GONE:
            return Gone()
        case HTTPStatus.REQUEST_ENTITY_TOO_LARGE:
            return TooBig("The message is larger than a socket carries.")
        case _:
            return None
