"""The client's WebSocket against real servers on loopback, honest and others."""

from __future__ import annotations

import contextlib
import logging
import socket
import threading
import time
from collections.abc import Callable, Iterator

import pytest
from websockets.datastructures import Headers
from websockets.http11 import Request, Response
from websockets.sync.server import Server, ServerConnection, serve

from chalicelib.client import LiveSocket, NoLiveConnections, WebSocketDialer
from chalicelib.protocol.errors import Unavailable

Handler = Callable[[ServerConnection], None]
DIALER = WebSocketDialer(allow_ws=True, open_within_s=2.0, max_bytes=1_000)


@contextlib.contextmanager
def server(handler: Handler, answer: Response | None = None) -> Iterator[str]:
    """The URL of a server that runs `handler` for each connection, or answers `answer` and opens none."""

    def admit(_connection: ServerConnection, _request: Request) -> Response | None:
        return answer

    running: Server
    with serve(handler, "127.0.0.1", 0, process_request=admit, close_timeout=1) as running:
        thread = threading.Thread(target=running.serve_forever)
        thread.start()
        host, port = running.socket.getsockname()[:2]
        yield f"ws://{host}:{port}/live"
        running.shutdown()
        thread.join()


@contextlib.contextmanager
def raw_server(answer: bytes | None) -> Iterator[str]:
    """The URL of a server that answers these bytes to whatever it is asked, or nothing at all."""
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve_one() -> None:
            connection, _ = listening.accept()
            with connection:
                connection.recv(65_536)
                if answer is None:
                    connection.recv(65_536)
                else:
                    connection.sendall(answer)

        thread = threading.Thread(target=serve_one)
        thread.start()
        yield f"ws://127.0.0.1:{listening.getsockname()[1]}/live"
        thread.join()


@contextlib.contextmanager
def dialled(url: str) -> Iterator[LiveSocket]:
    connection = DIALER.dial(url)
    try:
        yield connection
    finally:
        connection.close()


def echo(connection: ServerConnection) -> None:
    for text in connection:
        connection.send(text)


def test_texts_go_both_ways() -> None:
    with server(echo) as url, dialled(url) as live:
        live.send("häl✉")
        assert live.receive(5) == "häl✉"
        assert live.receive(0.01) is None
        assert live.receive(0) is None


@pytest.mark.parametrize("status", [200, 204, 400, 401, 403, 404, 405, 426])
def test_a_server_that_opens_none(status: int) -> None:
    answer = Response(status, "", Headers([("Content-Length", "0")]))
    with server(echo, answer) as url, pytest.raises(NoLiveConnections):
        DIALER.dial(url)


@pytest.mark.parametrize("status", [408, 425, 429, 500, 502, 503, 504])
def test_a_server_that_may_open_one_later(status: int) -> None:
    answer = Response(status, "", Headers([("Content-Length", "0")]))
    with server(echo, answer) as url, pytest.raises(Unavailable):
        DIALER.dial(url)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_no_redirect_is_followed(status: int) -> None:
    """The token would go wherever a server likes."""
    reached: list[ServerConnection] = []
    with server(reached.append) as elsewhere:
        headers = Headers([("Location", elsewhere), ("Content-Length", "0")])
        with server(echo, Response(status, "", headers)) as url, pytest.raises(NoLiveConnections):
            DIALER.dial(url)
    assert reached == []


def test_nobody_listens() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port = listening.getsockname()[1]
    with pytest.raises(Unavailable):
        DIALER.dial(f"ws://127.0.0.1:{port}/live")


@pytest.mark.parametrize(
    "answer", [b"", b"SSH-2.0-x\r\n", b"HTTP/1.1 101 ", b"\x00" * 100, b"HTTP/1.1 101 Up\r\n\r\n"]
)
def test_a_server_of_something_else(answer: bytes) -> None:
    with raw_server(answer) as url, pytest.raises((Unavailable, NoLiveConnections)):
        DIALER.dial(url)


def test_a_server_that_does_not_answer() -> None:
    began_s = time.monotonic()
    dialer = WebSocketDialer(allow_ws=True, open_within_s=0.2)
    with raw_server(None) as url, pytest.raises(Unavailable):
        dialer.dial(url)
    assert time.monotonic() - began_s < 2


def test_a_server_without_encryption_where_it_is_asked_for() -> None:
    with raw_server(b"HTTP/1.1 400 Bad Request\r\n\r\n") as url, pytest.raises(Unavailable):
        DIALER.dial(url.replace("ws:", "wss:"))


@pytest.mark.parametrize(
    ("dialer", "url"),
    [
        (WebSocketDialer(), "ws://127.0.0.1:1/live"),
        (DIALER, "ws://192.0.2.1/live"),
        (DIALER, "ws://relay.example/live"),
        (DIALER, "http://127.0.0.1:1/live"),
        (DIALER, "ftp://127.0.0.1/live"),
        (DIALER, "live"),
        (DIALER, ""),
        (DIALER, "wss://[/live"),
        (DIALER, "wss://127.0.0.1:99999999/live"),
        (DIALER, "wss:///live"),
    ],
)
def test_urls_that_are_not_called(dialer: WebSocketDialer, url: str) -> None:
    with pytest.raises((NoLiveConnections, Unavailable)):
        dialer.dial(url)


@pytest.mark.parametrize("code", [1000, 1001, 1009, 1011, 1012])
def test_a_closed_connection_is_lost(code: int) -> None:
    with server(lambda connection: connection.close(code)) as url, dialled(url) as live:
        with pytest.raises(Unavailable):
            live.receive(5)
        with pytest.raises(Unavailable):
            live.send("anybody?")


def test_a_broken_connection_is_lost() -> None:
    def shut(connection: ServerConnection) -> None:
        connection.socket.shutdown(socket.SHUT_RDWR)

    with server(shut) as url, dialled(url) as live, pytest.raises(Unavailable):
        live.receive(5)


@pytest.mark.parametrize("what", ["x" * 1_001, b"\x00", b"{}"])
def test_too_much_and_what_is_no_text_ends_it(what: str | bytes) -> None:
    def send(connection: ServerConnection) -> None:
        connection.send(what)

    with server(send) as url, dialled(url) as live, pytest.raises(Unavailable):
        live.receive(5)


def test_another_thread_may_close_it() -> None:
    with server(echo) as url, dialled(url) as live:
        threading.Timer(0.05, live.close).start()
        with pytest.raises(Unavailable):
            live.receive(5)
        live.close()


def test_nothing_of_what_is_sent_reaches_a_log(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    logging.getLogger("dm3.live").setLevel(logging.DEBUG)
    logging.getLogger("websockets.client").setLevel(logging.DEBUG)
    with server(echo) as url, dialled(url) as live:
        live.send("a secret token")
        assert live.receive(5) == "a secret token"
        time.sleep(0.01)
    ours = [record for record in caplog.records if record.name != "websockets.server"]
    assert "secret" not in " ".join(record.getMessage() for record in ours)


def test_the_library_is_imported_when_a_connection_is_opened() -> None:
    import subprocess
    import sys

    program = "import chalicelib.client, sys; sys.exit('websockets' in sys.modules)"
    subprocess.run([sys.executable, "-c", program], check=True)
