"""The port through which the SDK reaches delivery services, and one that needs no network.

Network I/O lives in `client.http`. What a transport returns is untrusted: callers read it as if an attacker
had written it.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from chalicelib.protocol.errors import Unavailable


@dataclass(frozen=True, slots=True)
class Request:
    """One HTTP request. Headers may hold a session token, so they are not shown by `repr`."""

    method: str
    url: str
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)
    body: bytes = field(default=b"", repr=False)


@dataclass(frozen=True, slots=True)
class Response:
    """One HTTP answer. `headers` are by lower-case name."""

    status: int
    body: bytes = field(default=b"", repr=False)
    headers: Mapping[str, str] = field(default_factory=dict, repr=False)


class Transport(ABC):
    """A way to send HTTP requests. Implementations write `_exchange`, callers use `exchange`."""

    def exchange(self, request: Request) -> Response:
        """The answer to `request`, whatever its status. Raises Unavailable when there is none."""
        try:
            return self._exchange(request)
        except OSError:
            raise Unavailable("The delivery service cannot be reached; try again.") from None

    @abstractmethod
    def _exchange(self, request: Request) -> Response:
        """The answer to `request`. Raises OSError (TimeoutError is one) or a Dm3Error, and nothing else."""


class MemoryTransport(Transport):
    """A transport that asks a function instead of a network, for tests of code that uses the SDK.

    `answer` gets each request and returns the response, or raises OSError to play a broken network.
    `requests` lists every request so far.
    """

    def __init__(self, answer: Callable[[Request], Response]) -> None:
        self.requests: list[Request] = []
        self._answer = answer

    def _exchange(self, request: Request) -> Response:
        self.requests.append(request)
        return self._answer(request)
