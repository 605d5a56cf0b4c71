from __future__ import annotations

import socket
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from ipaddress import ip_address

import pytest

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.connection import MAX_ATTEMPTS, Wire, connect, secure, system_connector
from chalicelib.fetching.deadline import Deadline
from chalicelib.protocol.errors import TooBig, Unavailable
from tests.support.ports import LOOPBACK

ADDRESSES = [ip_address(f"8.8.8.{number}") for number in range(1, 9)]


@pytest.fixture
def pair() -> Iterator[tuple[socket.socket, socket.socket]]:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        yield ours, theirs


class Network:
    """Takes connections at `open` addresses only."""

    def __init__(self, *open_: Address) -> None:
        self.open = open_
        self.tried: list[tuple[Address, int, float]] = []

    def connect(self, address: Address, port: int, timeout_s: float) -> socket.socket:
        self.tried.append((address, port, timeout_s))
        if address not in self.open:
            raise ConnectionRefusedError
        return socket.socket()


def test_the_next_address_is_tried_with_a_share_of_the_time() -> None:
    network = Network(ADDRESSES[2])
    deadline = Deadline(6.0, lambda: 0.0)
    with connect(network.connect, ADDRESSES[:3], 443, deadline):
        assert network.tried == [(ADDRESSES[0], 443, 2.0), (ADDRESSES[1], 443, 3.0), (ADDRESSES[2], 443, 6.0)]


def test_only_a_few_addresses_are_tried() -> None:
    network = Network(ADDRESSES[-1])
    with pytest.raises(Unavailable):
        connect(network.connect, ADDRESSES, 443, Deadline(5))
    assert [address for address, _, _ in network.tried] == ADDRESSES[:MAX_ATTEMPTS]


def test_the_system_connects_to_an_address() -> None:
    with (
        socket.create_server((LOOPBACK, 0)) as listener,
        system_connector(ip_address(LOOPBACK), listener.getsockname()[1], 1.0) as connection,
    ):
        assert connection.getpeername() == listener.getsockname()


def test_a_drip_of_bytes_ends_by_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    over = threading.Event()

    def drip() -> None:
        while not over.wait(0.02):
            theirs.send(b"x")

    thread = threading.Thread(target=drip)
    thread.start()
    started_s = time.monotonic()
    try:
        with pytest.raises((Unavailable, TimeoutError)):
            Wire(ours, Deadline(0.2), allowance_bytes=1_000_000).makefile().read(1_000_000)
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - started_s < 0.6


def test_who_takes_nothing_is_not_sent_to_for_ever(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    over = threading.Event()

    def sip() -> None:
        while not over.wait(0.02):
            theirs.recv(1)

    thread = threading.Thread(target=sip)
    thread.start()
    started_s = time.monotonic()
    try:
        with pytest.raises((Unavailable, TimeoutError)):
            Wire(ours, Deadline(0.2), allowance_bytes=1).sendall(bytes(50_000_000))
    finally:
        over.set()
        thread.join()
    assert time.monotonic() - started_s < 0.8


def test_all_is_sent(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    sent, received = bytes(range(256)) * 2_000, bytearray()

    def take() -> None:
        while len(received) < len(sent):
            received.extend(theirs.recv(65_536))

    thread = threading.Thread(target=take)
    thread.start()
    Wire(ours, Deadline(5), allowance_bytes=1).sendall(sent)
    thread.join(5)
    assert received == sent


def test_no_more_is_read_than_is_allowed(pair: tuple[socket.socket, socket.socket]) -> None:
    ours, theirs = pair
    theirs.sendall(b"x" * 100)
    wire = Wire(ours, Deadline(5), allowance_bytes=60)
    file = wire.makefile()
    assert file.read(60) == b"x" * 60
    with pytest.raises(TooBig):
        file.read(1)
    wire.allowance_bytes = 40
    assert file.read(40) == b"x" * 40


def test_closing_what_http_client_calls_a_socket_leaves_the_answer_readable(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(b"abc")
    with closing(Wire(ours, Deadline(5), allowance_bytes=10)) as wire:
        file = wire.makefile()
    assert file.read(3) == b"abc"


def test_a_handshake_that_fails_leaves_no_connection_open(
    pair: tuple[socket.socket, socket.socket],
) -> None:
    ours, theirs = pair
    theirs.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")
    with pytest.raises(OSError, match=r".+"):
        secure(ours, ssl.create_default_context(), "example.com", Deadline(5))
    theirs.settimeout(5)
    with suppress(ConnectionResetError):
        while theirs.recv(65_536):
            pass  # the greeting of TLS, and then the end


def test_no_handshake_begins_after_the_deadline(pair: tuple[socket.socket, socket.socket]) -> None:
    now_s = [0.0]
    deadline = Deadline(1.0, lambda: now_s[0])
    now_s[0] = 2.0
    ours, theirs = pair
    with pytest.raises(Unavailable):
        secure(ours, ssl.create_default_context(), "example.com", deadline)
    assert theirs.recv(1) == b""
