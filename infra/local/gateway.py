"""API Gateway on the laptop: HTTP in, Lambda proxy events out, to the very same Chalice application.

An ASGI application that any ASGI server can run. For each HTTP request it builds the event that a REST API
with Lambda proxy integration would send (AWS documentation, "Input format of a Lambda function for proxy
integration") and calls the application in a pool of threads, so several requests are served at once. What API
Gateway answers by itself is answered here likewise: preflight requests, unknown paths and methods, and bodies
that are too large, in the words that infra/template/api.yaml gives its GatewayResponses.

The application need not be isolated between threads: Chalice makes a request object for each event and hands
it to the middleware, where `chalicelib.api.edge` keeps it in a context variable.
"""

from __future__ import annotations

import asyncio
import base64
import json
import uuid
from collections.abc import Awaitable, Callable, Mapping, MutableMapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl

from chalice.app import Chalice, CORSConfig

from infra.local.sockets import SocketGateway

GATEWAY_LIMIT_BYTES = 10 * 1024 * 1024  # API Gateway quotas: payload size
LAMBDA_LIMIT_BYTES = 6_291_556  # Lambda quotas: synchronous payload, each way
STAGE = "local"
THREADS = 16

Message = MutableMapping[str, Any]
Receive = Callable[[], Awaitable[Message]]
Send = Callable[[Message], Awaitable[None]]


@dataclass(frozen=True, slots=True)
class HttpAnswer:
    """What goes out: status, headers as ASGI wants them, body."""

    status: int
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes


@dataclass(frozen=True, slots=True)
class Match:
    """The resource a path leads to (its template), and the path's parameters, still percent-encoded."""

    resource: str
    parameters: Mapping[str, str]


class _TooLarge(Exception):
    """The body exceeds the gateway's limit."""


def match(resources: frozenset[str], path: str) -> Match | None:
    """The resource for `path` as API Gateway finds it.

    A trailing slash is ignored, a literal segment wins over a parameter at each level, and there is no way
    back from a level once taken.
    """
    segments = path.strip("/").split("/")
    tails = {resource: resource.strip("/").split("/") for resource in resources}
    candidates = {resource: tail for resource, tail in tails.items() if len(tail) == len(segments)}
    for level, segment in enumerate(segments):
        literal = {name: tail for name, tail in candidates.items() if tail[level] == segment}
        candidates = literal or {
            name: tail for name, tail in candidates.items() if segment and tail[level].startswith("{")
        }
    for resource, tail in candidates.items():
        return Match(
            resource,
            {
                name[1:-1]: segment
                for name, segment in zip(tail, segments, strict=True)
                if name.startswith("{")
            },
        )
    return None


class Gateway:
    """The ASGI application. `app` is called with events, from at most `threads` threads at once.

    WebSockets, at whatever path, are handed to `sockets`; without it they are refused. `close` waits for the
    requests that are being answered.
    """

    def __init__(self, app: Chalice, *, sockets: SocketGateway | None = None, threads: int = THREADS) -> None:
        self._app = app
        self.sockets = sockets
        self._resources = frozenset(app.routes)
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="gateway")

    def close(self) -> None:
        """End the threads, after their last answers."""
        self._pool.shutdown()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One request or one WebSocket, as ASGI calls it."""
        if scope["type"] == "websocket":
            await (self.sockets or _no_sockets)(scope, receive, send)
            return
        try:
            body = await _body(receive)
        except _TooLarge:
            answer = _own_answer(413, "Request Too Long")
        else:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, self.answer, scope, body)
        await send({"type": "http.response.start", "status": answer.status, "headers": answer.headers})
        await send({"type": "http.response.body", "body": answer.body})

    def answer(self, scope: Message, body: bytes) -> HttpAnswer:
        """The answer to one request: the gateway's own, or the application's."""
        path = scope.get("raw_path", scope["path"].encode()).decode("ascii", "replace")
        found = match(self._resources, path)
        if found is None:
            return _own_answer(404, "Not found")
        views = self._app.routes[found.resource]
        if scope["method"] == "OPTIONS":
            return _preflight(next(iter(views.values())).cors, [*views, "OPTIONS"])
        if scope["method"] not in views:
            return _own_answer(404, "Not found")
        event = proxy_event(scope, path, found, body, self._app.api.binary_types)
        if _exceeds_lambda(event):
            return _own_answer(413, "Request Too Long")
        return self._invoke(event)

    def _invoke(self, event: Mapping[str, Any]) -> HttpAnswer:
        request_id = event["requestContext"]["requestId"]
        answer = self._app(event, Context(request_id))
        if _exceeds_lambda(answer):
            return _own_answer(502, "Internal server error")
        body = answer["body"]
        content = base64.b64decode(body) if answer.get("isBase64Encoded") else body.encode()
        values = [*answer["headers"].items()]
        values += [(name, value) for name, all_ in answer["multiValueHeaders"].items() for value in all_]
        return _http_answer(answer["statusCode"], [*values, ("x-amzn-RequestId", request_id)], content)


@dataclass(frozen=True, slots=True)
class Context:
    """The part of Lambda's context object that tells invocations apart."""

    aws_request_id: str


def proxy_event(
    scope: Message, path: str, found: Match, body: bytes, binary_types: list[str]
) -> dict[str, Any]:
    """The event for one request, in the input format of Lambda proxy integration (version 1.0)."""
    headers: dict[str, list[str]] = {}
    for name, value in scope["headers"]:
        headers.setdefault(name.decode("latin-1"), []).append(value.decode("latin-1"))
    query: dict[str, list[str]] = {}
    for name, value in parse_qsl(scope["query_string"].decode("latin-1"), keep_blank_values=True):
        query.setdefault(name, []).append(value)
    media_type = headers.get("content-type", [""])[-1].split(";")[0].strip().lower()
    is_binary = bool(body) and media_type in binary_types
    text = base64.b64encode(body).decode() if is_binary else body.decode("utf-8", "replace")
    return {
        "resource": found.resource,
        "path": path,
        "httpMethod": scope["method"],
        "headers": {name: values[-1] for name, values in headers.items()},
        "multiValueHeaders": headers,
        "queryStringParameters": {name: values[-1] for name, values in query.items()} or None,
        "multiValueQueryStringParameters": query or None,
        "pathParameters": dict(found.parameters) or None,
        "stageVariables": None,
        "requestContext": {
            "resourcePath": found.resource,
            "httpMethod": scope["method"],
            # As behind a custom domain: without the stage.
            "path": path,
            "protocol": f"HTTP/{scope['http_version']}",
            "stage": STAGE,
            "requestId": str(uuid.uuid4()),
            "identity": {
                "sourceIp": (scope.get("client") or ("127.0.0.1", 0))[0],
                "userAgent": headers.get("user-agent", [None])[-1],
            },
        },
        "body": text or None,
        "isBase64Encoded": is_binary,
    }


async def _no_sockets(_scope: Message, receive: Receive, send: Send) -> None:
    await receive()
    await send({"type": "websocket.close"})  # before it was accepted: the handshake is answered with 403


async def _body(receive: Receive) -> bytes:
    """The whole body. Raises _TooLarge, after reading to its end so that the client hears the answer."""
    body = bytearray()
    size = 0
    while True:
        message = await receive()
        chunk = message.get("body", b"")
        size += len(chunk)
        if size <= GATEWAY_LIMIT_BYTES:
            body += chunk
        if not message.get("more_body"):
            break
    if size > GATEWAY_LIMIT_BYTES:
        raise _TooLarge
    return bytes(body)


def _exceeds_lambda(payload: Mapping[str, Any]) -> bool:
    # Writing JSON at most makes six characters of one: small bodies need not be measured.
    if len(payload["body"] or "") < LAMBDA_LIMIT_BYTES // 8:
        return False
    return len(json.dumps(payload, ensure_ascii=False).encode("utf-8", "surrogatepass")) > LAMBDA_LIMIT_BYTES


def _preflight(cors: CORSConfig, methods: list[str]) -> HttpAnswer:
    """The mock integration that `chalice package` adds to each path (chalice.deploy.swagger)."""
    headers = {"Access-Control-Allow-Methods": ",".join(methods), **cors.get_access_control_headers()}
    return _http_answer(200, [*headers.items()], b"")


def _own_answer(status: int, sentence: str) -> HttpAnswer:
    """A GatewayResponse, as infra/template/api.yaml words it."""
    headers = [("Content-Type", "application/json"), ("Access-Control-Allow-Origin", "*")]
    return _http_answer(status, headers, json.dumps({"error": sentence}, separators=(",", ":")).encode())


def _http_answer(status: int, headers: list[tuple[str, str]], body: bytes) -> HttpAnswer:
    encoded = [
        (name.lower().encode("latin-1"), value.encode("latin-1", "replace")) for name, value in headers
    ]
    if status != 204:  # RFC 9110 section 8.6: no length where there can be no content
        encoded.append((b"content-length", str(len(body)).encode()))
    return HttpAnswer(status, tuple(encoded), body)
