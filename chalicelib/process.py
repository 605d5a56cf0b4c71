"""What one process of the relay holds, made when it is first needed.

Importing this module is cheap. The relay, and with it everything that stores, signs and resolves, is imported
when the first request needs it: a request that is refused for its form alone never pays for it. On Lambda
`import_ahead` moves that into the start of the function.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from functools import cached_property
from importlib import import_module
from threading import RLock
from typing import TYPE_CHECKING, Any, Literal, TypeVar

from chalicelib.api import logs
from chalicelib.api.source import source_of
from chalicelib.config import InvalidSettings, Settings, SweeperSettings, WorkerSettings
from chalicelib.metrics import Metrics
from chalicelib.protocol.errors import Dm3Error, InternalError

if TYPE_CHECKING:
    from chalicelib.config import Keys
    from chalicelib.foundation import Clients
    from chalicelib.notify.compose import Workshop
    from chalicelib.notify.service import Notify, Sockets
    from chalicelib.relay.service import Relay
    from chalicelib.relay.settings import Limits
    from chalicelib.store.bodies import S3Bodies
    from chalicelib.store.dynamodb import DynamoStore

WorkerName = Literal["outbox", "untold", "sockets", "greetings", "webhooks", "email", "push", "sms", "minute"]
SocketRoute = Literal["connect", "message", "disconnect"]

T = TypeVar("T")

_PROBE = bytes(32)
_TELLING = ("botocore.session", "chalicelib.carriers")
_SERVING = (*_TELLING, "chalicelib.bootstrap", "jwt")


def import_ahead(handler: str) -> None:
    """Import what the first event of a function will need, AWS's client included. `handler` is Lambda's.

    For the start of a function, which has a whole processor to itself; the events that follow have the share
    that goes with the memory. Elsewhere, and for a function that needs little, nothing is imported.
    """
    module, _, function = handler.partition(".")
    if module != "app" or function == "bodies":
        return
    modules = _SERVING if function == "app" or function.startswith("websocket_") else _TELLING
    for name in modules if function != "app" else (*modules, "chalicelib.api.models"):
        import_module(name)


class Wiring:
    """The relay of one process, and how it tells receivers, each built when it is first asked for.

    Safe to use from many threads. `settings` reads the settings, `worker_settings` those of a function that
    only tells receivers (default: the part of `settings`); `clients` makes clients of AWS (default: by the
    settings' endpoints). `metrics` counts what the adapters tell, until it is flushed.
    """

    def __init__(
        self,
        settings: Callable[[], Settings],
        worker_settings: Callable[[], WorkerSettings] | None = None,
        *,
        clients: Clients | None = None,
    ) -> None:
        self.metrics = Metrics(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"), _now_ms)
        self._parts = _Parts(settings, worker_settings or (lambda: settings().worker), clients, self.metrics)
        self._lock = RLock()

    def relay(self) -> Relay:
        """The relay. Raises Unavailable if its keys cannot be read now, InternalError for wrong settings."""
        return self._built(lambda: self._parts.relay)

    def notify(self) -> Notify:
        """How receivers are told, and by what they want to be told. Raises as `relay`."""
        return self._built(lambda: self._parts.notify)

    def probe(self) -> None:
        """One read of the smallest kind. Raises Unavailable if the store does not answer, and as `relay`."""
        self._built(lambda: self._parts.relay)
        self._parts.store.counters.read([_PROBE], now_s=int(time.time()))

    def work(self, name: WorkerName, event: Mapping[str, Any]) -> Any:  # noqa: ANN401 - as the worker answers
        """What the worker of that name answers to a Lambda event. Raises as `relay`, and what it raises.

        A worker needs no node of the chain, and none is asked for.
        """
        try:
            return getattr(self._built(lambda: self._parts.workshop).workers, name)(event)
        finally:
            self.metrics.flush()

    def socket(self, route: SocketRoute, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """What the WebSocket API is answered to an event of one of its routes. Never raises."""
        try:
            answer: Mapping[str, Any] = getattr(self._built(lambda: self._parts.sockets), route)(event)
            return answer
        except Dm3Error as error:
            return {"statusCode": error.status}
        except Exception as error:  # noqa: BLE001 - the last resort: no socket may end in a stack trace
            logs.defect(error)
            return {"statusCode": 500}
        finally:
            self.metrics.flush()

    def _built(self, part: Callable[[], T]) -> T:
        with self._lock:
            try:
                return part()
            except InvalidSettings as error:
                logs.misconfigured(error)
                raise InternalError from None


class _Parts:
    """The parts of a process. Not safe to use from many threads while they are being made."""

    def __init__(
        self,
        settings: Callable[[], Settings],
        worker_settings: Callable[[], WorkerSettings],
        clients: Clients | None,
        count: Metrics,
    ) -> None:
        self._read_settings = settings
        self._read_worker_settings = worker_settings
        self._given_clients = clients
        self._count = count

    @cached_property
    def relay(self) -> Relay:
        from chalicelib import bootstrap

        settings = self._read_settings()
        return bootstrap.build(
            settings,
            self._keys,
            self.store,
            count=self._count,
            offered=lambda: self.workshop.notifications.offered(),
        )

    @cached_property
    def notify(self) -> Notify:
        return self.workshop.notify(self.relay, limits=self._limits, source_of=self._source)

    @cached_property
    def sockets(self) -> Sockets:
        return self.workshop.sockets(self.relay, limits=self._limits, source_of=self._source)

    @cached_property
    def _limits(self) -> Limits:
        from chalicelib import bootstrap

        return bootstrap.limits_of(self._read_settings())

    def _source(self, event: Mapping[str, Any]) -> str:
        secret = self._settings.notify.origin_secret
        return source_of(event.get("headers") or {}, event["requestContext"], secret)

    @cached_property
    def workshop(self) -> Workshop:
        from chalicelib import carriers

        return carriers.workshop(self._settings, self._keys, self.store, self._clients, count=self._count)

    @cached_property
    def store(self) -> DynamoStore:
        from chalicelib import foundation

        return foundation.open_store(self._settings, self._clients)

    @cached_property
    def _settings(self) -> WorkerSettings:
        return self._read_worker_settings()

    @cached_property
    def _keys(self) -> Keys:
        from chalicelib import foundation

        return foundation.keys_of(self._settings, self._clients)

    @cached_property
    def _clients(self) -> Clients:
        from chalicelib import foundation

        settings = self._settings
        return self._given_clients or foundation.aws_clients(settings.aws_url, settings.notify.sockets_url)


def _now_ms() -> int:
    return time.time_ns() // 1_000_000


class Sweeper:
    """Deletes the bodies of deleted messages: the function behind the inbox table's stream.

    `settings` and `clients` as in `Wiring`; both are used at the first event.
    """

    def __init__(self, settings: Callable[[], SweeperSettings], *, clients: Clients | None = None) -> None:
        self._settings = settings
        self._clients = clients
        self._bodies: S3Bodies | None = None

    def sweep(self, event: Mapping[str, Any]) -> None:
        """Delete the bodies that an event of the stream names. Raises Unavailable: the stream repeats it."""
        from chalicelib import foundation
        from chalicelib.store.bodies import bodies_of_removed

        if self._bodies is None:
            settings = self._settings()
            clients = self._clients or foundation.aws_clients(settings.aws_url)
            self._bodies = foundation.open_bodies(settings, clients)
        self._bodies.delete(bodies_of_removed(event["Records"]))
