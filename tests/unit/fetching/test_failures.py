"""What kept a fetch from an answer is told apart, and stays what it was to everybody else."""

from __future__ import annotations

import socket
import ssl
import threading
from collections.abc import Callable
from contextlib import suppress
from ipaddress import ip_address

import pytest

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.failures import AnswerTooLong, FetchFailed, FetchReason
from chalicelib.fetching.guarded_fetcher import GuardedFetcher
from chalicelib.fetching.ports import Answer
from chalicelib.protocol.errors import TooBig, Unavailable

PUBLIC = ip_address("8.8.8.8")


def server(answer: bytes | None) -> Callable[[Address, int, float], socket.socket]:
    """A connector to a server that sends `answer` and hangs up; None: it says nothing and stays."""

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            if answer is None:
                while connection.recv(65_536):
                    pass
            else:
                connection.recv(65_536)
                connection.sendall(answer)

    def connect(_address: Address, _port: int, _timeout_s: float) -> socket.socket:
        ours, theirs = socket.socketpair()
        threading.Thread(target=serve, args=(theirs,)).start()
        return ours

    return connect


def failure(answer: bytes | None, url: str = "http://127.0.0.1:8080/") -> FetchFailed:
    fetcher = GuardedFetcher(allow_local=True, connector=server(answer))
    with pytest.raises(FetchFailed) as caught:
        fetcher.fetch(url, max_bytes=10, deadline_s=0.3)
    assert isinstance(caught.value, Unavailable)
    assert caught.value.data == {}
    return caught.value


@pytest.mark.parametrize(
    ("answer", "reason", "status"),
    [
        (b"HTTP/1.1 302 Found\r\nLocation: http://10.0.0.1/\r\n\r\n", FetchReason.REDIRECTED, 302),
        (b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\n", FetchReason.UNREADABLE, 200),
        (b"HTTP/1.1 500 No\r\nTransfer-Encoding: gzip\r\n\r\n", FetchReason.UNREADABLE, 500),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", FetchReason.BROKEN_OFF, 200),
        (b"HTTP/1.1 99 Low\r\n\r\n", FetchReason.NOT_HTTP, None),
        (b"SSH-2.0-OpenSSH_9.6\r\n", FetchReason.NOT_HTTP, None),
        (b"", FetchReason.BROKEN_OFF, None),
        (None, FetchReason.TIMED_OUT, None),
    ],
)
def test_each_failure_has_its_reason(answer: bytes | None, reason: FetchReason, status: int | None) -> None:
    failed = failure(answer)
    assert (failed.reason, failed.answered_status) == (reason, status)


def test_bad_tls_is_not_trusted() -> None:
    assert failure(b"no TLS", "https://127.0.0.1/").reason is FetchReason.UNTRUSTED
    assert issubclass(ssl.SSLError, OSError)


def test_a_host_without_address_and_one_without_server() -> None:
    def refuses(_address: Address, _port: int, _timeout_s: float) -> socket.socket:
        raise ConnectionRefusedError

    with pytest.raises(FetchFailed) as caught:
        GuardedFetcher(resolver=lambda _: []).fetch("https://a.example/", max_bytes=1, deadline_s=1.0)
    assert caught.value.reason is FetchReason.UNRESOLVED
    with pytest.raises(FetchFailed) as caught:
        GuardedFetcher(resolver=lambda _: [PUBLIC], connector=refuses).fetch(
            "https://a.example/", max_bytes=1, deadline_s=1.0
        )
    assert caught.value.reason is FetchReason.UNREACHABLE


def test_a_process_that_has_no_place_left_says_so() -> None:
    fetcher = GuardedFetcher(allow_local=True, at_once=0, connector=server(b""))
    with pytest.raises(FetchFailed) as caught:
        fetcher.fetch("http://127.0.0.1:8080/", max_bytes=1, deadline_s=0.05)
    assert caught.value.reason is FetchReason.BUSY


@pytest.mark.parametrize(
    ("head", "read"),
    [(b"", b"0123456789"), (b"Content-Length: 20\r\n", b"")],
    ids=["unannounced", "announced"],
)
def test_of_too_long_an_answer_status_and_headers_are_known(head: bytes, read: bytes) -> None:
    text = b"HTTP/1.1 503 Busy\r\nRetry-After: 7\r\n" + head + b"\r\n" + b"0123456789" * 2
    with pytest.raises(AnswerTooLong) as caught:
        GuardedFetcher(allow_local=True, connector=server(text)).fetch(
            "http://127.0.0.1:8080/", max_bytes=10, deadline_s=1.0
        )
    answer: Answer = caught.value.answer
    assert isinstance(caught.value, TooBig)
    assert (answer.status, answer.headers["retry-after"], answer.body) == (503, "7", read)
