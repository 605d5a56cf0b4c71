"""The one fetcher for every URL that somebody else chose (DESIGN, decision 6).

The URL is vetted as text, its host resolved once, *every* address checked, and the connection made to just
such an address: there is no second resolution that could answer otherwise. Redirects are refused, since each
would be a URL that a stranger chose. No proxies, cookies or credentials of the environment are used, and
nothing is decompressed. One deadline holds over resolution, connection, TLS, headers and body.
"""

from __future__ import annotations

import socket
import ssl
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from functools import cache
from http.client import HTTPConnection, HTTPException, HTTPResponse, RemoteDisconnected
from threading import BoundedSemaphore
from typing import Final

from chalicelib.fetching.addresses import Address, is_loopback, is_public
from chalicelib.fetching.connection import Connector, Wire, connect, secure, system_connector
from chalicelib.fetching.deadline import Clock, Deadline
from chalicelib.fetching.failures import AnswerTooLong, FetchFailed, FetchReason
from chalicelib.fetching.ports import LOOP_HEADER, LOOP_VALUE, Answer
from chalicelib.fetching.resolving import BoundedResolver, Resolver, system_resolver
from chalicelib.fetching.urls import Target, vet
from chalicelib.protocol.errors import UnsafeLink

MAX_FETCHES: Final = 16
MAX_HEAD_BYTES: Final = 65_536
_PIECE_BYTES: Final = 65_536
# Statuses that never have a body (RFC 9110, section 6.4.1).
_BODILESS: Final = {204, 205}


@cache
def system_tls() -> ssl.SSLContext:
    """Certificates as this machine trusts them. Made once: reading them takes tens of milliseconds."""
    return ssl.create_default_context()


class GuardedFetcher:
    """Implements `fetching.ports.Fetcher`. Safe for use by several threads.

    At most `at_once` fetches are under way at a time; a further one waits as long as its deadline lets it.
    `allow_local` is for a relay on a laptop: loopback addresses may be called, and these also by `http:`. The
    other parameters are for tests.
    """

    def __init__(
        self,
        *,
        allow_local: bool = False,
        at_once: int = MAX_FETCHES,
        resolver: Resolver = system_resolver,
        connector: Connector = system_connector,
        tls: Callable[[], ssl.SSLContext] = system_tls,
        clock: Clock = time.monotonic,
    ) -> None:
        self._allow_local = allow_local
        self._places = BoundedSemaphore(at_once)
        self._resolver = BoundedResolver(resolver, at_once=at_once)
        self._connector = connector
        self._tls = tls
        self._clock = clock

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int,
        deadline_s: float,
    ) -> Answer:
        """As `Fetcher.fetch`."""
        deadline = Deadline(deadline_s, self._clock)
        target = vet(url)
        self._refuse_plain_text(target, None if target.address is None else [target.address])
        if not self._places.acquire(timeout=deadline.remaining_s()):
            raise FetchFailed("Too many links are being followed; try again.", reason=FetchReason.BUSY)
        try:
            with closing(self._connection(target, deadline)) as connection:
                wire = Wire(connection, deadline, allowance_bytes=MAX_HEAD_BYTES)
                return _exchange(wire, target, method, headers or {}, body, max_bytes)
        except (OSError, HTTPException) as error:
            # Its text may have the host in it.
            raise FetchFailed(
                "A server that was asked does not answer as it should; try again.", reason=_reason(error)
            ) from None
        finally:
            self._places.release()

    def _connection(self, target: Target, deadline: Deadline) -> socket.socket:
        if target.address is None:
            addresses = self._resolver.resolve(target.host, deadline)
        else:
            addresses = [target.address]
        if not all(self._may_be_called(address) for address in addresses):
            raise UnsafeLink("The link leads to an address that is not public.")
        self._refuse_plain_text(target, addresses)
        connection = connect(self._connector, addresses, target.port, deadline)
        if target.scheme == "http":
            return connection
        return secure(connection, self._tls(), target.host, deadline)

    def _may_be_called(self, address: Address) -> bool:
        return is_public(address) or (self._allow_local and is_loopback(address))

    def _refuse_plain_text(self, target: Target, addresses: Sequence[Address] | None) -> None:
        """Refuses `http:`, unless it stays on this machine; what that is may still be unknown (None)."""
        stays = self._allow_local and (addresses is None or all(map(is_loopback, addresses)))
        if target.scheme != "https" and not stays:
            raise UnsafeLink("The link does not begin with https:.")


def _exchange(
    wire: Wire,
    target: Target,
    method: str,
    headers: Mapping[str, str],
    body: bytes | None,
    max_bytes: int,
) -> Answer:
    """Sends the request and reads the answer. Raises `HTTPException`, and as `Fetcher.fetch`."""
    exchange = HTTPConnection(target.host, target.port)
    exchange.sock = wire
    own = {"host": target.authority, "accept-encoding": "identity", "connection": "close"}
    own[LOOP_HEADER] = LOOP_VALUE
    exchange.request(method, target.path, body, {"user-agent": "dm3-relay", **headers, **own})
    with closing(exchange.getresponse()) as response:
        _refuse_what_is_no_answer(response)
        # The frame of a body in chunks may be as large as the body.
        wire.allowance_bytes = MAX_HEAD_BYTES + 2 * max_bytes
        names = {name.lower(): value for name, value in response.getheaders()}
        content = b"" if response.status in _BODILESS else _body(response, names, max_bytes)
        return Answer(response.status, names, content)


def _refuse_what_is_no_answer(response: HTTPResponse) -> None:
    """Raises `FetchFailed` for redirects, for compressed bodies, and for heads that are not HTTP/1.1."""
    status = response.status
    if not 200 <= status < 600:
        raise FetchFailed("A server that was asked does not speak HTTP.", reason=FetchReason.NOT_HTTP)
    if 300 <= status < 400:
        sentence, reason = "redirects, and redirects are not followed.", FetchReason.REDIRECTED
    elif response.getheader("content-encoding", "identity").strip().lower() != "identity":
        sentence, reason = "compresses its answer, which was not asked for.", FetchReason.UNREADABLE
    elif response.getheader("transfer-encoding", "chunked").strip().lower() != "chunked":
        sentence, reason = "frames its answer in an unknown way.", FetchReason.UNREADABLE
    else:
        return
    raise FetchFailed(f"A server that was asked {sentence}", reason=reason, answered_status=status)


def _reason(error: Exception) -> FetchReason:
    if isinstance(error, ssl.SSLError):
        return FetchReason.UNTRUSTED
    if isinstance(error, TimeoutError):
        return FetchReason.TIMED_OUT
    if isinstance(error, HTTPException) and not isinstance(error, RemoteDisconnected):
        return FetchReason.NOT_HTTP
    return FetchReason.BROKEN_OFF


def _body(response: HTTPResponse, headers: Mapping[str, str], max_bytes: int) -> bytes:
    """The whole body. Raises `AnswerTooLong`, `FetchFailed` if it breaks off, and as `Wire` does."""
    declared = response.length
    content = bytearray()
    if declared is not None and declared > max_bytes:
        raise AnswerTooLong(Answer(response.status, headers, b""))
    while piece := response.read1(_PIECE_BYTES):
        content += piece
        if len(content) > max_bytes:
            raise AnswerTooLong(Answer(response.status, headers, bytes(content[:max_bytes])))
    if declared is not None and len(content) != declared:
        raise FetchFailed(
            "A server that was asked broke off its answer; try again.",
            reason=FetchReason.BROKEN_OFF,
            answered_status=response.status,
        )
    return bytes(content)
