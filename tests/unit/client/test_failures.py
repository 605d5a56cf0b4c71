from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.client import failures
from chalicelib.client.transport import Response
from chalicelib.protocol import errors
from chalicelib.protocol.errors import Dm3Error
from chalicelib.protocol.json_types import JsonObject, JsonValue

NOW, LATER = "Wed, 21 Oct 2026 07:28:00 GMT", "Wed, 21 Oct 2026 07:29:30 GMT"

LEAVES = [
    errors.ParseError,
    errors.InvalidRequest,
    errors.MethodNotFound,
    errors.InvalidParams,
    errors.InternalError,
    errors.InvalidInput,
    errors.NotFound,
    errors.Unavailable,
    errors.Unauthorized,
    errors.MethodNotSupported,
    errors.VersionNotSupported,
    errors.Spam,
    errors.TooBig,
]


@pytest.mark.parametrize("kind", LEAVES)
def test_every_code_becomes_its_error_again(kind: type[Dm3Error]) -> None:
    error = failures.from_rpc({"code": kind.code, "message": "Because."}, Response(kind.status))
    assert type(error) is kind
    assert error.message == "Because."


def test_a_limit_says_how_long_to_wait() -> None:
    error = failures.from_rpc({"code": -32005, "message": "Slow.", "data": {"retryAfter": 7}}, Response(429))
    assert isinstance(error, errors.LimitExceeded)
    assert error.retry_after_s == 7
    assert failures.wait_s(error) == 7


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, 5),
        ({"retry-after": "9"}, 9),
        ({"retry-after": LATER, "date": NOW}, 90),
        ({"retry-after": NOW, "date": LATER}, 0),
        ({"retry-after": "Wednesday, 21-Oct-26 07:29:30 GMT", "date": NOW}, 90),
        ({"retry-after": "Wed Oct 21 07:29:30 2026", "date": NOW}, 90),
        ({"retry-after": "Wed, 21 Oct 2026 08:29:30 +0100", "date": NOW}, 90),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 GMT", "date": NOW}, 86_400),
        ({"retry-after": "Fri, 31 Dec 9999 23:59:59 -0900", "date": NOW}, 5),
        ({"retry-after": "Wed, 41 Oct 2026 07:28:00 GMT"}, 5),
        ({"retry-after": "tomorrow"}, 5),
        ({"retry-after": "-3"}, 5),
        ({"retry-after": "99999999"}, 86_400),
        ({"retry-after": "٣"}, 5),
    ],
)
def test_retry_after_of_the_header(headers: dict[str, str], seconds: int) -> None:
    error = failures.from_http(Response(429, b"", headers))
    assert failures.wait_s(error) == seconds


@pytest.mark.parametrize("told", [{}, {"date": "tea time"}])
def test_a_date_to_retry_after_by_our_clock_if_the_service_tells_no_time(told: dict[str, str]) -> None:
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=600), usegmt=True)
    wait = failures.wait_s(failures.from_http(Response(503, b"", {"retry-after": later, **told})))
    assert wait is not None
    assert 500 < wait <= 601


@settings(deadline=None, max_examples=150)
@given(
    st.text() | st.from_regex(r"\A\w{3}, \d+ \w{3} -?\d+ \d+:\d+:\d+ [-+A-Z]\w*\Z", fullmatch=True), st.text()
)
def test_any_header_is_a_bounded_wait(header: str, date: str) -> None:
    wait = failures.wait_s(failures.from_http(Response(429, b"", {"retry-after": header, "date": date})))
    assert wait is not None
    assert 0 <= wait <= 86_400


@pytest.mark.parametrize(
    ("status", "body", "kind"),
    [
        (400, b'{"error":"invalid schema"}', errors.InvalidInput),
        (401, b"Unauthorized", errors.SignInRequired),
        (403, b'{"error":"no"}', errors.Forbidden),
        (404, b"Not Found", errors.NotFound),
        (405, b"", errors.MethodNotSupported),
        (413, b"", errors.TooBig),
        (429, b"", errors.LimitExceeded),
        (500, b"<html>", errors.Unavailable),
        (502, b"", errors.Unavailable),
        (418, b"", errors.InvalidInput),
        (409, b'{"error":"x","code":-32010}', errors.Spam),
        (400, b'{"error":"x","code":-32602}', errors.InvalidParams),
        (403, b'{"error":"x","code":-32003}', errors.Forbidden),
        (401, b'{"error":"x","code":-32003}', errors.SignInRequired),
    ],
)
def test_rest_answers(status: int, body: bytes, kind: type[Dm3Error]) -> None:
    assert type(failures.from_http(Response(status, body))) is kind


def test_an_rpc_error_with_status_401_asks_to_sign_in() -> None:
    error = failures.from_rpc({"code": -32003, "message": "?"}, Response(401))
    assert isinstance(error, errors.SignInRequired)


def test_an_unknown_code_is_read_by_the_status() -> None:
    assert isinstance(failures.from_rpc({"code": 12}, Response(503)), errors.Unavailable)
    assert isinstance(failures.from_rpc({"code": "x"}, Response(404)), errors.NotFound)


def test_what_a_service_writes_cannot_move_the_cursor() -> None:
    error = failures.from_http(
        Response(400, json.dumps({"error": "a\x1b[2J\nb\u202e" + "x" * 1_000}).encode())
    )
    assert error.message.startswith("a[2Jbx")
    assert len(error.message) <= 200


@pytest.mark.parametrize(
    ("error", "final", "later"),
    [
        (errors.Spam(), True, False),
        (errors.Spam(data={"rule": "firstContact", "messages": 3}), True, False),
        (errors.Spam(data={"rule": "senderQuota", "retryAfter": 60}), True, True),
        (errors.Unauthorized(), True, False),
        (errors.TooBig(), False, False),
        (errors.InvalidInput(), False, False),
        (errors.NotFound(), False, True),
        (errors.Unavailable(), False, True),
        (errors.LimitExceeded(retry_after_s=1), False, True),
        (errors.MethodNotFound(), False, False),
        (errors.InternalError(), False, True),
    ],
)
def test_what_a_sender_does_about_it(error: Dm3Error, final: bool, later: bool) -> None:
    assert failures.is_final(error) is final
    assert failures.may_pass(error) is later


def test_a_refusal_as_spam_says_which_rule_it_was() -> None:
    told: JsonObject = {
        "rule": "minTokenBalance",
        "required": "5",
        "address": "0xab",
        "standard": "erc1155",
        "id": "7",
    }
    told_of: list[JsonObject] = [told, {"rule": "firstContact", "messages": 3}, {"rule": "receiver"}]
    for data in told_of:
        error = failures.from_rpc({"code": -32010, "message": "No.", "data": data}, Response(403))
        assert isinstance(error, errors.Spam)
        assert error.data == data
    error = failures.from_http(Response(403, json.dumps({"error": "No.", "code": -32010, **told}).encode()))
    assert error.data == told


def test_a_quota_of_the_receiver_is_waited_for() -> None:
    data: JsonValue = {"rule": "totalQuota", "retryAfter": 3600}
    error = failures.from_rpc({"code": -32010, "message": "Full.", "data": data}, Response(403))
    assert error.data == data
    assert failures.wait_s(error) == 3600


@pytest.mark.parametrize(
    ("data", "kept"),
    [
        ({"rule": "a\x1b[2Jb", "required": 5, "address": None, "id": []}, {"rule": "a[2Jb"}),
        ({"rule": "x" * 1_000, "secret": "y"}, {"rule": "x" * 200}),
        ({"messages": True}, {}),
        ({"messages": -1, "retryAfter": "soon"}, {}),
        ({"messages": 10**400, "retryAfter": 10**400}, {"retryAfter": 86_400}),
        ([], {}),
    ],
)
def test_of_what_a_service_tells_of_a_rule_only_what_can_be_shown(data: object, kept: object) -> None:
    error = failures.from_rpc({"code": -32010, "data": data}, Response(403))  # type: ignore[dict-item]
    assert error.data == kept


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=9),
    lambda inner: (
        st.lists(inner, max_size=2)
        | st.dictionaries(st.sampled_from(["code", "message", "data", "retryAfter", "rule"]), inner)
    ),
    max_leaves=6,
)


@settings(deadline=None, max_examples=150)
@given(_JSON, st.integers(400, 599))
def test_any_error_object_is_one_of_ours(error: object, status: int) -> None:
    found = failures.from_rpc(error, Response(status))  # type: ignore[arg-type]
    assert isinstance(found, Dm3Error)
    assert all(char.isprintable() for char in found.message)
    wait = failures.wait_s(found)
    assert wait is None or 0 <= wait <= 86_400
