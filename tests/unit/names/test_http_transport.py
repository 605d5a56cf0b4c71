"""The transport against a server of our own on loopback that misbehaves in every way a node can."""

from __future__ import annotations

import json
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.names.http_transport import HttpTransport, _answers, _result
from chalicelib.names.ports import AnswerTooLong, RpcCall, RpcError, RpcResult
from chalicelib.protocol.errors import Unavailable

Answer = Callable[[BaseHTTPRequestHandler, list[dict[str, Any]]], None]
CALLS = [RpcCall("eth_chainId"), RpcCall("eth_call", ({"to": "0x00"}, "latest"))]


@contextmanager
def _node(answer: Answer) -> Iterator[str]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self) -> None:
            request = json.loads(self.rfile.read(int(self.headers["content-length"])))
            answer(self, request)

        def log_message(self, *_: object) -> None:
            """Tests are silent."""

    class Server(ThreadingHTTPServer):
        def handle_error(self, *_: object) -> None:
            """A client that hangs up is expected."""

    server = Server(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}"
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


def _send(handler: BaseHTTPRequestHandler, body: bytes, status: int = 200) -> None:
    handler.send_response(status)
    handler.send_header("content-length", str(len(body)))
    handler.end_headers()
    handler.wfile.write(body)


def _says(body: object, status: int = 200) -> Answer:
    text = body if isinstance(body, bytes) else json.dumps(body).encode()
    return lambda handler, _: _send(handler, text, status)


def _request(url: str, *, timeout_s: float = 2.0) -> list[RpcResult]:
    transport = HttpTransport(url, timeout_s=timeout_s)
    try:
        return transport.request(CALLS)
    finally:
        transport.close()


def _good(handler: BaseHTTPRequestHandler, request: list[dict[str, Any]]) -> None:
    first, second = request
    assert (first["jsonrpc"], first["method"], first["params"]) == ("2.0", "eth_chainId", [])
    error = {"code": 3, "message": "execution reverted", "data": "0x01"}
    answers = [{"id": second["id"], "error": error}, {"id": first["id"], "result": "0x7a69"}]
    _send(handler, json.dumps(answers).encode())


def test_answers_come_in_the_order_of_the_calls_in_one_request() -> None:
    with _node(_good) as url:
        transport = HttpTransport(url)
        for requests in (1, 2):
            assert transport.request(CALLS) == [
                RpcResult(value="0x7a69"),
                RpcResult(error=RpcError(3, "execution reverted", "0x01")),
            ]
            assert transport.requests == requests
        transport.close()


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(_says({"error": "overloaded"}, status=500), id="HTTP 500"),
        pytest.param(_says([], status=429), id="HTTP 429"),
        pytest.param(_says(b"", status=301), id="redirect"),
        pytest.param(_says(b"<html>not JSON</html>"), id="not JSON"),
        pytest.param(_says(b"\xff\xfe"), id="not UTF-8"),
        pytest.param(_says(b"[" * 100_000), id="nested too deep"),
        pytest.param(_says(b""), id="empty"),
        pytest.param(
            _says({"jsonrpc": "2.0", "id": None, "error": {"code": -32005}}), id="one error for all"
        ),
        pytest.param(_says([]), id="no answers"),
        pytest.param(_says([{"id": 1, "result": "0x"}]), id="one answer of two"),
        pytest.param(_says([{"id": 1}, {"id": 2}]), id="neither result nor error"),
        pytest.param(
            _says([{"id": 1, "error": "no"}, {"id": 2, "error": "no"}]), id="error of the wrong type"
        ),
        pytest.param(_says([1, None, {"id": "1"}]), id="answers of the wrong type"),
        pytest.param(
            _says([{"id": True, "result": "0x"}, {"id": 2, "result": "0x"}]), id="an id that only equals 1"
        ),
        pytest.param(
            _says([{"id": number, "result": "0x"} for number in (1, 2, 2)]), id="two answers to one call"
        ),
        pytest.param(
            _says([{"id": number, "result": "0x", "error": {"code": 3}} for number in (1, 2)]),
            id="result and error",
        ),
        pytest.param(_says(b" " * 3_000_000), id="too long"),
    ],
)
def test_every_bad_answer_is_unavailable(answer: Answer) -> None:
    with _node(answer) as url, pytest.raises(Unavailable) as refusal:
        _request(url)
    assert "127.0.0.1" not in refusal.value.message


def test_an_answer_that_is_too_long_says_so() -> None:
    with _node(_says(b" " * 3_000_000)) as url, pytest.raises(AnswerTooLong):
        _request(url)


def _answers_one(answer: object) -> Answer:
    """Answers a request that is one object, and nothing else."""

    def send(handler: BaseHTTPRequestHandler, request: object) -> None:
        assert isinstance(request, dict)
        assert isinstance(answer, dict)
        _send(handler, json.dumps({"jsonrpc": "2.0", "id": request["id"], **answer}).encode())

    return send


def _request_one(url: str) -> RpcResult:
    transport = HttpTransport(url)
    try:
        (result,) = transport.request(CALLS[:1])
        assert transport.requests == 1
        return result
    finally:
        transport.close()


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        ({"result": "0x7a69"}, RpcResult(value="0x7a69")),
        ({"result": "0x7a69", "error": None}, RpcResult(value="0x7a69")),
        ({"error": {"code": 3, "message": "no"}}, RpcResult(error=RpcError(3, "no"))),
        ({"result": None, "error": {"code": 3, "message": "no"}}, RpcResult(error=RpcError(3, "no"))),
    ],
)
def test_a_single_call_is_sent_and_answered_as_an_object(answer: object, expected: RpcResult) -> None:
    with _node(_answers_one(answer)) as url:
        assert _request_one(url) == expected


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param([{"id": 1, "result": "0x"}], id="a batch"),
        pytest.param({"id": 2, "result": "0x"}, id="another id"),
        pytest.param({"id": True, "result": "0x"}, id="an id that only equals it"),
        pytest.param({"id": None, "error": {"code": -32005, "message": "slow down"}}, id="no id"),
        pytest.param({"result": "0x"}, id="no id at all"),
        pytest.param({"id": 1}, id="neither result nor error"),
        pytest.param({"id": 1, "result": "0x", "error": {"code": 3}}, id="both"),
        pytest.param("0x", id="text"),
        pytest.param(None, id="null"),
    ],
)
def test_a_single_call_answered_in_another_way_is_unavailable(answer: object) -> None:
    with _node(_says(answer)) as url, pytest.raises(Unavailable):
        _request_one(url)


def test_a_node_that_refuses_batches_is_unavailable_for_several_calls_only() -> None:
    def refuses(handler: BaseHTTPRequestHandler, request: object) -> None:
        number = request["id"] if isinstance(request, dict) else None
        answer = {"error": {"code": -32600, "message": "no batches"}} if number is None else {"result": "0x"}
        _send(handler, json.dumps({"jsonrpc": "2.0", "id": number, **answer}).encode())

    with _node(refuses) as url:
        transport = HttpTransport(url)
        with pytest.raises(Unavailable):
            transport.request(CALLS)
        assert transport.request(CALLS[:1]) == [RpcResult(value="0x")]
        assert transport.requests == 2
        transport.close()


def _breaks_off(handler: BaseHTTPRequestHandler, _: object) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "100")
    handler.end_headers()
    handler.wfile.write(b"[{")
    handler.close_connection = True


def _hangs_up(handler: BaseHTTPRequestHandler, _: object) -> None:
    handler.connection.shutdown(socket.SHUT_RDWR)
    handler.close_connection = True


@pytest.mark.parametrize("answer", [_breaks_off, _hangs_up])
def test_a_short_or_missing_answer_is_unavailable(answer: Answer) -> None:
    with _node(answer) as url, pytest.raises(Unavailable):
        _request(url)


def test_connection_refused_is_unavailable() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        with pytest.raises(Unavailable):
            _request(f"http://127.0.0.1:{taken.getsockname()[1]}")


def _never(handler: BaseHTTPRequestHandler, _: object) -> None:
    time.sleep(0.6)


def _drips(handler: BaseHTTPRequestHandler, _: object) -> None:
    handler.send_response(200)
    handler.send_header("content-length", "1000")
    handler.end_headers()
    for _piece in range(30):
        handler.wfile.write(b" ")
        time.sleep(0.05)


def _drips_chunks(handler: BaseHTTPRequestHandler, _: object) -> None:
    handler.send_response(200)
    handler.send_header("transfer-encoding", "chunked")
    handler.end_headers()
    for _piece in range(30):
        handler.wfile.write(b"1\r\n \r\n")
        time.sleep(0.05)


def _drips_headers(handler: BaseHTTPRequestHandler, _: object) -> None:
    handler.send_response(200)
    handler.flush_headers()
    for piece in range(30):
        handler.wfile.write(f"x-{piece}: 1\r\n".encode())
        time.sleep(0.05)


@pytest.mark.parametrize("answer", [_never, _drips, _drips_chunks, _drips_headers])
def test_a_slow_node_is_unavailable_in_time(answer: Answer) -> None:
    with _node(answer) as url:
        started_s = time.monotonic()
        with pytest.raises(Unavailable):
            _request(url, timeout_s=0.3)
        assert time.monotonic() - started_s < 0.9


def test_a_node_that_comes_back_is_reached_again() -> None:
    ill = threading.Event()
    ill.set()

    def answer(handler: BaseHTTPRequestHandler, request: list[dict[str, Any]]) -> None:
        (_breaks_off if ill.is_set() else _good)(handler, request)

    with _node(answer) as url:
        transport = HttpTransport(url)
        with pytest.raises(Unavailable):
            transport.request(CALLS)
        ill.clear()
        assert transport.request(CALLS)[0].value == "0x7a69"
        transport.close()


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["id", "result", "error", "code", "message", "data"]), inner, max_size=4
        )
    ),
    max_leaves=10,
)


@given(st.binary(max_size=40) | _json.map(lambda value: json.dumps(value).encode()))
@settings(deadline=None, max_examples=300)
def test_any_body_is_read_or_unavailable(body: bytes) -> None:
    for several in (False, True):
        with suppress(Unavailable):
            results = [_result(answer) for answer in _answers(body, several=several).values()]
            assert all(isinstance(result, RpcResult) for result in results)
