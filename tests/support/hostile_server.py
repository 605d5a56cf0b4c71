"""A server on loopback that misbehaves: says nothing, or stops in the middle of its answer."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Event, Thread

from tests.support.ports import LOOPBACK


@contextmanager
def hostile_server(answer: bytes = b"") -> Iterator[str]:
    """The URL of a server that answers every request with these bytes and hangs up; with none, it hangs."""
    with socket.create_server((LOOPBACK, 0)) as listener:
        over = Event()
        thread = Thread(target=_serve, args=(listener, answer, over))
        thread.start()
        try:
            yield f"http://{LOOPBACK}:{listener.getsockname()[1]}"
        finally:
            over.set()
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(listener: socket.socket, answer: bytes, over: Event) -> None:
    held: list[socket.socket] = []
    with suppress(OSError):
        while not over.is_set():
            connection, _ = listener.accept()
            held.append(connection)
            if answer:
                connection.recv(65_536)
                connection.sendall(answer)
                connection.close()
    for connection in held:
        connection.close()
