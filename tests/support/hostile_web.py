"""A web in which a public address is a hostile server on loopback that counts its visitors."""

from __future__ import annotations

import socket
import ssl
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager, suppress
from ipaddress import ip_address
from threading import Event, Thread
from typing import TypeAlias

from chalicelib.fetching.addresses import Address
from tests.support.ports import LOOPBACK

Behaviour: TypeAlias = Callable[[socket.socket, Event], None]
"""What a server does with a connection until it is over; the event says that the test is."""

PUBLIC = ip_address("8.8.8.8")


class Listener:
    """A server on loopback. `visits` counts the connections it took."""

    def __init__(self, behave: Behaviour, tls: ssl.SSLContext | None) -> None:
        self._behave = behave
        self._tls = tls
        self._over = Event()
        self._threads: list[Thread] = []
        self._listener = socket.create_server((LOOPBACK, 0))
        self.port: int = self._listener.getsockname()[1]
        self.visits = 0
        self._accepting = Thread(target=self._accept)
        self._accepting.start()

    def stop(self) -> None:
        """Ends all connections."""
        self._over.set()
        self._listener.shutdown(socket.SHUT_RDWR)
        self._accepting.join()
        self._listener.close()
        for thread in self._threads:
            thread.join(5)

    def _accept(self) -> None:
        with suppress(OSError):
            while not self._over.is_set():
                connection, _ = self._listener.accept()
                self.visits += 1
                thread = Thread(target=self._serve, args=(connection,))
                thread.start()
                self._threads.append(thread)

    def _serve(self, connection: socket.socket) -> None:
        connection.settimeout(2)
        with connection, suppress(OSError):
            if self._tls is None:
                self._behave(connection, self._over)
                return
            with self._tls.wrap_socket(connection, server_side=True) as secured:
                secured.recv(65_536)
                self._behave(secured, self._over)


@contextmanager
def listening(behave: Behaviour, tls: ssl.SSLContext | None = None) -> Iterator[Listener]:
    """A server that does `behave` with each connection, after TLS and a request if `tls` is given."""
    listener = Listener(behave, tls)
    try:
        yield listener
    finally:
        listener.stop()


class Internet:
    """Resolves names, and connects to `PUBLIC` where `listener` is; each address connected to is noted.

    `names` gives the answers of each name, one after the other; the last one stays.
    """

    def __init__(self, listener: Listener, names: dict[str, list[Sequence[Address]]] | None = None) -> None:
        self._listener = listener
        self._names = names or {}
        self.resolutions: list[str] = []
        self.connected: list[Address] = []

    def resolve(self, host: str) -> Sequence[Address]:
        self.resolutions.append(host)
        answers = self._names.get(host, [[PUBLIC]])
        return answers.pop(0) if len(answers) > 1 else answers[0]

    def connect(self, address: Address, _port: int, timeout_s: float) -> socket.socket:
        self.connected.append(address)
        port = self._listener.port if address == PUBLIC else _port
        return socket.create_connection((LOOPBACK if address == PUBLIC else str(address), port), timeout_s)
