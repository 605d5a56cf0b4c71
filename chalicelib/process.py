"""What one process of the relay holds, made when it is first needed.

Importing this module is cheap. The relay, and with it everything that stores, signs and resolves, is imported
when the first request needs it: a request that is refused for its form alone never pays for it. On Lambda
`import_ahead` moves that into the start of the function.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Mapping
from importlib import import_module
from threading import Lock
from typing import TYPE_CHECKING, Any

from chalicelib.api import logs
from chalicelib.config import InvalidSettings, Settings, SweeperSettings
from chalicelib.metrics import Metrics
from chalicelib.protocol.errors import InternalError

if TYPE_CHECKING:
    from chalicelib.bootstrap import Clients
    from chalicelib.relay.service import Relay
    from chalicelib.store.bodies import S3Bodies
    from chalicelib.store.dynamodb import DynamoStore

_PROBE = bytes(32)


def import_ahead() -> None:
    """Import what the first request will need, AWS's client included.

    For the start of a function on Lambda, which has a whole processor to itself; the requests that follow
    have the share that goes with the memory.
    """
    for module in ("botocore.session", "chalicelib.api.models", "chalicelib.bootstrap", "jwt"):
        import_module(module)


class Wiring:
    """The relay of one process, built when it is first asked for. Safe to use from many threads.

    `settings` reads the settings; `clients` makes clients of AWS (default: by the settings' endpoint).
    `metrics` counts what the relay's adapters tell, until it is flushed.
    """

    def __init__(self, settings: Callable[[], Settings], *, clients: Clients | None = None) -> None:
        self._settings = settings
        self._clients = clients
        self.metrics = Metrics(os.environ.get("AWS_LAMBDA_FUNCTION_NAME", "local"), _now_ms)
        self._lock = Lock()
        self._built: tuple[Relay, DynamoStore] | None = None

    def relay(self) -> Relay:
        """The relay. Raises Unavailable if its keys cannot be read now, InternalError for wrong settings."""
        return self._ready()[0]

    def probe(self) -> None:
        """One read of the smallest kind. Raises Unavailable if the store does not answer, and as `relay`."""
        self._ready()[1].counters.read([_PROBE], now_s=int(time.time()))

    def _ready(self) -> tuple[Relay, DynamoStore]:
        with self._lock:
            if self._built is None:
                try:
                    self._built = self._build()
                except InvalidSettings as error:
                    logs.misconfigured(error)
                    raise InternalError from None
            return self._built

    def _build(self) -> tuple[Relay, DynamoStore]:
        from chalicelib import bootstrap

        settings = self._settings()
        clients = self._clients or bootstrap.aws_clients(settings.aws_url)
        store = bootstrap.open_store(settings, clients)
        keys = bootstrap.keys_of(settings, clients)
        return bootstrap.build(settings, keys, store, count=self.metrics), store


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
        from chalicelib import bootstrap
        from chalicelib.store.bodies import bodies_of_removed

        if self._bodies is None:
            settings = self._settings()
            clients = self._clients or bootstrap.aws_clients(settings.aws_url)
            self._bodies = bootstrap.open_bodies(settings, clients)
        self._bodies.delete(bodies_of_removed(event["Records"]))
