"""Everything that leaves the process: recorded, and one call of it made to fail.

AWS calls are met in botocore's events, one event for each request of the code (repetitions inside botocore
belong to it); calls to the chain in the transport port. A dry run records the calls of an operation, so that
there is no list of them to keep: whatever the code comes to call is made to fail.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from enum import StrEnum
from types import SimpleNamespace
from typing import Any, TypeAlias, TypeVar

from botocore.exceptions import ReadTimeoutError

from chalicelib.names.ports import ChainTransport, RpcCall, RpcResult
from chalicelib.protocol.errors import Unavailable

T = TypeVar("T")
Botocore: TypeAlias = Any
"""What botocore hands to the handlers of its events."""


class Way(StrEnum):
    """How a call fails."""

    ERROR = "error"
    """The service refuses; nothing has happened."""
    TIMEOUT = "timeout"
    """It has happened, but no answer comes."""
    CRASH_BEFORE = "crash before"
    """The process ends before the call."""
    CRASH_AFTER = "crash after"
    """The process ends after the call took effect."""
    REPEATED = "repeated"
    """It has happened, the answer is lost on the way, and the client library sends the request again."""


class Crash(BaseException):
    """The process has ended here. No handler of the code may catch it, as none could."""


class Wire:
    """What goes out, by name: "dynamodb PutItem", "s3 GetObject", "chain eth_call"."""

    def __init__(self) -> None:
        self._calls: list[str] = []
        self._target: tuple[int, Way] | None = None
        self._resend = False
        self.struck: str | None = None

    @contextmanager
    def recording(self) -> Iterator[list[str]]:
        """The calls made inside, in order."""
        calls: list[str] = []
        self._calls = calls
        yield calls
        self._calls = []

    @contextmanager
    def failing(self, number: int, way: Way) -> Iterator[None]:
        """Make call `number` (from 0) fail. Afterwards `struck` names it, None if it was never made."""
        self._calls, self._target, self._resend, self.struck = [], (number, way), False, None
        try:
            yield
        finally:
            self._target = None

    def _begin(self, name: str) -> Way | None:
        """Note a call that is about to be made, and how it shall fail."""
        number = len(self._calls)
        self._calls.append(name)
        if self._target is None or self._target[0] != number:
            return None
        self.struck = name
        if self._target[1] is Way.CRASH_BEFORE:
            raise Crash(name)
        return self._target[1]

    def watch(self, client: Botocore) -> None:
        """Record, and make fail, what a botocore client sends from now on."""
        events = client.meta.events
        events.register("before-call", self._before)
        events.register("needs-retry", self._lose_answer)
        events.register("after-call", self._after)

    def _before(self, model: Botocore, context: dict[str, Botocore], **_: object) -> Botocore:
        way = self._begin(f"{model.service_model.service_name} {model.name}")
        context["dm3_way"] = way
        self._resend = way is Way.REPEATED
        if way is Way.ERROR:
            refusal = {"Error": {"Code": "InternalServerError", "Message": "made to fail"}}
            return SimpleNamespace(status_code=500, headers={}), {**refusal, "ResponseMetadata": {}}
        return None

    def _lose_answer(self, **_: object) -> int | None:
        """Let botocore send the request again, at once, although it was answered."""
        resend, self._resend = self._resend, False
        return 0 if resend else None

    def _after(self, model: Botocore, context: dict[str, Botocore], **_: object) -> None:
        way = context["dm3_way"]
        if way is Way.CRASH_AFTER:
            raise Crash(model.name)
        if way is Way.TIMEOUT:
            raise ReadTimeoutError(endpoint_url="made to fail")

    def through(self, name: str, call: Callable[[], T], failure: Callable[[], Exception]) -> T:
        """Make a call that botocore knows nothing of. What fails is what `failure` makes."""
        way = self._begin(name)
        if way is Way.ERROR:
            raise failure()
        answer = call()
        if way is Way.REPEATED:
            answer = call()
        if way is Way.CRASH_AFTER:
            raise Crash(name)
        if way is Way.TIMEOUT:
            raise failure()
        return answer

    def transport(self, inner: ChainTransport) -> ChainTransport:
        """A way to the chain whose calls are recorded and made to fail."""
        return _WatchedTransport(self, inner)


class _WatchedTransport:
    """A `ChainTransport` around another; as the port says, what fails is `Unavailable`."""

    def __init__(self, wire: Wire, inner: ChainTransport) -> None:
        self._wire = wire
        self._inner = inner

    def request(self, calls: Sequence[RpcCall]) -> list[RpcResult]:
        """See `ChainTransport.request`."""
        name = "chain " + "+".join(call.method for call in calls)
        return self._wire.through(name, lambda: self._inner.request(calls), Unavailable)
