"""The transport over real sockets, on loopback: what a hostile or broken server can do to it."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import pytest

from chalicelib.client.http import HttpTransport
from chalicelib.client.transport import Request
from chalicelib.protocol.errors import InvalidInput, Unavailable
from tests.support.ports import LOOPBACK, free_port


@contextmanager
def server(behave: Callable[[socket.socket, bytes], None]) -> Iterator[str]:
    """A server for one connection; `behave` gets the connection and the request."""
    with socket.create_server((LOOPBACK, 0)) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with connection:
                request = b""
                while not request.endswith(b"body" if request.startswith(b"POST") else b"\r\n\r\n"):
                    request += connection.recv(65_536)
                try:
                    behave(connection, request)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        yield f"http://{LOOPBACK}:{listener.getsockname()[1]}/x"
        thread.join(10)


@pytest.fixture
def transport() -> Iterator[HttpTransport]:
    made = HttpTransport(timeout_s=1, max_bytes=1_000, allow_http=True)
    yield made
    made.close()


def test_a_request_and_its_answer(transport: HttpTransport) -> None:
    seen: list[bytes] = []

    def behave(connection: socket.socket, request: bytes) -> None:
        seen.append(request)
        connection.sendall(b"HTTP/1.1 429 Slow\r\nRetry-After: 5\r\nContent-Length: 2\r\n\r\n{}")

    with server(behave) as url:
        response = transport.exchange(Request("POST", url, {"authorization": "Bearer t"}, b"body"))
    assert (response.status, response.body, response.headers["retry-after"]) == (429, b"{}", "5")
    assert seen[0].startswith(b"POST /x HTTP/1.1\r\n")
    assert b"authorization: bearer t" in seen[0].lower()
    assert seen[0].endswith(b"body")


def test_redirects_are_not_followed(transport: HttpTransport) -> None:
    def behave(connection: socket.socket, _request: bytes) -> None:
        connection.sendall(b"HTTP/1.1 302 Found\r\nLocation: /y\r\nContent-Length: 0\r\n\r\n")

    with server(behave) as url:
        assert transport.exchange(Request("GET", url)).status == 302


def test_nobody_listens(transport: HttpTransport) -> None:
    with pytest.raises(Unavailable):
        transport.exchange(Request("GET", f"http://{LOOPBACK}:{free_port()}/"))


def _too_long(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\n" + b"x" * 2_000)


def _broken_off(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 2000\r\n\r\nx")


def _nonsense(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"what?\r\n\r\n")


def _silent(connection: socket.socket, _request: bytes) -> None:
    connection.settimeout(5)
    connection.recv(1)


def _drop_by_drop(connection: socket.socket, _request: bytes) -> None:
    connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 900\r\n\r\n")
    for _ in range(40):
        connection.sendall(b"x")
        time.sleep(0.1)


@pytest.mark.parametrize("behave", [_too_long, _broken_off, _nonsense, _silent, _drop_by_drop])
def test_what_a_server_must_not_do(
    transport: HttpTransport, behave: Callable[[socket.socket, bytes], None]
) -> None:
    started = time.monotonic()
    with server(behave) as url, pytest.raises(Unavailable):
        transport.exchange(Request("GET", url))
    assert time.monotonic() - started < 8


@pytest.mark.parametrize(
    "url",
    [
        "ftp://x/",
        "file:///etc/passwd",
        "",
        "x",
        "https://",
        "https://[",
        "HTTP://a/",
        "http://192.0.2.1/",
        "http://example.org/",
        "http://localhost.example.org/",
        "http://[",
    ],
)
def test_urls_that_are_not_called(transport: HttpTransport, url: str) -> None:
    with pytest.raises((InvalidInput, Unavailable)):
        transport.exchange(Request("GET", url))


def test_without_encryption_only_when_asked() -> None:
    with pytest.raises(InvalidInput):
        HttpTransport().exchange(Request("GET", f"http://{LOOPBACK}:{free_port()}/"))
