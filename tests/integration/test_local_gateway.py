"""The laptop's API Gateway: the events it sends, what it answers by itself, and several requests at once."""

from __future__ import annotations

import base64
import http.client
import json
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from threading import Barrier
from typing import Any
from urllib.parse import urlsplit

import pytest
import yaml
from chalice.app import Blueprint, Chalice, CORSConfig, Request, Response
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.answers import Answer, json_answer
from chalicelib.api.edge import CORS, Call, Routes, middleware
from infra.local.gateway import GATEWAY_LIMIT_BYTES, LAMBDA_LIMIT_BYTES, Gateway, Match, match
from infra.local.server import LoopbackServer

ROOT = Path(__file__).resolve().parents[2]
TOGETHER = 8


def echo_application() -> Chalice:
    app = Chalice("echo", configure_logs=False)
    app.api.cors = CORSConfig(allow_origin="*", max_age=60)
    blueprint = Blueprint("echo")

    def echo(**_parameters: str) -> Response:
        request: Request = blueprint.current_request
        return Response(json.dumps(request.to_original_event()), {"X-Many": ["1", "2"], "X-One": "1"}, 201)

    def large(size: str) -> str:
        return "a" * int(size)

    for path in ("/hello", "/auth/{ensName}", "/delivery/messages/incoming/{ensName}"):
        blueprint.route(path, methods=["GET", "POST"], content_types=[], name="echo")(echo)
    blueprint.route("/delivery/messages/{ensName}/contact/{contact}", content_types=[], name="echo")(echo)
    blueprint.route("/large/{size}", name="large")(large)
    app.register_blueprint(blueprint)
    return app


@pytest.fixture(scope="module")
def url() -> Iterator[str]:
    gateway = Gateway(echo_application())
    with LoopbackServer() as server:
        server.start(gateway)
        yield server.url
    gateway.close()


def ask(
    url: str, method: str, path: str, body: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[http.client.HTTPResponse, bytes]:
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=30)
    try:
        connection.request(method, path, body, headers or {})
        response = connection.getresponse()
        return response, response.read()
    finally:
        connection.close()


def event_of(url: str, *request: Any, **more: Any) -> dict[str, Any]:  # noqa: ANN401
    response, body = ask(url, *request, **more)
    assert response.status == 201
    event: dict[str, Any] = json.loads(body)
    return event


def test_the_event_is_the_one_lambda_gets(url: str) -> None:
    event = event_of(url, "POST", "/auth/b%C3%B6b.eth?a=1&a=2&b=&c=%20x", b'{"a": "\xc3\xb6"}', {"X-A": "1"})
    assert event["resource"] == event["requestContext"]["resourcePath"] == "/auth/{ensName}"
    assert event["path"] == event["requestContext"]["path"] == "/auth/b%C3%B6b.eth"
    assert event["httpMethod"] == event["requestContext"]["httpMethod"] == "POST"
    assert event["pathParameters"] == {"ensName": "b%C3%B6b.eth"}
    assert event["queryStringParameters"] == {"a": "2", "b": "", "c": " x"}
    assert event["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": [""], "c": [" x"]}
    assert (event["headers"]["x-a"], event["multiValueHeaders"]["x-a"]) == ("1", ["1"])
    assert (event["body"], event["isBase64Encoded"]) == ('{"a": "ö"}', False)
    assert event["requestContext"]["identity"]["sourceIp"] == "127.0.0.1"
    assert event["requestContext"]["requestId"]


def test_what_is_not_there_is_null(url: str) -> None:
    event = event_of(url, "GET", "/hello")
    absent = (
        "pathParameters",
        "queryStringParameters",
        "multiValueQueryStringParameters",
        "body",
        "stageVariables",
    )
    assert {name: event[name] for name in absent} == dict.fromkeys(absent)


def test_repeated_headers_are_all_there_and_the_last_is_the_one(url: str) -> None:
    connection = http.client.HTTPConnection(urlsplit(url).netloc)
    connection.putrequest("GET", "/hello")
    connection.putheader("X-A", "1")
    connection.putheader("X-A", "2")
    connection.endheaders()
    event = json.loads(connection.getresponse().read())
    connection.close()
    assert (event["headers"]["x-a"], event["multiValueHeaders"]["x-a"]) == ("2", ["1", "2"])


def test_a_binary_body_comes_in_base64(url: str) -> None:
    event = event_of(url, "POST", "/hello", b"\x00\xff", {"Content-Type": "application/octet-stream; a=b"})
    assert (base64.b64decode(event["body"]), event["isBase64Encoded"]) == (b"\x00\xff", True)


def test_a_text_that_is_none_arrives_damaged_but_arrives(url: str) -> None:
    assert event_of(url, "POST", "/hello", b"\xff", {"Content-Type": "text/plain"})["body"] == "\ufffd"


def test_headers_of_the_answer_go_out(url: str) -> None:
    response, _ = ask(url, "GET", "/hello")
    assert response.headers.get_all("X-Many") == ["1", "2"]
    assert response.headers["X-One"] == "1"
    assert response.headers["x-amzn-RequestId"]


@pytest.mark.parametrize(
    ("path", "resource"),
    [
        ("/hello", "/hello"),
        ("/hello/", "/hello"),
        ("/auth/a/", "/auth/{ensName}"),
        ("/delivery/messages/incoming/a", "/delivery/messages/incoming/{ensName}"),
        ("/delivery/messages/incoming/a/", "/delivery/messages/incoming/{ensName}"),
        ("/delivery/messages/a/contact/b", "/delivery/messages/{ensName}/contact/{contact}"),
    ],
)
def test_a_path_leads_to_its_resource(url: str, path: str, resource: str) -> None:
    assert event_of(url, "GET", path)["resource"] == resource


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/"),
        ("GET", "/nowhere"),
        ("GET", "/auth"),
        ("GET", "/auth/"),
        ("GET", "/auth/a/b"),
        ("PUT", "/hello"),
        ("HEAD", "/hello"),
        ("OPTIONS", "/nowhere"),
        ("GET", "/delivery/messages/a/nothing/b"),
    ],
)
def test_what_is_not_there_is_answered_by_the_gateway(url: str, method: str, path: str) -> None:
    response, body = ask(url, method, path)
    assert (response.status, response.headers["Access-Control-Allow-Origin"]) == (404, "*")
    assert body == (b"" if method == "HEAD" else b'{"error":"Not found"}')


def test_preflight_is_what_chalice_packages(url: str) -> None:
    response, body = ask(url, "OPTIONS", "/hello")
    assert (response.status, body) == (200, b"")
    assert response.headers["Access-Control-Allow-Methods"] == "GET,POST,OPTIONS"
    assert response.headers["Access-Control-Allow-Origin"] == "*"
    assert response.headers["Access-Control-Max-Age"] == "60"


@pytest.mark.parametrize(
    "size_bytes", [LAMBDA_LIMIT_BYTES, GATEWAY_LIMIT_BYTES + 1], ids=["Lambda", "gateway"]
)
def test_a_body_too_large_is_refused_by_the_gateway(url: str, size_bytes: int) -> None:
    response, body = ask(url, "POST", "/hello", b"a" * size_bytes)
    assert (response.status, body) == (413, b'{"error":"Request Too Long"}')
    assert response.headers["Access-Control-Allow-Origin"] == "*"


def test_an_answer_larger_than_lambda_carries_is_an_error_of_the_gateway(url: str) -> None:
    assert ask(url, "GET", "/large/6000000")[0].status == 200
    assert ask(url, "GET", f"/large/{LAMBDA_LIMIT_BYTES}")[0].status == 502


class _Template(yaml.SafeLoader):
    """Reads a CloudFormation template; its functions (`!Ref` and the like) are of no interest here."""


_Template.add_multi_constructor("!", lambda *_: None)


def test_the_gateways_own_words_are_those_of_the_template(url: str) -> None:
    template = yaml.load((ROOT / "infra/template/api.yaml").read_text(), _Template)  # noqa: S506 - a safe one
    responses = template["Resources"]["RestAPI"]["Properties"]["GatewayResponses"]
    missing = responses["MISSING_AUTHENTICATION_TOKEN"]
    response, body = ask(url, "GET", "/nowhere")
    assert response.status == missing["StatusCode"]
    assert body.decode() == missing["ResponseTemplates"]["application/json"]
    # $context.error.messageString is the message in quotes.
    other = responses["DEFAULT_4XX"]["ResponseTemplates"]["application/json"]
    assert (
        other.replace("$context.error.messageString", '"Request Too Long"') == '{"error":"Request Too Long"}'
    )
    for words in responses.values():
        assert words["ResponseParameters"]["Headers"]["Access-Control-Allow-Origin"] == "'*'"


def test_requests_answered_at_the_same_time_do_not_mix() -> None:
    """Every request waits until all have begun, and then answers with what it sees as its own.

    They meet before the view is called, when Chalice has already noted every one of them as "the current".
    """
    meeting = Barrier(TOGETHER, timeout=30)
    app = Chalice("meeting", configure_logs=False)
    app.api.cors = CORS
    app.register_middleware(middleware(), "http")

    def meet(request: Request, get_response: Callable[[Request], Response]) -> Response:
        meeting.wait()
        return get_response(request)

    app.register_middleware(meet, "http")
    routes = Routes("meeting")

    @routes.add("POST", "/meet/{ensName}", "")
    def tell(call: Call) -> Answer:
        return json_answer([call.name(), call.query("q"), call.authorization, call.body.decode()])

    app.register_blueprint(routes.blueprint)
    gateway = Gateway(app)

    def one(number: int) -> bool:
        mine = [f"n{number}", f"q{number}", f"a{number}", f"b{number}"]
        name, query, token, body = mine
        response, answer = ask(
            server.url, "POST", f"/meet/{name}?q={query}", body.encode(), {"Authorization": token}
        )
        return response.status == 200 and json.loads(answer) == mine

    with LoopbackServer() as server, ThreadPoolExecutor(TOGETHER) as people:
        server.start(gateway)
        assert all(people.map(one, range(TOGETHER * 4)))
    gateway.close()


RESOURCES = frozenset({"/", "/a", "/a/{x}", "/a/b", "/a/b/{y}", "/a/{x}/c", "/{z}/b"})


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/", Match("/", {})),
        ("/a", Match("/a", {})),
        ("/a/b", Match("/a/b", {})),
        ("/a/q", Match("/a/{x}", {"x": "q"})),
        ("/q/b", Match("/{z}/b", {"z": "q"})),
        ("/a/b/c", Match("/a/b/{y}", {"y": "c"})),
        ("/a/q/c", Match("/a/{x}/c", {"x": "q"})),
        ("/q", None),
        ("/a//c", None),
    ],
)
def test_a_literal_segment_wins_over_a_parameter(path: str, expected: Match | None) -> None:
    assert match(RESOURCES, path) == expected


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=30))
def test_any_path_leads_somewhere_or_nowhere(path: str) -> None:
    found = match(RESOURCES, path)
    assert found is None or found.resource in RESOURCES
