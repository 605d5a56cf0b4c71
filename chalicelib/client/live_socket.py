"""The port through which the SDK holds live connections, and its WebSocket (RFC 6455).

As for requests (`client.http`): without encryption to this machine only, no redirects, bounded in time and
bytes, and nothing that was received is trusted. The `websockets` library is imported when a connection is
opened, so that only whoever follows their mail pays for it.
"""

from __future__ import annotations

import logging
import socket
from typing import TYPE_CHECKING, Final, Protocol
from urllib.parse import urlsplit

from chalicelib.client.http import is_local_http
from chalicelib.protocol.errors import MethodNotSupported, Unavailable

if TYPE_CHECKING:
    from websockets.sync.client import ClientConnection

# API Gateway carries 128 KB; services elsewhere may carry more.
MAX_TEXT_BYTES: Final = 1024 * 1024
OPEN_WITHIN_S: Final = 15.0
_CLOSE_WITHIN_S: Final = 1.0
# What a server says that is there, and will not be cured by trying again soon.
_PASSING_STATUSES: Final = (408, 425, 429)


class NoLiveConnections(MethodNotSupported):
    """The delivery service answers, but opens no live connection."""

    summary = "The delivery service has no live connections."


class LiveSocket(Protocol):
    """An open connection. `close` may be called by any thread, and ends a `receive` that is waiting."""

    def send(self, text: str) -> None:
        """Send one text. Raises Unavailable if the connection is lost."""

    def receive(self, timeout_s: float) -> str | None:
        """The next text; None if there was none for so long. Raises Unavailable if the connection is lost."""

    def close(self) -> None:
        """End the connection. Doing it again does nothing."""


class LiveDialer(Protocol):
    """Opens live connections. Used by several threads."""

    def dial(self, url: str) -> LiveSocket:
        """A connection to `url`. Raises NoLiveConnections, Unavailable."""


class WebSocketDialer:
    """Opens WebSockets (`wss:`). `allow_ws` also permits `ws:` to this machine.

    `open_within_s` bounds opening in seconds, `max_bytes` a text that is received.
    """

    def __init__(
        self,
        *,
        open_within_s: float = OPEN_WITHIN_S,
        max_bytes: int = MAX_TEXT_BYTES,
        allow_ws: bool = False,
    ) -> None:
        self._open_within_s = open_within_s
        self._max_bytes = max_bytes
        self._allow_ws = allow_ws
        # The library writes what it sends, tokens too, to the log of whoever listens to all of it.
        self._silent = logging.Logger("dm3.live", logging.CRITICAL + 1)  # noqa: LOG001 - outside the tree

    def dial(self, url: str) -> LiveSocket:
        """As `LiveDialer.dial`."""
        from websockets.exceptions import InvalidHandshake, InvalidMessage, InvalidStatus, InvalidURI
        from websockets.sync.client import connect

        try:
            stream = self._open(url)
            return WebSocket(
                connect(
                    url,
                    sock=stream,
                    proxy=None,
                    open_timeout=self._open_within_s,
                    close_timeout=_CLOSE_WITHIN_S,
                    # The service pings by texts; frames of the protocol never reach it through API Gateway.
                    ping_interval=None,
                    max_size=self._max_bytes,
                    logger=self._silent,
                    legacy=True,
                )
            )
        except InvalidStatus as error:
            status = error.response.status_code
            if status in _PASSING_STATUSES or status >= 500:
                raise Unavailable from None
            raise NoLiveConnections from None
        except (OSError, EOFError, InvalidMessage):
            raise Unavailable("The delivery service cannot be reached; try again.") from None
        except (InvalidHandshake, InvalidURI, ValueError):
            # A ValueError: it redirects elsewhere, which is not followed.
            raise NoLiveConnections from None

    def _open(self, url: str) -> socket.socket:
        parts = urlsplit(url)
        if parts.scheme != "wss" and not (self._allow_ws and is_local_http(url.replace("ws:", "http:", 1))):
            raise NoLiveConnections
        port = parts.port or (443 if parts.scheme == "wss" else 80)
        return socket.create_connection((parts.hostname or "", port), self._open_within_s)


class WebSocket:
    """`LiveSocket` over a connection of the `websockets` library."""

    def __init__(self, connection: ClientConnection) -> None:
        self._connection = connection

    def send(self, text: str) -> None:
        """As `LiveSocket.send`."""
        from websockets.exceptions import ConnectionClosed

        try:
            self._connection.send(text)
        except ConnectionClosed:
            raise _lost() from None

    def receive(self, timeout_s: float) -> str | None:
        """As `LiveSocket.receive`. What is no text counts as a lost connection."""
        from websockets.exceptions import ConnectionClosed

        try:
            text = self._connection.recv(timeout=timeout_s)
        except TimeoutError:
            return None
        except ConnectionClosed:
            raise _lost() from None
        if isinstance(text, str):
            return text
        raise _lost()

    def close(self) -> None:
        """As `LiveSocket.close`."""
        self._connection.close()


def _lost() -> Unavailable:
    return Unavailable("The live connection to the delivery service was lost.")
