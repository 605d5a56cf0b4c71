"""A connection to one checked address, on which every single operation ends by the deadline.

A timeout of a socket is for one operation, so a server that sends a byte now and then never meets it. Here
each operation gets what is left of the whole: connecting, the TLS handshake, each piece sent, each read. What
is read is counted, headers and the frame of the body included.
"""

from __future__ import annotations

import io
import socket
import ssl
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Final, TypeAlias

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.deadline import Deadline
from chalicelib.fetching.failures import FetchFailed, FetchReason
from chalicelib.protocol.errors import TooBig

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

Connector: TypeAlias = Callable[[Address, int, float], socket.socket]
"""A connection to a port of an address, made within a number of seconds. Raises `OSError`."""

MAX_ATTEMPTS: Final = 4
_PIECE_BYTES: Final = 65_536


def system_connector(address: Address, port: int, timeout_s: float) -> socket.socket:
    """A TCP connection. Raises `OSError`."""
    return socket.create_connection((str(address), port), timeout_s)


def connect(
    connector: Connector, addresses: Sequence[Address], port: int, deadline: Deadline
) -> socket.socket:
    """A connection to the first of `addresses` that takes one; each has its share of the time.

    Raises `Unavailable`.
    """
    tried = addresses[:MAX_ATTEMPTS]
    for left, address in zip(range(len(tried), 0, -1), tried, strict=True):
        try:
            return connector(address, port, deadline.share_s(left))
        except OSError:
            continue
    raise FetchFailed(
        "A server that a link names cannot be reached; try again.", reason=FetchReason.UNREACHABLE
    )


def secure(plain: socket.socket, context: ssl.SSLContext, host: str, deadline: Deadline) -> socket.socket:
    """TLS on `plain`, with a certificate for `host`; takes over `plain`, also when it fails.

    Raises `OSError`, which every `SSLError` is, and `Unavailable`.
    """
    try:
        # OpenSSL is given one timeout for the whole handshake.
        plain.settimeout(deadline.remaining_s())
        # An end that TLS did not announce is no end of a body.
        return context.wrap_socket(plain, server_hostname=host, suppress_ragged_eofs=False)
    except BaseException:
        plain.close()
        raise


class Wire(io.RawIOBase):
    """The bytes on a connection, as `http.client` wants its socket.

    At most `allowance_bytes` more are read, after which there is `TooBig`. Closing leaves the connection to
    whoever made it: `http.client` closes what it calls a socket before it reads an answer.
    """

    def __init__(self, connection: socket.socket, deadline: Deadline, *, allowance_bytes: int) -> None:
        super().__init__()
        self._connection = connection
        self._deadline = deadline
        self.allowance_bytes = allowance_bytes

    def readable(self) -> bool:
        """Always."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As `io.RawIOBase.readinto`. Raises `OSError`, `Unavailable` past the deadline, and `TooBig`."""
        if self.allowance_bytes <= 0:
            raise TooBig("A server that was asked answers at too great length.")
        wanted = memoryview(buffer)[: self.allowance_bytes]
        self._connection.settimeout(self._deadline.remaining_s())
        count = self._connection.recv_into(wanted)
        self.allowance_bytes -= count
        return count

    def close(self) -> None:
        """Nothing: see above."""

    def sendall(self, data: bytes) -> None:
        """Sends all of `data`. Raises `OSError`, and `Unavailable` past the deadline."""
        rest = memoryview(data)
        while rest:
            # Not the socket's own `sendall`: that of TLS begins its timeout anew with every piece.
            self._connection.settimeout(self._deadline.remaining_s())
            rest = rest[self._connection.send(rest[:_PIECE_BYTES]) :]

    def makefile(self, *_: object) -> io.BufferedReader:
        """A file to read the answer from."""
        return io.BufferedReader(self)
