"""HTTP connections whose answers take no longer than their timeout, however slowly the bytes come.

A socket's timeout bounds each read; a server that sends one byte now and then makes any number of them, in a
header as well as in a body. Here the time that is left when the request has been sent is all that the answer
has.
"""

from __future__ import annotations

import io
import socket
import time
from http.client import HTTPResponse
from typing import Any

import urllib3
from urllib3.connection import HTTPConnection, HTTPSConnection


class BoundedPools(urllib3.PoolManager):
    """A `urllib3.PoolManager` whose answers, head and body, are bounded by the read timeout as a whole."""

    def __init__(self, **options: Any) -> None:  # noqa: ANN401 - those of the base class
        super().__init__(**options)
        self.pool_classes_by_scheme = {"http": _HttpPool, "https": _HttpsPool}


class _Answer(HTTPResponse):
    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:  # noqa: ANN401 - likewise
        super().__init__(sock, *args, **options)
        limit_s = sock.gettimeout()  # urllib3 sets what is left of the total before it waits for the answer
        if limit_s is not None:
            self.fp = io.BufferedReader(_Stream(self.fp.detach(), sock, time.monotonic() + limit_s))


class _Stream(io.RawIOBase):
    """What a socket receives until `deadline_s` (of the monotonic clock); then TimeoutError."""

    def __init__(self, raw: io.RawIOBase, sock: socket.socket, deadline_s: float) -> None:
        self._raw = raw
        self._sock = sock
        self._deadline_s = deadline_s

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int | None:  # noqa: ANN401 - any buffer, as in the base class
        left_s = self._deadline_s - time.monotonic()
        if left_s <= 0:
            raise TimeoutError
        self._sock.settimeout(left_s)
        return self._raw.readinto(buffer)

    def close(self) -> None:
        self._raw.close()
        super().close()


class _HttpConnection(HTTPConnection):
    response_class = _Answer


class _HttpsConnection(HTTPSConnection):
    response_class = _Answer


class _HttpPool(urllib3.HTTPConnectionPool):
    ConnectionCls = _HttpConnection


class _HttpsPool(urllib3.HTTPSConnectionPool):
    ConnectionCls = _HttpsConnection
