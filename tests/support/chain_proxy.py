"""A proxy on loopback in front of a node, which counts requests and misbehaves as a provider can."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from threading import Event, Lock, Thread
from typing import Any

import urllib3

from tests.support.ports import LOOPBACK


class Manner(StrEnum):
    """How a provider behaves. From LIMITED on they forward what they are asked, and change the answer."""

    WELL = "well"
    DEAD = "dead"
    HANGS = "hangs"
    DRIPS = "drips"
    HTTP_500 = "HTTP 500"
    HTTP_429 = "HTTP 429"
    GARBAGE = "garbage"
    LIMITED = "limited"
    INTERNAL = "internal"
    LAGS = "lags"
    NO_HEAD = "no head"
    FUTURE = "future"
    OTHER_CHAIN = "other chain"


_ERRORS = {
    Manner.LIMITED: {"code": -32005, "message": "daily request count exceeded"},
    Manner.INTERNAL: {"code": -32603, "message": "Internal error"},
}
_BODIES = {Manner.HTTP_500: (500, b"{}"), Manner.HTTP_429: (429, b"{}"), Manner.GARBAGE: (200, b"<html>")}


class ChainProxy:
    """In front of `upstream`. `requests` counts what came in, `methods` are those of each request."""

    def __init__(self, upstream: str) -> None:
        self.upstream = upstream
        self.url = ""
        self.manner = Manner.WELL
        self.methods: list[tuple[str, ...]] = []
        self.over = Event()
        self.pool = urllib3.PoolManager(retries=False)
        self._lock = Lock()

    @property
    def requests(self) -> int:
        return len(self.methods)

    def note(self, body: Any) -> None:  # noqa: ANN401 - any JSON
        calls = body if isinstance(body, list) else [body]
        with self._lock:
            self.methods.append(tuple(call["method"] for call in calls))

    def forward(self, body: bytes) -> bytes:
        """The node's answer, changed as the manner wants it."""
        asked = json.loads(body)
        answer = json.loads(
            self.pool.request(
                "POST", self.upstream, body=body, headers={"content-type": "application/json"}
            ).data
        )
        methods = {call["id"]: call["method"] for call in (asked if isinstance(asked, list) else [asked])}
        for one in answer if isinstance(answer, list) else [answer]:
            self._change(methods[one["id"]], one)
        return json.dumps(answer).encode()

    def _change(self, method: str, answer: dict[str, Any]) -> None:
        if self.manner in _ERRORS:
            answer.pop("result", None)
            answer["error"] = _ERRORS[self.manner]
        elif method == "eth_chainId" and self.manner is Manner.OTHER_CHAIN:
            answer["result"] = "0x89"
        elif method == "eth_getBlockByNumber":
            if self.manner is Manner.NO_HEAD:
                answer["result"] = None
            elif self.manner is Manner.LAGS:
                answer["result"]["timestamp"] = hex(int(answer["result"]["timestamp"], 16) - 3_600)
            elif self.manner is Manner.FUTURE:
                answer["result"]["timestamp"] = hex(2**40)


class _Handler(BaseHTTPRequestHandler):
    """Answers as the server's proxy says."""

    protocol_version = "HTTP/1.1"

    def do_POST(self) -> None:
        assert isinstance(self.server, _Server)
        proxy = self.server.proxy
        body = self.rfile.read(int(self.headers["content-length"]))
        proxy.note(json.loads(body))
        if proxy.manner in _BODIES:
            self._send(*_BODIES[proxy.manner])
        elif proxy.manner in {Manner.DEAD, Manner.HANGS, Manner.DRIPS}:
            self.close_connection = True
            self._fall_silent(proxy)
        else:
            self._send(200, proxy.forward(body))

    def _fall_silent(self, proxy: ChainProxy) -> None:
        if proxy.manner is Manner.HANGS:
            proxy.over.wait()
        elif proxy.manner is Manner.DRIPS:
            self.send_response(200)
            self.send_header("content-length", "10000")
            self.end_headers()
            while not proxy.over.wait(0.05):
                self.wfile.write(b" ")

    def _send(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("content-length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Tests are silent."""


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def __init__(self, proxy: ChainProxy) -> None:
        super().__init__((LOOPBACK, 0), _Handler)
        self.proxy = proxy

    def handle_error(self, *_: object) -> None:
        """A client that hangs up is expected."""


@contextmanager
def chain_proxy(upstream: str) -> Iterator[ChainProxy]:
    """A running proxy, stopped at the end."""
    proxy = ChainProxy(upstream)
    server = _Server(proxy)
    proxy.url = f"http://{LOOPBACK}:{server.server_port}"
    thread = Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield proxy
    finally:
        proxy.over.set()
        server.shutdown()
        server.server_close()
        thread.join()
        proxy.pool.clear()
