from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.api.answers import Answer
from chalicelib.api.jsonrpc import BATCH_LIMIT, JsonRpc, Method
from chalicelib.api.models import NameParams, NoParams, SubmitParams
from chalicelib.protocol.errors import LimitExceeded, NotFound, Spam, Unavailable
from chalicelib.protocol.json_types import JsonValue

MAX_BODY_BYTES = 2000


class Desk:
    """Methods that remember their calls."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Any]] = []
        self.defects: list[Exception] = []
        self.engine: JsonRpc[str] = JsonRpc(
            (
                Method("submit", "", "SubmitParams", self._submit, "Text"),
                Method("who", "", "NameParams", self._who, "Text", {NotFound: (400, "unknown user")}),
                Method("limited", "", "NoParams", self._limited, "Text"),
                Method("away", "", "NoParams", self._away, "Text"),
                Method("spam", "", "NoParams", self._spam, "Text"),
                Method("broken", "", "NoParams", self._broken, "Text"),
            ),
            max_body_bytes=MAX_BODY_BYTES,
            defect=self.defects.append,
        )

    def ask(self, body: object) -> Answer:
        return self.engine.answer(json.dumps(body).encode(), "192.0.2.1")

    def _submit(self, params: SubmitParams, caller: str) -> JsonValue:
        self.calls.append((caller, params.envelope))
        return {"duplicate": False}

    def _who(self, params: NameParams, _caller: str) -> JsonValue:
        if params.name == "nobody.eth":
            raise NotFound
        return {"name": params.name}

    def _limited(self, _params: NoParams, _caller: str) -> JsonValue:
        raise LimitExceeded(retry_after_s=7)

    def _away(self, _params: NoParams, _caller: str) -> JsonValue:
        raise Unavailable

    def _spam(self, _params: NoParams, _caller: str) -> JsonValue:
        raise Spam(data={"rule": "receiver"})

    def _broken(self, _params: NoParams, _caller: str) -> JsonValue:
        raise RuntimeError("alice.eth")


@pytest.fixture
def desk() -> Desk:
    return Desk()


def request(method: str, params: object = (), **members: object) -> dict[str, object]:
    return {"jsonrpc": "2.0", "method": method, "params": params, **members}


def error(code: int, identifier: object = None, **data: object) -> dict[str, object]:
    return {"code": code, "id": identifier, **data}


def told(answer: dict[str, Any]) -> dict[str, object]:
    """An error answer without its sentence, which must be one."""
    assert set(answer) == {"jsonrpc", "error", "id"}
    member = answer["error"]
    assert set(member) <= {"code", "message", "data"}
    assert member["message"].strip().endswith((".", "invalid"))
    return error(member["code"], answer["id"], **member.get("data", {}))


@pytest.mark.parametrize("identifier", [1, 0, -3, "a", "", None, 2**70, 2**53 + 1, 1.5], ids=repr)
def test_a_request_with_an_id_gets_an_object_and_its_id_back(desk: Desk, identifier: object) -> None:
    answer = desk.ask(request("who", ["bob.eth"], id=identifier))
    assert (answer.status, json.loads(answer.body)) == (
        200,
        {"jsonrpc": "2.0", "result": {"name": "bob.eth"}, "id": identifier},
    )


def test_a_request_without_id_gets_its_result_as_a_string(desk: Desk) -> None:
    answer = desk.ask(request("who", ["bob.eth"]))
    assert answer.status == 200
    assert json.loads(answer.body) == {"jsonrpc": "2.0", "result": '{"name":"bob.eth"}'}


@pytest.mark.parametrize(
    ("params", "envelope"),
    [
        (['{"a":1}'], '{"a":1}'),
        (['{"a":1}', "token"], '{"a":1}'),
        (["text", None], "text"),
        ([{"a": 1}], {"a": 1}),
        ({"envelope": {"a": 1}}, {"a": 1}),
        ({"envelope": "text", "token": "t"}, "text"),
        ({"message": "m", "metadata": {}}, {"message": "m", "metadata": {}}),
    ],
    ids=["text", "text and token", "text and null", "object", "by name", "by name, token", "bare envelope"],
)
def test_an_envelope_comes_as_text_or_as_an_object(desk: Desk, params: object, envelope: object) -> None:
    assert desk.ask(request("submit", params, id=1)).status == 200
    assert desk.calls == [("192.0.2.1", envelope)]


UNUSABLE = {
    "nothing": b"",
    "not JSON": b"{",
    "two values": b"{}{}",
    "not UTF-8": b'{"a":"\xff"}',
    "NaN": b'{"id":NaN}',
    "Infinity": b"[Infinity]",
    "deep": b"[" * 900 + b"]" * 900,
    "comment": b"// hello",
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_what_is_no_json_is_a_parse_error_without_id(desk: Desk, body: bytes) -> None:
    answer = desk.engine.answer(body, "")
    assert (answer.status, told(json.loads(answer.body))) == (400, error(-32700))


@pytest.mark.parametrize("body", [b"1", b'"a"', b"null", b"true", b"[]", b"1.5"])
def test_what_is_no_request_and_no_batch_is_an_invalid_request(desk: Desk, body: bytes) -> None:
    answer = desk.engine.answer(body, "")
    assert (answer.status, told(json.loads(answer.body))) == (400, error(-32600))


def test_a_body_over_the_limit_is_refused_before_it_is_parsed(desk: Desk) -> None:
    answer = desk.engine.answer(b"[" * (MAX_BODY_BYTES + 1), "")
    assert (answer.status, told(json.loads(answer.body))) == (413, error(-32011))


STRICT = {
    "no version": ({"method": "who", "params": ["a"], "id": 1}, 400, error(-32600, 1)),
    "version 1": ({"jsonrpc": "1.0", "method": "who", "id": 1}, 400, error(-32006, 1)),
    "version number": ({"jsonrpc": 2.0, "method": "who", "id": 1}, 400, error(-32006, 1)),
    "no method": ({"jsonrpc": "2.0", "id": 1}, 400, error(-32600, 1)),
    "method no text": ({"jsonrpc": "2.0", "method": 5, "id": 1}, 400, error(-32600, 1)),
    "id an object": (request("who", ["a"], id={}), 400, error(-32600)),
    "id an array": (request("who", ["a"], id=[1]), 400, error(-32600)),
    "id true": (request("who", ["a"], id=True), 400, error(-32600)),
    "unknown method": (request("nothing", id="x"), 404, error(-32601, "x")),
    "no params": ({"jsonrpc": "2.0", "method": "who", "id": 1}, 400, error(-32602, 1)),
    "params null": (request("who", None, id=1), 400, error(-32602, 1)),
    "params text": (request("who", "bob.eth", id=1), 400, error(-32602, 1)),
    "params empty": (request("who", [], id=1), 400, error(-32602, 1)),
    "param null": (request("who", [None], id=1), 400, error(-32602, 1)),
    "param number": (request("submit", [5], id=1), 400, error(-32602, 1)),
    "token number": (request("submit", ["{}", 5], id=1), 400, error(-32602, 1)),
    "too many": (request("who", ["a", "b"], id=1), 400, error(-32602, 1)),
    "not by that name": (request("who", {"bob.eth": "a"}, id=1), 400, error(-32602, 1)),
    "refused": (request("who", ["nobody.eth"], id=1), 404, error(-32001, 1)),
    "quota": (request("limited", id=1), 429, error(-32005, 1, retryAfter=7)),
    "away": (request("away", id=1), 503, error(-32002, 1, retryAfter=5)),
    "spam": (request("spam", id=1), 403, error(-32010, 1, rule="receiver")),
    "broken": (request("broken", id=1), 500, error(-32603, 1)),
}


@pytest.mark.parametrize(("body", "status", "expected"), STRICT.values(), ids=STRICT.keys())
def test_errors_of_requests_with_an_id(
    desk: Desk, body: object, status: int, expected: dict[str, object]
) -> None:
    answer = desk.ask(body)
    assert (answer.status, told(json.loads(answer.body)), answer.code) == (status, expected, expected["code"])


REFERENCE = {
    "unknown method": (request("nothing"), 405, {"error": "Method not allowed"}),
    "worded by the reference": (request("who", ["nobody.eth"]), 400, {"error": "unknown user"}),
    "version 1": (
        {"jsonrpc": "1.0", "method": "who", "params": ["a"]},
        400,
        {"error": "Only JSON-RPC 2.0 is supported."},
    ),
    "params null": (request("who", None), 400, {"error": "The parameters must be an array or an object."}),
    "params empty": (
        request("who", []),
        400,
        {"error": "The member 'name' is missing or not of the right type."},
    ),
    "too many": (request("who", ["a", "b"]), 400, {"error": "There are too many parameters."}),
    "quota": (request("limited"), 429, {"error": "Too many requests; try again later."}),
    "away": (request("away"), 503, {"error": "The service cannot answer just now; try again."}),
    "spam": (request("spam"), 403, {"error": "The receiver does not accept this message."}),
    "broken": (request("broken"), 500, {"error": "Something went wrong inside the relay."}),
}


@pytest.mark.parametrize(("body", "status", "expected"), REFERENCE.values(), ids=REFERENCE.keys())
def test_errors_of_requests_without_id(
    desk: Desk, body: object, status: int, expected: dict[str, str]
) -> None:
    answer = desk.ask(body)
    assert (answer.status, json.loads(answer.body)) == (status, expected)


@pytest.mark.parametrize("body", [{}, {"method": None}, {"method": 5, "params": []}, {"params": []}])
def test_an_object_that_asks_for_nothing_is_a_bad_request(desk: Desk, body: object) -> None:
    answer = desk.ask(body)
    assert (answer.status, answer.body, answer.content_type) == (
        400,
        "Bad Request",
        "text/plain; charset=utf-8",
    )


def test_the_reference_need_not_say_its_version(desk: Desk) -> None:
    assert desk.ask({"method": "who", "params": ["a"]}).status == 200


@pytest.mark.parametrize("members", [{"id": 1}, {}], ids=["with id", "without"])
def test_a_refusal_says_when_to_come_back(desk: Desk, members: dict[str, object]) -> None:
    assert desk.ask(request("limited", **members)).headers["Retry-After"] == "7"
    assert int(desk.ask(request("away", **members)).headers["Retry-After"]) > 0


def test_a_defect_is_reported_and_not_told(desk: Desk) -> None:
    answer = desk.ask(request("broken", id=1))
    assert "alice" not in answer.body
    assert [type(defect) for defect in desk.defects] == [RuntimeError]


def test_a_batch_is_answered_in_order_but_for_its_notifications(desk: Desk) -> None:
    answer = desk.ask(
        [
            request("who", ["a"], id=1),
            request("submit", ["first"]),
            request("who", ["nobody.eth"], id="x"),
            7,
            {"foo": "boo"},
            request("nothing", id=None),
            request("nothing"),
            {"jsonrpc": "1.0", "method": "who", "id": 3},
            request("broken"),
        ]
    )
    answers = json.loads(answer.body)
    assert answer.status == 200
    assert answers[0] == {"jsonrpc": "2.0", "result": {"name": "a"}, "id": 1}
    assert [told(answer) for answer in answers[1:]] == [
        error(-32001, "x"),
        error(-32600),
        error(-32600),
        error(-32601),
        error(-32006, 3),
    ]
    assert desk.calls == [("192.0.2.1", "first")], "a notification is executed"


def test_a_batch_of_notifications_is_answered_with_nothing(desk: Desk) -> None:
    answer = desk.ask([request("submit", ["a"]), request("submit", ["b"])])
    assert (answer.status, answer.body) == (204, "")
    assert len(desk.calls) == 2


def test_a_batch_has_a_limit_and_nothing_of_a_longer_one_is_executed(desk: Desk) -> None:
    assert desk.ask([request("submit", ["a"])] * BATCH_LIMIT).status == 204
    desk.calls.clear()
    answer = desk.ask([request("submit", ["a"])] * (BATCH_LIMIT + 1))
    assert (answer.status, told(json.loads(answer.body))) == (400, error(-32600))
    assert desk.calls == []


def test_a_number_that_no_json_can_hold_is_no_id(desk: Desk) -> None:
    answer = desk.engine.answer(b'{"jsonrpc":"2.0","method":"who","params":["a"],"id":1e999}', "")
    assert (answer.status, told(json.loads(answer.body))) == (400, error(-32600))


anything = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=())),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)
requests = st.fixed_dictionaries(
    {},
    optional={
        "jsonrpc": st.just("2.0") | anything,
        "method": st.sampled_from(["submit", "who", "limited", "broken", "nothing"]) | anything,
        "params": anything,
        "id": anything,
    },
)


def is_answer(answer: Any, batch: bool) -> bool:  # noqa: ANN401 - any JSON
    if batch and isinstance(answer, list):
        return 0 < len(answer) <= BATCH_LIMIT and all(is_answer(element, False) for element in answer)  # noqa: FBT003
    return (
        set(answer) in ({"jsonrpc", "result", "id"}, {"jsonrpc", "error", "id"})
        and answer["jsonrpc"] == "2.0"
    )


def check(desk: Desk, body: bytes) -> None:
    """Whatever comes in, what goes out is one of the shapes, and no status is a 500 but for "broken"."""
    answer = desk.engine.answer(body, "")
    answer.body.encode()
    if answer.status == 500:
        assert [type(defect) for defect in desk.defects] == [RuntimeError]
    elif answer.status == 204 or answer.body == "Bad Request":
        assert answer.status in {204, 400}
        return
    value = json.loads(answer.body, parse_constant=lambda name: pytest.fail(name))
    is_reference = isinstance(value, dict) and set(value) in ({"error"}, {"jsonrpc", "result"})
    assert is_reference or is_answer(value, batch=body.lstrip().startswith(b"["))


@settings(max_examples=200, deadline=None)
@given(st.binary(max_size=200) | st.text(max_size=200).map(str.encode))
def test_any_bytes_get_an_answer(body: bytes) -> None:
    check(Desk(), body)


@settings(max_examples=300, deadline=None)
@given(requests | anything)
def test_any_json_gets_an_answer(body: object) -> None:
    check(Desk(), json.dumps(body).encode())


@settings(max_examples=100, deadline=None)
@given(st.lists(requests | anything, max_size=BATCH_LIMIT + 2))
def test_any_batch_gets_an_answer(body: list[object]) -> None:
    desk = Desk()
    answer = desk.engine.answer(json.dumps(body).encode(), "")
    if answer.status == 204:
        assert all("id" not in element for element in body if isinstance(element, dict))
        return
    if len(answer.body) > 2 and answer.status == 200:
        assert is_answer(json.loads(answer.body), batch=True)
    else:
        assert told(json.loads(answer.body))["code"] in {-32600, -32700, -32011}
