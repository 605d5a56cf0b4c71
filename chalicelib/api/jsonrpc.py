"""JSON-RPC 2.0 in the two dialects of dm3, without a web server in it.

A request object with an `id` (null included) is answered to the letter of JSON-RPC 2.0, sections 4 to 6. A
single request object without `id` comes from the reference's client and is answered in the reference's
shapes: the result as a JSON *string*, an error as an HTTP status with `{"error": sentence}`. What cannot be
parsed, is no object, or is an empty or too long batch has no dialect; it gets an error with `id: null` and
HTTP 400 (413 if it is too large to be parsed). See docs/api.md.

Elements of a batch are requests or notifications as JSON-RPC 2.0 has them: the latter are executed and not
answered. Errors of single requests carry a fitting HTTP status in both dialects, since existing clients look
at the status only.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from chalicelib.api.answers import (
    Answer,
    empty_answer,
    json_answer,
    refusal,
    retry_headers,
    text_answer,
    told_data,
)
from chalicelib.api.shapes import read_params
from chalicelib.protocol.canonical import canonicalize, parse_json
from chalicelib.protocol.errors import (
    Dm3Error,
    InternalError,
    InvalidRequest,
    MethodNotFound,
    TooBig,
    VersionNotSupported,
)
from chalicelib.protocol.json_types import JsonObject, JsonValue

VERSION = "2.0"
BATCH_LIMIT = 10  # DESIGN, decision 1

Caller = TypeVar("Caller")


@dataclass(frozen=True, slots=True)
class Method(Generic[Caller]):
    """One method: how its parameters are read, what it does, and how the reference words its errors.

    `params` names the model in `api.models` that reads parameters by position or by name. `run` gets them and
    the caller, and raises a Dm3Error to refuse. `result` names the model in `api.results` that describes the
    result.
    """

    name: str
    summary: str
    params: str
    run: Callable[[Any, Caller], JsonValue]
    result: str
    wording: Mapping[type[Dm3Error], tuple[int, str]] = field(default_factory=dict)


class JsonRpc(Generic[Caller]):
    """Answers JSON-RPC requests with a set of methods.

    `defect` is told of every exception that is not a Dm3Error; its caller gets -32603 and nothing of it.
    """

    def __init__(
        self,
        methods: Iterable[Method[Caller]],
        *,
        max_body_bytes: int,
        defect: Callable[[Exception], None],
    ) -> None:
        self._methods = {method.name: method for method in methods}
        self._max_body_bytes = max_body_bytes
        self._defect = defect

    def answer(self, body: bytes, caller: Caller) -> Answer:
        """The HTTP answer to the body of one POST, whatever it holds. Raises nothing."""
        try:
            request = self._parse(body)
        except Dm3Error as error:
            return _failed(error, None)
        if isinstance(request, list):
            return self._batch(request, caller)
        if not isinstance(request, dict):
            return _failed(InvalidRequest(), None)
        if "id" in request:
            return self._strict(request, caller)
        return self._reference(request, caller)

    def _parse(self, body: bytes) -> JsonValue:
        if len(body) > self._max_body_bytes:
            raise TooBig("The request is larger than this service accepts.")
        return parse_json(body)

    def _strict(self, request: JsonObject, caller: Caller) -> Answer:
        """The answer to a single request with an `id`."""
        try:
            result = self._execute(request, caller)
        except Dm3Error as error:
            return _failed(error, _identifier(request))
        return Answer(200, _success(result, _identifier(request)))

    def _reference(self, request: JsonObject, caller: Caller) -> Answer:
        """The answer to a single request without `id`, as the reference's client expects it."""
        name = request.get("method")
        if not isinstance(name, str):
            return text_answer("Bad Request", 400, InvalidRequest.code)
        if name not in self._methods:
            return json_answer({"error": "Method not allowed"}, 405, code=MethodNotFound.code)
        try:
            # The reference's server does not look at the version, so a missing one is no error here.
            result = self._execute({"jsonrpc": VERSION, **request}, caller)
        except Dm3Error as error:
            return self._worded(name, error)
        return json_answer({"jsonrpc": VERSION, "result": result})

    def _worded(self, name: str, error: Dm3Error) -> Answer:
        for kind, (status, words) in self._methods[name].wording.items():
            if isinstance(error, kind):
                return json_answer({"error": words}, status, code=error.code)
        return refusal(error)

    def _batch(self, requests: Sequence[JsonValue], caller: Caller) -> Answer:
        """JSON-RPC 2.0 section 6: one answer for each request, none for notifications; HTTP 200 or 204."""
        if not requests:
            return _failed(InvalidRequest("The batch is empty."), None)
        if len(requests) > BATCH_LIMIT:
            return _failed(InvalidRequest(f"A batch has at most {BATCH_LIMIT} requests."), None)
        answers = [answer for request in requests if (answer := self._element(request, caller)) is not None]
        return Answer(200, f"[{','.join(answers)}]") if answers else empty_answer(204)

    def _element(self, request: JsonValue, caller: Caller) -> str | None:
        """The text of the answer to one request of a batch, None for a notification."""
        if not isinstance(request, dict):
            return _failure(InvalidRequest(), None)
        try:
            result = self._execute(request, caller)
        except Dm3Error as error:
            # Section 5: what is no valid request cannot be a notification either; it is answered with null.
            if "id" not in request and not isinstance(error, InvalidRequest | VersionNotSupported):
                return None
            return _failure(error, _identifier(request))
        return _success(result, _identifier(request)) if "id" in request else None

    def _execute(self, request: JsonObject, caller: Caller) -> str:
        """The result of a request object, as JSON text. Raises Dm3Error, and nothing else."""
        method = self._method(request)
        try:
            return canonicalize(method.run(read_params(method.params, request.get("params", ())), caller))
        except Dm3Error:
            raise
        except Exception as error:  # noqa: BLE001 - the last resort: no request may end in a stack trace
            self._defect(error)
            raise InternalError from None

    def _method(self, request: JsonObject) -> Method[Caller]:
        """The method a request asks for. Raises InvalidRequest, VersionNotSupported or MethodNotFound."""
        if "jsonrpc" not in request:
            raise InvalidRequest
        if request["jsonrpc"] != VERSION:
            raise VersionNotSupported("Only JSON-RPC 2.0 is supported.")
        name = request.get("method")
        if not isinstance(name, str) or not _is_identifier(request.get("id")):
            raise InvalidRequest
        if name not in self._methods:
            raise MethodNotFound
        return self._methods[name]


def _is_identifier(value: JsonValue) -> bool:
    """Whether `value` may stand as `id`: a string, a number or null (JSON-RPC 2.0 section 4)."""
    if isinstance(value, bool):
        return False
    if isinstance(value, float):
        return math.isfinite(value)
    return value is None or isinstance(value, str | int)


def _identifier(request: JsonObject) -> JsonValue:
    """The `id` to answer with; null if the request's own cannot be one (JSON-RPC 2.0 section 5)."""
    value = request.get("id")
    return value if _is_identifier(value) else None


def _identifier_text(value: JsonValue) -> str:
    # Canonical JSON prints numbers as doubles, but an id comes back as it was.
    return str(value) if isinstance(value, int) else canonicalize(value)


def _success(result: str, identifier: JsonValue) -> str:
    return f'{{"id":{_identifier_text(identifier)},"jsonrpc":"{VERSION}","result":{result}}}'


def _failure(error: Dm3Error, identifier: JsonValue) -> str:
    """JSON-RPC 2.0 section 5.1."""
    member: dict[str, Any] = {"code": error.code, "message": error.message}
    data = told_data(error)
    if data:
        member["data"] = data
    return f'{{"error":{canonicalize(member)},"id":{_identifier_text(identifier)},"jsonrpc":"{VERSION}"}}'


def _failed(error: Dm3Error, identifier: JsonValue) -> Answer:
    body = _failure(error, identifier)
    return Answer(error.status, body, headers=retry_headers(error), code=error.code)
