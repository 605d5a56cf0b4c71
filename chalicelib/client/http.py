"""The transport over the network: urllib3, with bounds on time and bytes and no redirects.

Which URL is called is written in ENS by whoever owns the delivery service's name, so plain `http:` is refused
unless it is asked for, and then is for a relay on the same machine only.
"""

from __future__ import annotations

import time
from ipaddress import ip_address
from urllib.parse import urlsplit

import urllib3
from urllib3.exceptions import HTTPError, LocationValueError

from chalicelib.client.transport import Request, Response, Transport
from chalicelib.protocol.errors import InvalidInput

# An answer of a relay on Lambda has at most 6 MB.
MAX_ANSWER_BYTES = 8 * 1024 * 1024
_PIECE_BYTES = 65_536


class HttpTransport(Transport):
    """Sends requests over HTTPS. Safe for use by several threads.

    `timeout_s` bounds a whole exchange in seconds, `max_bytes` the body of its answer. `allow_http` also
    permits URLs without encryption of this machine: `localhost`, names below it, and loopback addresses.
    """

    def __init__(
        self, *, timeout_s: float = 30.0, max_bytes: int = MAX_ANSWER_BYTES, allow_http: bool = False
    ) -> None:
        self._timeout_s = timeout_s
        self._max_bytes = max_bytes
        self._allow_http = allow_http
        self._pool = urllib3.PoolManager(maxsize=4, retries=False)

    def close(self) -> None:
        """Closes the kept connections; a later request opens new ones."""
        self._pool.clear()

    def _exchange(self, request: Request) -> Response:
        if not (request.url.startswith("https://") or (self._allow_http and is_local_http(request.url))):
            raise InvalidInput("The delivery service's URL is not one that may be called.")
        deadline_s = time.monotonic() + self._timeout_s
        try:
            response = self._pool.request(
                request.method,
                request.url,
                body=request.body or None,
                headers={"accept-encoding": "identity", **request.headers},
                timeout=urllib3.Timeout(total=self._timeout_s),
                redirect=False,
                preload_content=False,
            )
            return self._read(response, deadline_s)
        except LocationValueError:
            raise InvalidInput("The delivery service's URL is not one that may be called.") from None
        except HTTPError as error:
            raise OSError(type(error).__name__) from None

    def _read(self, response: urllib3.BaseHTTPResponse, deadline_s: float) -> Response:
        """The whole answer. A connection is kept only if its answer was read to the end."""
        content = bytearray()
        try:
            while piece := response.read1(_PIECE_BYTES, decode_content=False):
                content += piece
                if len(content) > self._max_bytes or time.monotonic() > deadline_s:
                    response.close()
                    raise OSError("the answer is too long or too slow")
        finally:
            response.release_conn()
        headers = {name.lower(): value for name, value in response.headers.items()}
        return Response(response.status, bytes(content), headers)


def is_local_http(url: str) -> bool:
    """Whether `url` is plain http to this machine (RFC 6761, 6.3 for the names)."""
    try:
        parts = urlsplit(url)
        host = (parts.hostname or "").rstrip(".")
        if parts.scheme != "http":
            return False
        return host == "localhost" or host.endswith(".localhost") or ip_address(host).is_loopback
    except ValueError:
        return False
