"""An HTTP server on loopback, in a thread of its own."""

from __future__ import annotations

import socket
import time
from threading import Thread
from typing import Self

import uvicorn

from infra.local.gateway import Gateway

HOST = "127.0.0.1"

_START_LIMIT_S = 10.0
_GRACE_S = 5


class LoopbackServer:
    """Binds its port when it is made, so that its URL is known, and serves from `start` to `stop`.

    A port of 0 means any free one. Raises OSError if the port is taken.
    """

    def __init__(self, port: int = 0) -> None:
        self._listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM)
        try:
            self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            self._listener.bind((HOST, port))
        except OSError:
            self._listener.close()
            raise
        self.url = f"http://{HOST}:{self._listener.getsockname()[1]}"
        self._server: uvicorn.Server | None = None
        self._thread: Thread | None = None

    def start(self, gateway: Gateway) -> None:
        """Serve `gateway`. Returns when requests are accepted; raises OSError if that does not happen."""
        config = uvicorn.Config(
            gateway,
            http="h11",
            ws="none",
            lifespan="off",
            log_config=None,
            access_log=False,
            timeout_graceful_shutdown=_GRACE_S,
        )
        self._server = server = uvicorn.Server(config)
        self._thread = Thread(target=server.run, args=([self._listener],), name="http", daemon=True)
        self._thread.start()
        deadline = time.monotonic() + _START_LIMIT_S
        while not server.started:
            if time.monotonic() > deadline or not self._thread.is_alive():
                raise OSError("the server did not start")
            time.sleep(0.01)

    def stop(self) -> None:
        """Answer what has been asked, then end. Calling it twice is no error."""
        if self._server is not None and self._thread is not None:
            self._server.should_exit = True
            self._thread.join()
        self._listener.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        self.stop()
