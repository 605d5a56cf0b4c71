from __future__ import annotations

import base64
import json
import logging
from collections.abc import Iterator
from typing import Any

import pytest
from chalice.app import Chalice

from chalicelib.api import logs
from chalicelib.api.answers import Answer, json_answer
from chalicelib.api.edge import BODY_LIMIT_BYTES, CORS, Call, Routes, middleware
from chalicelib.api.models import SignIn
from chalicelib.protocol.errors import LimitExceeded, Spam, Unavailable


def event(
    path: str = "/ok/{ensName}",
    method: str = "POST",
    body: str | None = None,
    *,
    encoded: bool = False,
    name: str = "bob.eth",
    headers: dict[str, str] | None = None,
) -> dict[str, Any]:
    return {
        "headers": {"authorization": "Bearer t", **(headers or {})},
        "multiValueQueryStringParameters": {"cursor": ["first", "last"]},
        "pathParameters": {"ensName": name},
        "stageVariables": None,
        "requestContext": {
            "httpMethod": method,
            "resourcePath": path,
            "path": f"/api{path}/",
            "requestId": "r-1",
            "identity": {"sourceIp": "192.0.2.7"},
        },
        "body": body,
        "isBase64Encoded": encoded,
    }


class Seen:
    call: Call


@pytest.fixture
def seen() -> Seen:
    return Seen()


@pytest.fixture
def app(seen: Seen) -> Chalice:
    app = Chalice("test", configure_logs=False)
    app.api.cors = CORS
    app.register_middleware(middleware(), "http")
    routes = Routes("test")

    @routes.add("POST", "/ok/{ensName}", "")
    def ok(call: Call) -> Answer:
        seen.call = call
        return json_answer({"name": call.name(), "body": call.body.decode("utf-8", "replace")})

    @routes.add("POST", "/fetched", "", fetched=True)
    def fetched(call: Call) -> Answer:
        seen.call = call
        return json_answer({})

    @routes.add("POST", "/read", "", body="SignIn")
    def read(call: Call) -> Answer:
        return json_answer(call.read(SignIn).challenge)

    @routes.add("POST", "/limited", "")
    def limited(_call: Call) -> Answer:
        raise LimitExceeded(retry_after_s=3)

    @routes.add("POST", "/tomorrow", "")
    def tomorrow(_call: Call) -> Answer:
        raise Spam(data={"rule": "totalQuota", "retryAfter": 60})

    @routes.add("POST", "/blocked", "")
    def blocked(_call: Call) -> Answer:
        raise Spam(data={"rule": "receiver"})

    @routes.add("POST", "/away", "", wording=lambda error: json_answer("own words", error.status))
    def away(_call: Call) -> Answer:
        raise Unavailable

    @routes.add("POST", "/broken", "")
    def broken(_call: Call) -> Answer:
        raise RuntimeError("bob.eth has a secret")

    app.register_blueprint(routes.blueprint)
    return app


def ask(app: Chalice, event: dict[str, Any]) -> dict[str, Any]:
    answer: dict[str, Any] = app(event, None)
    return answer


def test_a_view_sees_the_request(app: Chalice, seen: Seen) -> None:
    answer = ask(app, event(name="b%C3%B6b.eth", body="text"))
    assert json.loads(answer["body"]) == {"name": "böb.eth", "body": "text"}
    assert (seen.call.source, seen.call.authorization) == ("192.0.2.7", "Bearer t")
    assert (seen.call.query("cursor"), seen.call.query("limit")) == ("last", None)
    assert seen.call.base == "/api"


def test_behind_a_distribution_the_caller_is_whom_it_names(app: Chalice, seen: Seen) -> None:
    ask(app, event(headers={"X-Dm3-Origin": "s" * 40, "X-Dm3-Viewer": "2001:db8::7"}))
    assert (seen.call.source, seen.call.base) == ("192.0.2.7", "/api"), "nothing is configured here"
    behind = Call(seen.call.request, "s" * 40)
    assert (behind.source, behind.base) == ("2001:db8::7", "")
    assert "sss" not in repr(behind)


def test_a_body_may_come_in_base64_or_not_at_all(app: Chalice) -> None:
    encoded = base64.b64encode(b"\x00\xff").decode()
    assert json.loads(ask(app, event(body=encoded, encoded=True))["body"])["body"] == "\x00\ufffd"
    assert json.loads(ask(app, event(body=None))["body"])["body"] == ""


@pytest.mark.parametrize(
    ("changed", "status", "sentence"),
    [
        ({"name": "%ff"}, 400, "The name is not a valid ENS name."),
        ({"path": "/read", "body": "{"}, 400, "The request is not valid JSON."),
        ({"path": "/read", "body": '{"challenge":"\ud800'}, 400, "The request is not valid JSON."),
        ({"path": "/read", "body": "[]"}, 400, "There is a member too many, or it is no JSON object."),
        (
            {"path": "/read", "body": '{"challenge":"a"}'},
            400,
            "The member 'signature' is missing or not of the right type.",
        ),
        (
            {"path": "/read", "body": '{"challenge":"a","signature":"b","bob.eth":1}'},
            400,
            "There is a member too many, or it is no JSON object.",
        ),
        (
            {"path": "/read", "body": " " * (BODY_LIMIT_BYTES + 1)},
            413,
            "The request is larger than this service accepts.",
        ),
        ({"path": "/limited"}, 429, "Too many requests; try again later."),
        ({"path": "/broken"}, 500, "Something went wrong inside the relay."),
    ],
)
def test_an_error_is_one_sentence(app: Chalice, changed: dict[str, Any], status: int, sentence: str) -> None:
    answer = ask(app, event(**changed))
    assert (answer["statusCode"], json.loads(answer["body"])) == (status, {"error": sentence})


@pytest.mark.parametrize("passed", ["dm3-relay", "CloudFront, DM3-Relay; v=1", " dm3-relay ,x"])
def test_a_relay_that_follows_a_name_is_answered_where_it_is_meant_to_be_only(
    app: Chalice, seen: Seen, passed: str
) -> None:
    request = event()
    request["headers"]["CDN-Loop"] = passed
    assert ask(app, request)["statusCode"] == 403
    fetched = event("/fetched")
    fetched["headers"]["CDN-Loop"] = passed
    assert ask(app, fetched)["statusCode"] == 200
    assert seen.call.by_fetcher


def test_what_others_pass_is_no_relay(app: Chalice, seen: Seen) -> None:
    request = event()
    request["headers"]["CDN-Loop"] = "CloudFront; dm3-relay, not-dm3-relay"
    assert ask(app, request)["statusCode"] == 200
    assert not seen.call.by_fetcher


def test_a_route_may_have_words_of_its_own(app: Chalice) -> None:
    answer = ask(app, event("/away"))
    assert (answer["statusCode"], answer["body"]) == (503, '"own words"')


def test_a_quota_says_when_to_come_back(app: Chalice) -> None:
    assert ask(app, event("/limited"))["headers"]["Retry-After"] == "3"
    assert ask(app, event("/tomorrow"))["headers"]["Retry-After"] == "60"
    assert "Retry-After" not in ask(app, event("/blocked"))["headers"]


@pytest.mark.parametrize(
    "request_event",
    [event(), event("/broken"), event("/limited"), event(method="PUT"), event("/nowhere")],
    ids=["ok", "defect", "refusal", "method", "path"],
)
def test_every_answer_can_be_read_by_a_browser(app: Chalice, request_event: dict[str, Any]) -> None:
    headers = ask(app, request_event)["headers"]
    assert headers["Access-Control-Allow-Origin"] == "*"
    assert "Authorization" in headers["Access-Control-Allow-Headers"]
    assert set(headers["Access-Control-Expose-Headers"].split(",")) == {"Link", "Retry-After"}


class Lines(logging.Handler):
    def __init__(self) -> None:
        super().__init__()
        self.setFormatter(logs.JsonFormatter())
        self.lines: list[dict[str, Any]] = []

    def emit(self, record: logging.LogRecord) -> None:
        self.lines.append(json.loads(self.format(record)))


@pytest.fixture
def lines() -> Iterator[list[dict[str, Any]]]:
    logs.configure()
    handler = Lines()
    log = logging.getLogger("dm3")
    log.addHandler(handler)
    yield handler.lines
    log.removeHandler(handler)


def test_the_access_log_has_what_an_operator_needs(app: Chalice, lines: list[dict[str, Any]]) -> None:
    ask(app, event("/limited"))
    (line,) = lines
    assert line.pop("duration_ms") >= 0
    assert line == {
        "level": "INFO",
        "event": "request",
        "request_id": "r-1",
        "method": "POST",
        "route": "/limited",
        "status": 429,
        "code": -32005,
    }


def test_a_defect_is_logged_by_type_and_place_only(app: Chalice, lines: list[dict[str, Any]]) -> None:
    ask(app, event("/broken"))
    defect, request = lines
    assert (defect["event"], defect["type"], request["status"]) == ("defect", "RuntimeError", 500)
    assert defect["at"][-1].startswith("test_edge.py:")
    assert "secret" not in json.dumps(lines)


def test_logging_is_set_up_once() -> None:
    logs.configure()
    before = list(logging.getLogger("dm3").handlers)
    logs.configure()
    assert logging.getLogger("dm3").handlers == before
