"""A way to a relay that can be cut: what a client sees when a network breaks, or a gateway ends a socket."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from threading import Lock, Thread
from urllib.parse import urlsplit

_PIECE_BYTES = 65_536


class Way:
    """Passes on every connection to its `url` to the server at `target`, until it is cut."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (parts.hostname or "", parts.port or 80)
        self._listening = socket.create_server(("127.0.0.1", 0))
        self._open: set[socket.socket] = set()
        self._lock = Lock()
        self.url = f"http://127.0.0.1:{self._listening.getsockname()[1]}"
        Thread(target=self._accept, daemon=True).start()

    def cut(self) -> int:
        """End every open connection; how many there were. New ones are passed on."""
        with self._lock:
            ended, self._open = self._open, set()
        for connection in ended:
            _end(connection)
        return len(ended)

    def close(self) -> None:
        """Take no more connections, and end those that are open."""
        _end(self._listening)
        self.cut()

    def _accept(self) -> None:
        with suppress(OSError):
            while True:
                near, _ = self._listening.accept()
                far = socket.create_connection(self._target)
                with self._lock:
                    self._open.add(near)
                Thread(target=self._pass_on, args=(near, far), daemon=True).start()
                Thread(target=self._pass_on, args=(far, near), daemon=True).start()

    def _pass_on(self, source: socket.socket, drain: socket.socket) -> None:
        with suppress(OSError):
            while piece := source.recv(_PIECE_BYTES):
                drain.sendall(piece)
        with self._lock:
            self._open -= {source, drain}
        _end(source)
        _end(drain)


def _end(connection: socket.socket) -> None:
    with suppress(OSError):
        connection.shutdown(socket.SHUT_RDWR)
    connection.close()


@contextmanager
def way_to(target: str) -> Iterator[Way]:
    """A way to the server at `target`, gone with the context."""
    way = Way(target)
    try:
        yield way
    finally:
        way.close()
