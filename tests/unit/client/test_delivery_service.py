"""What a delivery service may answer, and what of it is believed."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.patience import Patience
from chalicelib.client.transport import MemoryTransport, Request, Response
from chalicelib.protocol.errors import Dm3Error, MethodNotSupported, NotFound, TooBig, Unavailable
from chalicelib.protocol.profile import DeliveryServiceProfile


def service(response: Response) -> DeliveryService:
    return asked(response)[0]


def asked(response: Response) -> tuple[DeliveryService, list[Request]]:
    transport = MemoryTransport(lambda _request: response)
    profile = DeliveryServiceProfile("e", "s", "https://relay.example/api/")
    return DeliveryService("relay.eth", profile, transport, Patience(attempts=1)), transport.requests


def result(value: object) -> Response:
    return Response(200, json.dumps({"jsonrpc": "2.0", "result": value}).encode())


def test_requests_are_json_rpc_with_an_id() -> None:
    called, requests = asked(result({"messageTTL": 30, "sizeLimit": 5}))
    properties = called.properties()
    assert (properties.message_ttl_days, properties.size_limit_bytes) == (30, 5)
    (request,) = requests
    assert (request.method, request.url) == ("POST", "https://relay.example/api/rpc")
    body = json.loads(request.body)
    assert body["jsonrpc"] == "2.0"
    assert body["id"]
    assert (body["method"], body["params"]) == ("dm3_getDeliveryServiceProperties", [])


def test_results_of_the_reference_are_json_text() -> None:
    assert service(result('{"messageTTL":7,"sizeLimit":9}')).properties().size_limit_bytes == 9
    extension = service(result('{"notSupportedMessageTypes":["EDIT"]}')).extension("bob.eth")
    assert not extension.supports("EDIT")
    assert extension.supports("REPLY")


def test_ok_of_the_reference_is_acceptance_without_a_receipt() -> None:
    assert service(Response(200, b"OK")).submit({}).receipt is None


@pytest.mark.parametrize(
    "response",
    [
        Response(200, b""),
        Response(200, b"<html>"),
        Response(200, b"5"),
        Response(200, b"{}"),
        Response(200, b'{"jsonrpc":"2.0","id":"another","result":"OK"}'),
        result(None),
        result(5),
        result({"messageId": 1}),
        Response(500, b"\xff"),
    ],
)
def test_nonsense_is_no_acceptance(response: Response) -> None:
    with pytest.raises(Unavailable):
        service(response).submit({})


@pytest.mark.parametrize(
    ("status", "kind"), [(405, MethodNotSupported), (413, TooBig), (404, NotFound), (502, Unavailable)]
)
def test_without_json_the_status_speaks(status: int, kind: type[Dm3Error]) -> None:
    with pytest.raises(kind):
        service(Response(status, b"no JSON")).submit({})


def test_names_in_paths_are_encoded() -> None:
    assert path("inbox", "ü/../x.eth") == "/inbox/%C3%BC%2F..%2Fx.eth"


def test_a_token_goes_where_it_belongs_and_is_not_shown() -> None:
    called, requests = asked(Response(200, b"[]"))
    called.request("GET", path("inbox", "bob.eth"), token="secret", cursor="a&b", limit=None)
    (request,) = requests
    assert request.headers["authorization"] == "Bearer secret"
    assert request.url == "https://relay.example/api/inbox/bob.eth?cursor=a%26b"
    assert "secret" not in repr(request)


def test_an_empty_answer_is_none() -> None:
    assert service(Response(204)).request("DELETE", "/account/bob.eth") is None


@settings(deadline=None, max_examples=150)
@given(
    st.binary(max_size=60)
    | st.builds(
        lambda value: json.dumps(value).encode(),
        st.dictionaries(
            st.sampled_from(["jsonrpc", "result", "error", "id"]),
            st.none()
            | st.text(max_size=4)
            | st.integers()
            | st.dictionaries(st.sampled_from(["code", "message"]), st.integers()),
        ),
    ),
    st.sampled_from([200, 400, 401, 404, 429, 500, 503]),
)
def test_any_answer_is_a_result_or_an_error_of_ours(body: bytes, status: int) -> None:
    called = service(Response(status, body))
    calls: list[Callable[[], object]] = [
        lambda: called.submit({}),
        called.properties,
        lambda: called.extension("bob.eth"),
    ]
    for call in calls:
        try:
            call()
        except Dm3Error:
            continue
