"""An HTTP and WebSocket server on loopback, in a thread of its own."""

from __future__ import annotations

import asyncio
import logging
import socket
import time
from functools import partial
from threading import Thread
from typing import Any, Self, cast

import uvicorn
from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from infra.local.connection import SocketLimits
from infra.local.gateway import Gateway

HOST = "127.0.0.1"

_START_LIMIT_S = 10.0
_GRACE_S = 5
_LINGER_S = 0.5


class GatewaySocket(WebSocketsSansIOProtocol):
    """A WebSocket with API Gateway's limits for frames and messages from clients: beyond them, 1009.

    When the application is done with a connection, it ends soon, read by the client or not.
    """

    def __init__(self, *args: Any, limits: SocketLimits, **kwargs: Any) -> None:  # noqa: ANN401 - uvicorn's
        super().__init__(*args, **kwargs)
        self.conn.max_message_size = limits.message_bytes
        self.conn.max_fragment_size = limits.frame_bytes

    def data_received(self, data: bytes) -> None:
        """What follows a frame that was refused is read and dropped, or the client would miss the refusal."""
        if self.conn.parser_exc is None:
            super().data_received(data)

    def handle_parser_exception(self) -> None:
        """Leave the client time to read why."""
        super().handle_parser_exception()
        self.close_timer = self.loop.call_later(_LINGER_S, self.transport.close)

    def on_task_complete(self, task: Any) -> None:  # noqa: ANN401 - uvicorn's
        """A client that does not take what is left for it is not waited for."""
        super().on_task_complete(task)
        self.loop.call_later(self.close_timeout, self.transport.abort)


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
        limits = gateway.sockets.limits if gateway.sockets is not None else SocketLimits()
        config = uvicorn.Config(
            gateway,
            http="h11",
            ws=cast("type[asyncio.Protocol]", partial(GatewaySocket, limits=limits)),  # any factory will do
            ws_ping_interval=None,  # the gateway sends no pings of its own
            ws_per_message_deflate=False,  # and knows no compression
            lifespan="off",
            log_config=None,
            log_level=logging.WARNING,  # below that are query strings
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
