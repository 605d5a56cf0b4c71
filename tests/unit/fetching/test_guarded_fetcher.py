from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.guarded_fetcher import MAX_HEAD_BYTES, GuardedFetcher, system_tls
from chalicelib.fetching.ports import Answer
from chalicelib.protocol.errors import Dm3Error, TooBig, Unavailable, UnsafeLink

HOME, PUBLIC, PRIVATE = ip_address("127.0.0.1"), ip_address("8.8.8.8"), ip_address("10.0.0.1")
OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nhi"


class Net:
    """Every address is a server that sends `answer` and hangs up; `names` are resolved as they say.

    A name whose value is a list of lists gives one after the other.
    """

    def __init__(
        self, answer: bytes = OK, names: Mapping[str, Sequence[Sequence[Address]]] | None = None
    ) -> None:
        self.answer = answer
        self.names = {host: list(answers) for host, answers in (names or {}).items()}
        self.resolved: list[str] = []
        self.connected: list[tuple[Address, int]] = []
        self._received = b""

    def resolve(self, host: str) -> Sequence[Address]:
        self.resolved.append(host)
        answers = self.names[host]
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: Address, port: int, timeout_s: float) -> socket.socket:
        assert timeout_s > 0
        self.connected.append((address, port))
        ours, theirs = socket.socketpair()
        self._serving = threading.Thread(target=self._serve, args=(theirs,))
        self._serving.start()
        return ours

    def request(self) -> bytes:
        """What was sent over the last connection, when that has ended."""
        self._serving.join(5)
        return self._received

    def _serve(self, connection: socket.socket) -> None:
        received = b""
        with connection:
            connection.settimeout(5)
            with suppress(OSError):
                connection.sendall(self.answer)
                connection.shutdown(socket.SHUT_WR)
            with suppress(ConnectionResetError):
                while piece := connection.recv(65_536):
                    received += piece
        self._received = received

    def fetcher(self, **options: Any) -> GuardedFetcher:  # noqa: ANN401 - any option of the fetcher
        return GuardedFetcher(
            **{"allow_local": True, "resolver": self.resolve, "connector": self.connect, **options}
        )


def _get(net: Net, url: str = "http://127.0.0.1:8080/", max_bytes: int = 1_000, **options: Any) -> Answer:  # noqa: ANN401
    return net.fetcher(**options).fetch(url, max_bytes=max_bytes, deadline_s=2.0)


def test_a_get_request_and_its_answer() -> None:
    net = Net(b"HTTP/1.1 200 OK\r\nX-One: 1\r\nContent-Length: 2\r\n\r\nhi and more")
    answer = net.fetcher().fetch(
        "http://127.0.0.1:8080/a?b=c#d", headers={"accept": "application/json"}, max_bytes=10, deadline_s=2.0
    )
    assert answer == Answer(200, {"x-one": "1", "content-length": "2"}, b"hi")
    assert net.connected == [(HOME, 8080)]
    head = net.request().decode().lower()
    assert head.startswith("get /a?b=c http/1.1\r\n")
    for line in (
        "host: 127.0.0.1:8080",
        "accept: application/json",
        "accept-encoding: identity",
        "connection: close",
        "cdn-loop: dm3-relay",
    ):
        assert head.count(f"\r\n{line}\r\n") == 1
    for name in ("cookie", "authorization", "referer", "proxy"):
        assert name not in head


def test_a_post_request_with_headers_and_a_body() -> None:
    net = Net(names={"localhost": [[HOME]]})
    answer = net.fetcher().fetch(
        "http://localhost:8080/hook",
        method="POST",
        headers={"webhook-id": "1", "accept-encoding": "gzip", "host": "evil.example"},
        body=b'{"a":1}',
        max_bytes=10,
        deadline_s=2.0,
    )
    assert answer.body == b"hi"
    request = net.request().decode().lower()
    assert request.startswith("post /hook http/1.1\r\n")
    assert "\r\ncontent-length: 7\r\n" in request
    assert "\r\nwebhook-id: 1\r\n" in request
    assert request.endswith('\r\n\r\n{"a":1}')
    assert "gzip" not in request
    assert "evil" not in request


@pytest.mark.parametrize("status", [200, 204, 205, 400, 404, 418, 429, 500, 503])
def test_every_status_but_a_redirect_is_an_answer(status: int) -> None:
    body = b"" if status in {204, 205} else b"hi"
    answer = _get(Net(b"HTTP/1.1 %d X\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body)))
    assert (answer.status, answer.body) == (status, body)


def test_a_body_in_chunks_and_one_until_the_end() -> None:
    chunked = (
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n3;x=y\r\ncde\r\n0\r\nT: 1\r\n\r\n"
    )
    assert _get(Net(chunked)).body == b"abcde"
    assert _get(Net(b"HTTP/1.0 200 OK\r\n\r\nuntil the end")).body == b"until the end"


@pytest.mark.parametrize("status", range(300, 309))
@pytest.mark.parametrize(
    "location", ["https://example.com/", "http://127.0.0.1:8080/", "/", "//x", "", "\x01"]
)
def test_no_redirect_is_followed(status: int, location: str) -> None:
    net = Net(f"HTTP/1.1 {status} X\r\nLocation: {location}\r\nContent-Length: 2\r\n\r\nhi".encode())
    with pytest.raises(Unavailable, match="redirect"):
        _get(net)
    assert len(net.connected) == 1


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"", id="nothing"),
        pytest.param(b"\r\n\r\n", id="empty lines"),
        pytest.param(b"hello\r\n\r\n", id="no HTTP"),
        pytest.param(b"\x16\x03\x01\x02\x00\x01", id="TLS"),
        pytest.param(b"SSH-2.0-OpenSSH_9.6\r\n", id="SSH"),
        pytest.param(b"HTTP/1.1\r\n\r\n", id="no status"),
        pytest.param(b"HTTP/1.1 abc OK\r\n\r\n", id="status in letters"),
        pytest.param(b"HTTP/1.1 99 OK\r\n\r\n", id="status too low"),
        pytest.param(b"HTTP/1.1 600 OK\r\n\r\n", id="status too high"),
        pytest.param(b"HTTP/1.1 101 Switching\r\n\r\n", id="other protocol"),
        pytest.param(b"HTTP/1.1 103 Early\r\n\r\n", id="hints only"),
        pytest.param(b"HTTP/2 200\r\n\r\n", id="other version"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nhi", id="cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhi", id="chunk cut off"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\nhi", id="chunk of zz"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n-5\r\nhi", id="negative chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nhi\r\n", id="no last chunk"),
        pytest.param(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip, chunked\r\n\r\n", id="unknown frame"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\nContent-Length: 2\r\n\r\nhi", id="gzip"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Encoding: br\r\nContent-Length: 2\r\n\r\nhi", id="brotli"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nContent-Encoding: identity\r\nContent-Encoding: deflate\r\n\r\nhi",
            id="two encodings",
        ),
        pytest.param(b"HTTP/1.1 200 OK\r\n" + b"X: y\r\n" * 101 + b"\r\n", id="too many headers"),
        pytest.param(b"HTTP/1.1 200 " + b"O" * 70_000, id="endless status line"),
    ],
)
def test_what_is_no_answer(answer: bytes) -> None:
    with pytest.raises((Unavailable, TooBig)) as refusal:
        _get(Net(answer))
    assert "127.0.0.1" not in refusal.value.message


@pytest.mark.parametrize(
    "answer",
    [
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: 1001\r\n\r\n", id="announced"),
        pytest.param(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % 10**30, id="announced absurdly"),
        pytest.param(b"HTTP/1.1 200 OK\r\n\r\n" + bytes(1_001), id="until the end"),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3E9\r\n" + bytes(1_001), id="in a chunk"
        ),
        pytest.param(
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n" + b"1;%s\r\nx\r\n" % (b"y" * 500) * 300,
            id="mostly frame",
        ),
        pytest.param(b"HTTP/1.1 100 Continue\r\n\r\n" * 4_000, id="a flood of 100 Continue"),
        pytest.param(b"HTTP/1.1 200 OK\r\nX: " + b"y" * MAX_HEAD_BYTES, id="endless header"),
    ],
)
def test_what_is_too_long_is_not_read_to_its_end(answer: bytes) -> None:
    with pytest.raises(TooBig):
        _get(Net(answer))


def test_a_body_may_be_as_long_as_is_said() -> None:
    body = bytes(range(250)) * 4
    assert _get(Net(b"HTTP/1.1 200 OK\r\n\r\n" + body)).body == body


def test_a_rebinding_name_is_resolved_once_and_the_checked_address_is_called() -> None:
    net = Net(names={"rebind.example": [[PUBLIC], [PRIVATE], [HOME]]})
    with pytest.raises(Unavailable):  # the server of this test speaks no TLS
        _get(net, "https://rebind.example/", allow_local=False)
    assert net.resolved == ["rebind.example"]
    assert net.connected == [(PUBLIC, 443)]


@pytest.mark.parametrize(
    "addresses",
    [
        [PRIVATE],
        [PUBLIC, PRIVATE],
        [PRIVATE, PUBLIC],
        [PUBLIC] * 50 + [PRIVATE],
        [HOME],
        [PUBLIC, ip_address("::1")],
        [ip_address("fe80::1%eth0")],
    ],
)
def test_one_address_that_is_not_public_is_enough_for_a_refusal(addresses: list[Address]) -> None:
    net = Net(names={"mixed.example": [addresses]})
    with pytest.raises(UnsafeLink):
        _get(net, "https://mixed.example/", allow_local=False)
    assert net.connected == []


def test_plain_http_needs_no_look_at_the_network_to_be_refused() -> None:
    net = Net(names={"example.com": [[PUBLIC]]})
    for url in ("http://example.com/", "http://8.8.8.8/", "http://127.0.0.1:8080/"):
        with pytest.raises(UnsafeLink):
            _get(net, url, allow_local=False)
    assert net.resolved == []
    assert net.connected == []


@pytest.mark.parametrize("addresses", [[PUBLIC], [HOME, PUBLIC], [PRIVATE]])
def test_local_use_allows_plain_http_on_this_machine_only(addresses: list[Address]) -> None:
    net = Net(names={"example.com": [addresses]})
    with pytest.raises(UnsafeLink):
        _get(net, "http://example.com:8080/")
    assert net.connected == []


@pytest.mark.parametrize(
    "url", ["http://8.8.8.8/", "http://10.0.0.1:8080/", "https://10.0.0.1/", "https://[fe80::1]/"]
)
def test_local_use_allows_nothing_else(url: str) -> None:
    net = Net()
    with pytest.raises(UnsafeLink):
        _get(net, url)
    assert net.connected == []


def test_the_environment_has_no_say(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("http_proxy", "HTTP_PROXY", "https_proxy", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")
    net = Net()
    assert _get(net).body == b"hi"
    assert net.connected == [(HOME, 8080)]


def test_certificates_are_checked_as_this_machine_says() -> None:
    context = system_tls()
    assert context.verify_mode is ssl.CERT_REQUIRED
    assert context.check_hostname
    assert system_tls() is context


@contextmanager
def _hanging() -> Iterator[tuple[Callable[[Address, int, float], socket.socket], list[socket.socket]]]:
    """A connector to servers that never answer, and their ends of the connections."""
    ends: list[socket.socket] = []

    def connect(_address: Address, _port: int, _timeout_s: float) -> socket.socket:
        ours, theirs = socket.socketpair()
        ends.append(theirs)
        return ours

    try:
        yield connect, ends
    finally:
        for end in ends:
            end.close()


def test_only_so_many_fetches_are_under_way_at_a_time() -> None:
    with _hanging() as (connect, ends):
        fetcher = GuardedFetcher(allow_local=True, at_once=3, connector=connect)
        refused: list[float] = []

        def fetch() -> None:
            begun_s = time.monotonic()
            with suppress(Unavailable):
                fetcher.fetch("http://127.0.0.1:8080/", max_bytes=10, deadline_s=0.3)
            refused.append(time.monotonic() - begun_s)

        threads = [threading.Thread(target=fetch) for _ in range(12)]
        for thread in threads:
            thread.start()
        time.sleep(0.1)
        assert len(ends) == 3
        for thread in threads:
            thread.join(5)
        assert len(refused) == 12
        assert max(refused) < 1.0


def test_a_place_and_a_connection_are_given_back_after_every_end() -> None:
    net = Net(b"rubbish", {"example.com": [[PRIVATE]]})
    fetcher = net.fetcher(at_once=1)
    for url in ("http://127.0.0.1:8080/", "https://127.0.0.1/", "https://example.com/", "nonsense") * 3:
        with pytest.raises(Dm3Error):
            fetcher.fetch(url, max_bytes=10, deadline_s=1.0)
    net.answer = OK
    assert fetcher.fetch("http://127.0.0.1:8080/", max_bytes=10, deadline_s=1.0).body == b"hi"
    assert net.request()


def test_a_server_that_cannot_be_reached_is_unavailable() -> None:
    def refuses(_address: Address, _port: int, _timeout_s: float) -> socket.socket:
        raise ConnectionRefusedError

    with pytest.raises(Unavailable):
        _get(Net(), connector=refuses)


_heads = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 302 Found\r\n",
        b"HTTP/1.0 200\r\n",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"Content-Length: 5\r\n",
        b"Content-Length: -1\r\n",
        b"Content-Length: 5, 6\r\n",
        b"Transfer-Encoding: chunked\r\n",
        b"Content-Encoding: gzip\r\n",
        b" folded\r\n",
        b": nameless\r\n",
        b"\r\n",
        b"5\r\nhello\r\n",
        b"0\r\n\r\n",
        b"ffffffffffffffff\r\n",
        b"\xff\xfe\x00",
    ]
)


@given(st.lists(_heads | st.binary(max_size=20), max_size=12).map(b"".join))
@settings(max_examples=400, deadline=None)
def test_any_bytes_are_an_answer_within_bounds_or_an_error_of_ours(answer: bytes) -> None:
    with suppress(Dm3Error):
        found = _get(Net(answer), max_bytes=50)
        assert 200 <= found.status < 600
        assert not 300 <= found.status < 400
        assert len(found.body) <= 50
