"""Making requests to AWS fail: refused, unanswered, or with the process ending before or after them."""

from __future__ import annotations

from collections.abc import Callable
from enum import StrEnum
from threading import Lock
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

from botocore.exceptions import EndpointConnectionError, ReadTimeoutError

if TYPE_CHECKING:
    from botocore.client import BaseClient
    from botocore.model import OperationModel


class Crash(Exception):
    """Stands for the end of the process: nothing of ours may catch it."""


class Fault(StrEnum):
    """What happens to a request. LOST and CRASH_AFTER strike when it has taken effect."""

    THROTTLED = "throttled"
    BROKEN = "broken"
    UNREACHABLE = "unreachable"
    TIMEOUT = "timeout"
    LOST = "lost"
    CRASH_BEFORE = "crash before"
    CRASH_AFTER = "crash after"


CRASHES = frozenset({Fault.CRASH_BEFORE, Fault.CRASH_AFTER})
_REFUSALS = {
    Fault.THROTTLED: (400, "ProvisionedThroughputExceededException"),
    Fault.BROKEN: (500, "InternalServerError"),
}


class AwsFaults:
    """Strikes one request of the clients it is attached to, counted from the last `strike` on.

    `seen` lists the operations requested since then, the stricken one included.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._nth: int | None = None
        self._fault: Fault | None = None
        self.seen: list[str] = []

    def attach(self, client: BaseClient) -> None:
        """Watch `client` from now on."""
        before: Callable[..., Any] = self._before  # its answer, if it gives one, replaces the request
        client.meta.events.register_first("before-call", before)
        client.meta.events.register_last("after-call", self._after)

    def strike(self, nth: int | None, fault: Fault | None = None) -> None:
        """Let the `nth` request from now (the first is 1) meet `fault`; None lets all pass."""
        with self._lock:
            self.seen = []
            self._nth, self._fault = nth, fault

    def _before(self, model: OperationModel, **_: object) -> tuple[Any, dict[str, Any]] | None:
        with self._lock:
            self.seen.append(model.name)
            if len(self.seen) != self._nth:
                return None
        if self._fault is Fault.CRASH_BEFORE:
            raise Crash
        if self._fault is Fault.TIMEOUT:
            raise ReadTimeoutError(endpoint_url="http://aws")
        if self._fault is Fault.UNREACHABLE:
            raise EndpointConnectionError(endpoint_url="http://aws")
        if self._fault in _REFUSALS:
            status, code = _REFUSALS[self._fault]
            return SimpleNamespace(status_code=status), {"Error": {"Code": code, "Message": "no"}}
        return None

    def _after(self, **_: object) -> None:
        if len(self.seen) != self._nth:
            return
        if self._fault is Fault.CRASH_AFTER:
            raise Crash
        if self._fault is Fault.LOST:
            raise ReadTimeoutError(endpoint_url="http://aws")
