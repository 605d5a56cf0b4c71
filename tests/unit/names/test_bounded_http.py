"""Servers that send a little now and then, in every part of an answer, against one limit for all of it."""

from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

import pytest
import urllib3
from urllib3.exceptions import HTTPError

from chalicelib.names.bounded_http import BoundedPools

LIMIT_S = 0.3
PAUSE_S = 0.05
HEAD = b"HTTP/1.1 200 OK\r\n"


@contextmanager
def _dripping(at_once: bytes, drip: bytes) -> Iterator[str]:
    """A server that sends `at_once`, then `drip` byte by byte, again and again."""
    over = Event()

    def serve(listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            with connection:
                connection.recv(65_536)
                connection.sendall(at_once)
                while not over.is_set():
                    for byte in drip:
                        connection.sendall(bytes([byte]))
                        over.wait(PAUSE_S)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        thread = Thread(target=serve, args=(listener,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}/"
        finally:
            over.set()
            thread.join()


def _get(pools: BoundedPools, url: str, limit_s: float = LIMIT_S) -> bytes:
    response = pools.request(
        "GET", url, timeout=urllib3.Timeout(total=limit_s), preload_content=False, retries=False
    )
    try:
        return response.read()
    finally:
        response.close()


@pytest.mark.parametrize(
    ("at_once", "drip"),
    [
        pytest.param(b"", b"HTTP/1.1 200 OK" + b" " * 1000, id="status line"),
        pytest.param(HEAD, b"x-one: 1\r\n", id="headers"),
        pytest.param(HEAD + b"x-one: ", b"1", id="one long header"),
        pytest.param(HEAD + b"content-length: 100000\r\n\r\n", b"a", id="body"),
        pytest.param(HEAD + b"\r\n", b"a", id="body without a length"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"1\r\na\r\n", id="chunks"),
        pytest.param(HEAD + b"transfer-encoding: chunked\r\n\r\n", b"0", id="the length of a chunk"),
    ],
)
def test_an_answer_takes_no_longer_than_its_limit(at_once: bytes, drip: bytes) -> None:
    with _dripping(at_once, drip) as url:
        pools = BoundedPools()
        started_s = time.monotonic()
        with pytest.raises(HTTPError):
            _get(pools, url)
        assert LIMIT_S / 2 < time.monotonic() - started_s < LIMIT_S + 0.3
        pools.clear()


def test_a_slow_answer_within_its_limit_is_read() -> None:
    body = b"slow but complete"
    head = HEAD + f"content-length: {len(body)}\r\n\r\n".encode()
    with _dripping(head, body) as url:
        pools = BoundedPools()
        assert _get(pools, url, limit_s=5) == body
        pools.clear()
