"""A node of the chain over HTTP: JSON-RPC 2.0 by urllib3, with bounds on time and bytes.

A single call is sent as an object, since some providers refuse batches; several calls are one batch, and a
provider that refuses it is `Unavailable` (asking call by call would turn one refusal, such as a rate limit,
into many requests). Errors never carry the node's URL, since it often contains the operator's key.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from itertools import count
from threading import Lock

import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.names.bounded_http import BoundedPools
from chalicelib.names.ports import AnswerTooLong, RateLimited, RpcCall, RpcError, RpcResult
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import ParseError, Unavailable
from chalicelib.protocol.json_types import JsonValue

MAX_ANSWER_BYTES = 1_048_576
_PIECE_BYTES = 65_536


class HttpTransport:
    """Implements `names.ports.ChainTransport`. `requests` counts the HTTP requests made so far.

    `timeout_s` bounds a whole request in seconds, connecting included, however slowly the node answers (but
    each read of a TLS handshake by itself); `max_bytes` the answer's body.
    Safe for use by several threads.
    """

    def __init__(
        self, url: str, *, timeout_s: float = 3.0, max_bytes: int = MAX_ANSWER_BYTES, connections: int = 8
    ) -> None:
        self._url = url
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._pool = BoundedPools(maxsize=connections, retries=False)
        self._lock = Lock()
        self._ids = count(1)
        self.requests = 0

    def request(self, calls: Sequence[RpcCall], *, timeout_s: float | None = None) -> list[RpcResult]:
        """As `ChainTransport.request`: one HTTP request. `timeout_s` bounds this one differently.

        Raises `Unavailable`, in the form of `RateLimited` if the node says so, and of `AnswerTooLong`.
        """
        with self._lock:
            self.requests += 1
            numbered = [(next(self._ids), call) for call in calls]
        asked = [
            {"jsonrpc": "2.0", "id": number, "method": call.method, "params": list(call.params)}
            for number, call in numbered
        ]
        content = json.dumps(asked[0] if len(asked) == 1 else asked).encode()
        answers = _answers(self._post(content, timeout_s or self._timeout_s), several=len(asked) != 1)
        try:
            return [_result(answers[number]) for number, _ in numbered]
        except KeyError:
            raise Unavailable("The node did not answer everything it was asked.") from None

    def close(self) -> None:
        """Closes the kept connections; a later request opens new ones."""
        self._pool.clear()

    def _post(self, body: bytes, timeout_s: float) -> bytes:
        try:
            response = self._pool.request(
                "POST",
                self._url,
                body=body,
                headers={"content-type": "application/json", "accept-encoding": "identity"},
                timeout=urllib3.Timeout(total=timeout_s),
                redirect=False,
                preload_content=False,
            )
        except HTTPError:
            raise Unavailable("The node of the chain cannot be reached; try again.") from None
        return self._read(response)

    def _read(self, response: urllib3.BaseHTTPResponse) -> bytes:
        """The body. A connection is kept only if its answer was read to the end."""
        content = bytearray()
        try:
            if response.status == 429:
                raise RateLimited
            if response.status != 200:
                raise Unavailable("The node of the chain answered with an error; try again.")
            while piece := response.read1(_PIECE_BYTES, decode_content=False):
                content += piece
                if len(content) > self._max_bytes:
                    raise AnswerTooLong
        except HTTPError:
            raise Unavailable("The node of the chain broke off its answer; try again.") from None
        except Unavailable:
            response.close()
            raise
        finally:
            response.release_conn()
        return bytes(content)


def _answers(body: bytes, *, several: bool) -> dict[int, dict[str, JsonValue]]:
    """The answers in a body by id: of an array for several calls, else of an object. Raises `Unavailable`."""
    try:
        parsed = parse_json(body)
    except ParseError:
        parsed = None
    elements = parsed if several else [parsed]
    if not isinstance(elements, list):
        raise Unavailable("The node gave an answer that is not JSON-RPC.")
    answers: dict[int, dict[str, JsonValue]] = {}
    for element in elements:
        number = element.get("id") if isinstance(element, dict) else None
        if not isinstance(element, dict) or not isinstance(number, int) or isinstance(number, bool):
            continue
        if number in answers:
            raise Unavailable("The node gave an answer that is not JSON-RPC.")
        answers[number] = element
    return answers


def _result(answer: dict[str, JsonValue]) -> RpcResult:
    error = answer.get("error")
    if error is None:
        if "result" not in answer:
            raise Unavailable("The node gave an answer that is not JSON-RPC.")
        return RpcResult(value=answer["result"])
    if not isinstance(error, dict) or answer.get("result") is not None:
        raise Unavailable("The node gave an answer that is not JSON-RPC.")
    code, message = error.get("code"), error.get("message")
    return RpcResult(
        error=RpcError(
            code=code if isinstance(code, int) else 0,
            message=message if isinstance(message, str) else "",
            data=error.get("data"),
        )
    )
