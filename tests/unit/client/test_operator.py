from __future__ import annotations

import json

import pytest

from chalicelib.client import MemoryTransport, Patience, Response
from chalicelib.client.operator import Operator
from chalicelib.protocol.errors import InvalidInput, NotFound, Unauthorized, Unavailable
from chalicelib.protocol.json_types import JsonObject

DOCUMENT: JsonObject = {"block": ["mallory.eth"], "minimumVersion": "v1", "limits": {}}


def asked(response: Response) -> tuple[Operator, MemoryTransport]:
    transport = MemoryTransport(lambda _: response)
    return Operator(
        "https://relay.example/api/", "token", transport, patience=Patience(attempts=1)
    ), transport


def test_reading_and_replacing() -> None:
    operator, transport = asked(Response(200, json.dumps(DOCUMENT).encode()))
    assert operator.rules() == DOCUMENT
    assert operator.set_rules(DOCUMENT) == DOCUMENT
    for request in transport.requests:
        assert request.url == "https://relay.example/api/operator/rules"
        assert request.headers["authorization"] == "Bearer token"
    assert [request.method for request in transport.requests] == ["GET", "PUT"]
    assert json.loads(transport.requests[1].body) == DOCUMENT


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(401, b'{"error":"Sign in first.","code":-32003}'), Unauthorized),
        (Response(403, b'{"error":"No.","code":-32003}'), Unauthorized),
        (Response(404, b"Not Found"), NotFound),
        (Response(400, b'{"error":"No.","code":-32000}'), InvalidInput),
        (Response(200, b"[]"), Unavailable),
        (Response(200, b""), Unavailable),
        (Response(503, b""), Unavailable),
    ],
)
def test_what_a_relay_refuses(response: Response, error: type[Exception]) -> None:
    operator, _ = asked(response)
    with pytest.raises(error):
        operator.set_rules(DOCUMENT)


@pytest.mark.parametrize("token", ["", "a\nb: c", "t\u00f6ken"])
def test_a_token_that_cannot_be_a_header_is_refused(token: str) -> None:
    with pytest.raises(InvalidInput):
        Operator("https://relay.example", token, MemoryTransport(lambda _: Response(200)))
