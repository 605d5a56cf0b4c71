from __future__ import annotations

import json

import pytest

from chalicelib.client import MemoryTransport, Patience, Response
from chalicelib.client.rest import Rest
from chalicelib.protocol.errors import LimitExceeded, SignInRequired, Unavailable


def test_a_request_carries_path_query_token_and_body() -> None:
    transport = MemoryTransport(lambda _: Response(200, b'{"a": 1}'))
    rest = Rest("https://relay.example/api", transport, Patience(attempts=1))
    answer = rest.request("POST", "/x%2Fy", body={"b": 2}, token="t", cursor="c d", limit=None)
    assert answer == {"a": 1}
    (request,) = transport.requests
    assert (request.method, request.url) == ("POST", "https://relay.example/api/x%2Fy?cursor=c+d")
    assert request.headers == {"content-type": "application/json", "authorization": "Bearer t"}
    assert json.loads(request.body) == {"b": 2}


def test_no_body_is_no_answer() -> None:
    assert Rest("", MemoryTransport(lambda _: Response(204)), Patience()).request("GET", "/") is None


def test_the_reference_s_word_for_done_is_no_answer_either() -> None:
    assert Rest("", MemoryTransport(lambda _: Response(200, b"OK")), Patience()).request("POST", "/") is None


@pytest.mark.parametrize(
    ("response", "error"),
    [
        (Response(200, b"<html>"), Unavailable),
        (Response(200, b"[" * 1_000), Unavailable),
        (Response(401), SignInRequired),
        (Response(429), LimitExceeded),
    ],
)
def test_what_is_refused_or_not_json(response: Response, error: type[Exception]) -> None:
    with pytest.raises(error):
        Rest("", MemoryTransport(lambda _: response), Patience(attempts=1)).request("GET", "/")
