"""Where Chalice ends and the API begins.

`Routes` collects the views of one blueprint. A view gets a `Call` and returns an `Answer` or raises a
Dm3Error; what it raises becomes an answer here, and an exception that nobody expected is logged by type and
answered with 500 and one sentence, so that no path leads to a stack trace.

`middleware` puts the CORS headers on every answer, errors included, and writes the access log. It also keeps
the call in a context variable: Chalice has only one place for "the current request", which several threads of
one process would share.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from functools import cached_property
from time import perf_counter
from typing import TYPE_CHECKING, Any, TypeVar
from urllib.parse import unquote

from chalice.app import Blueprint, CORSConfig, Request, Response

from chalicelib.api import logs
from chalicelib.api.answers import Answer, refusal
from chalicelib.api.source import is_behind, source_of
from chalicelib.fetching.ports import LOOP_HEADER, LOOP_VALUE
from chalicelib.protocol.canonical import parse_json
from chalicelib.protocol.errors import Dm3Error, Forbidden, InternalError, InvalidInput, InvalidName, TooBig
from chalicelib.protocol.json_types import JsonValue

if TYPE_CHECKING:
    from chalicelib.api.models import Input

CORS = CORSConfig(
    allow_origin="*",
    allow_headers=["Content-Type", "Authorization"],
    expose_headers=["Link", "Retry-After"],
    max_age=600,
)

BODY_LIMIT_BYTES = 6 * 1024 * 1024
"""No body is larger in production: a synchronous invocation of Lambda carries at most 6 MB."""

AnyInput = TypeVar("AnyInput", bound="Input")


@dataclass(frozen=True)
class Call:
    """One HTTP request, as a view sees it. `origin_secret` as in `api.source`."""

    request: Request
    origin_secret: str | None = field(default=None, repr=False)

    @cached_property
    def body(self) -> bytes:
        """The raw body."""
        event = self.request.to_original_event()
        text = event.get("body") or ""
        if event.get("isBase64Encoded"):
            return base64.b64decode(text)
        # Bytes that are no UTF-8 stay recognisable as such to the parser.
        return text if isinstance(text, bytes) else str(text).encode("utf-8", "surrogatepass")

    @property
    def source(self) -> str:
        """The caller's network address."""
        return source_of(self.request.headers, self.request.context, self.origin_secret)

    @property
    def authorization(self) -> str | None:
        """The `Authorization` header."""
        return self.request.headers.get("authorization")

    @property
    def by_fetcher(self) -> bool:
        """Whether a relay's fetcher calls, since the records of some name lead here (`fetching.ports`)."""
        passed = str(self.request.headers.get(LOOP_HEADER, "")).split(",")
        return any(token.partition(";")[0].strip().lower() == LOOP_VALUE for token in passed)

    def name(self, parameter: str = "ensName") -> str:
        """A name of the path, percent-decoded (API Gateway leaves it encoded). Raises InvalidName."""
        try:
            return unquote((self.request.uri_params or {})[parameter], errors="strict")
        except UnicodeDecodeError:
            raise InvalidName from None

    @property
    def base(self) -> str:
        """The path under which the routes stand as the caller sees it: a stage's "/api", or nothing.

        A distribution adds the stage where the caller does not see it.
        """
        if is_behind(self.request.headers, self.origin_secret):
            return ""
        path = str(self.request.context.get("path", "")).rstrip("/")
        return path.rsplit("/", self.request.path.count("/"))[0] if path else ""

    def query(self, parameter: str) -> str | None:
        """The last value of a query parameter."""
        parameters = self.request.query_params
        return None if parameters is None else parameters.get(parameter)

    def json(self) -> JsonValue:
        """The body as JSON, whatever its content type says. Raises ParseError or TooBig."""
        if len(self.body) > BODY_LIMIT_BYTES:
            raise TooBig("The request is larger than this service accepts.")
        return parse_json(self.body)

    def read(self, model: type[AnyInput]) -> AnyInput:
        """The body as `model`. Raises ParseError, TooBig or InvalidInput."""
        return model.check(self.json(), error=InvalidInput)


_current: ContextVar[Call] = ContextVar("dm3_current_call")

View = Callable[[Call], Answer]
Wording = Callable[[Dm3Error], Answer]


@dataclass(frozen=True, slots=True)
class Route:
    """What the OpenAPI document says of a view.

    `body` names a model of `api.models`, `result` one of `api.results`, if there is JSON to be described.
    """

    method: str
    path: str
    summary: str
    body: str | None
    result: str | None
    status: int
    signed_in: bool
    query: tuple[str, ...]
    operator: bool = False


class Routes:
    """The views of one blueprint."""

    def __init__(self, name: str, wording: Wording = refusal) -> None:
        self.blueprint = Blueprint(f"chalicelib.api.{name}")
        self.described: list[Route] = []
        self._wording = wording

    def add(
        self,
        method: str,
        path: str,
        summary: str,
        *,
        wording: Wording | None = None,
        body: str | None = None,
        result: str | None = None,
        status: int = 200,
        signed_in: bool = False,
        query: tuple[str, ...] = (),
        operator: bool = False,
        fetched: bool = False,
    ) -> Callable[[View], View]:
        """Register a view; `wording` turns the errors it raises into answers.

        What the view itself makes sure of is described by `signed_in` (a session) or `operator` (the token).
        Only a `fetched` view answers other relays' fetchers, and must look no name up for them.
        """
        self.described.append(Route(method, path, summary, body, result, status, signed_in, query, operator))

        def register(view: View) -> View:
            # No list of content types: clients of the reference send JSON under several names, or none.
            route = self.blueprint.route(path, methods=[method], content_types=[], name=view.__name__)
            route(_guarded(view, wording or self._wording, fetched=fetched))
            return view

        return register


def _guarded(view: View, wording: Wording, *, fetched: bool) -> Callable[..., Response]:
    """`view` as Chalice calls it: it gets the path's parameters, which `Call` reads from the request."""

    def guarded(**_parameters: str) -> Response:
        call = _current.get()
        try:
            if call.by_fetcher and not fetched:
                raise Forbidden("No name may lead here.")
            answer = view(call)
        except Dm3Error as error:
            answer = wording(error)
        except Exception as error:  # noqa: BLE001 - the last resort: no request may end in a stack trace
            logs.defect(error)
            answer = refusal(InternalError())
        return _response(answer)

    return guarded


class _Coded(Response):
    """A Chalice response that remembers the error code for the access log."""

    code: int | None = None


def _response(answer: Answer) -> Response:
    response = _Coded(answer.body, {"Content-Type": answer.content_type, **answer.headers}, answer.status)
    response.code = answer.code
    return response


Middleware = Callable[[Request, Callable[[Request], Response]], Response]


def middleware(origin_secret: str | None = None) -> Middleware:
    """CORS headers on every answer, a line in the access log, and no exception past this point.

    `origin_secret` is what a distribution in front sends along (`api.source`).
    """

    def call(request: Request, get_response: Callable[[Request], Response]) -> Response:
        started = perf_counter()
        token = _current.set(Call(request, origin_secret))
        try:
            response = get_response(request)
        except Exception as error:  # noqa: BLE001 - the last resort: no request may end in a stack trace
            logs.defect(error)
            response = _response(refusal(InternalError()))
        finally:
            _current.reset(token)
        response.headers.update(CORS.get_access_control_headers())
        logs.access(
            request_id=str(_context(request).get("requestId", "")),
            method=str(_context(request).get("httpMethod", "")),
            route=str(_context(request).get("resourcePath", "")),
            status=response.status_code,
            duration_ms=(perf_counter() - started) * 1000,
            code=getattr(response, "code", None),
        )
        return response

    return call


def _context(request: Request) -> Mapping[str, Any]:
    return request.context if request is not None else {}
