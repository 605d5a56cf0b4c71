"""The three routes of the WebSocket API: Lambda events in, Lambda answers out, and never an exception.

Nothing can be posted to a socket before its `$connect` has been answered; so the first packet of Engine.IO,
which the server has to send, goes through the queue of greetings (`sockets.greeter`).
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

from chalicelib.names.counting import Counting
from chalicelib.notify.ports import Queue, Queues
from chalicelib.notify.sockets.core import Core, Dialogue
from chalicelib.notify.sockets.gates import Gates
from chalicelib.notify.sockets.open_socket import Dialect, OpenSocket
from chalicelib.notify.sockets.plain_json import PlainJson
from chalicelib.notify.sockets.registry import Registry
from chalicelib.notify.sockets.socket_io import SocketIo
from chalicelib.protocol.errors import Dm3Error, InvalidParams, LimitExceeded
from chalicelib.relay.ports import Chance, Clock, CounterStore
from chalicelib.relay.positions import Positions
from chalicelib.relay.quota import Quotas
from chalicelib.relay.service import Relay
from chalicelib.relay.settings import Limits
from chalicelib.relay.vault import Vault

REFUSED = "SocketsRefused"
"""Metric: a socket was not opened, or closed, since a limit was reached."""
DEFECT = "SocketDefects"
"""Metric: an event could not be worked, for a reason that nobody has thought of."""

Event = Mapping[str, Any]
Answer = Mapping[str, Any]
SourceOf = Callable[[Event], str]

_DONE: Answer = {"statusCode": 200}
_log = logging.getLogger("dm3.notify")


def gateway_source(event: Event) -> str:
    """The network address that the gateway itself saw."""
    return str(event["requestContext"].get("identity", {}).get("sourceIp", ""))


class SocketDesk:
    """Implements `service.Sockets`. `source_of` tells from a `$connect` event who opens the socket."""

    def __init__(
        self,
        *,
        relay: Relay,
        registry: Registry,
        queues: Queues,
        counters: CounterStore,
        vault: Vault,
        clock: Clock,
        chance: Chance,
        count: Counting,
        limits: Limits | None = None,
        source_of: SourceOf = gateway_source,
    ) -> None:
        self._registry = registry
        self._queues = queues
        self._count = count
        self._source_of = source_of
        self._gates = Gates(Quotas(counters, vault, clock, chance), limits or Limits())
        core = Core(relay=relay, registry=registry, gates=self._gates)
        self._dialogues: Mapping[Dialect, Dialogue] = {
            Dialect.SOCKET_IO: SocketIo(core),
            Dialect.PLAIN: PlainJson(core, Positions(vault)),
        }

    def connect(self, event: Event) -> Answer:
        """See `service.Sockets.connect`. An error's status fails the handshake of the WebSocket."""
        try:
            self._open(event)
        except Dm3Error as error:
            if isinstance(error, LimitExceeded):
                self._count(REFUSED)
            return {"statusCode": error.status}
        except Exception as error:  # noqa: BLE001 - the last resort: no event may end in a stack trace
            self._defect(error)
            return {"statusCode": 500}
        return _DONE

    def message(self, event: Event) -> Answer:
        """See `service.Sockets.message`. A socket that cannot be answered is closed, and comes back."""
        try:
            self._take(event)
        except Dm3Error:
            self._close(event)
        except Exception as error:  # noqa: BLE001 - the last resort: no event may end in a stack trace
            self._defect(error)
            self._close(event)
        # Of anything else the gateway would tell the client in words of its own.
        return _DONE

    def disconnect(self, event: Event) -> Answer:
        """See `service.Sockets.disconnect`. A row that stays behind is found gone, or expires."""
        try:
            socket = self._registry.find(_connection_id(event))
            if socket is not None:
                self._registry.forget(socket)
        except Dm3Error:
            return _DONE
        except Exception as error:  # noqa: BLE001 - the last resort: no event may end in a stack trace
            self._defect(error)
        return _DONE

    def _open(self, event: Event) -> None:
        dialect = _dialect(event.get("queryStringParameters") or {})
        source = self._source_of(event)
        self._gates.opening(source)
        socket = self._registry.remember(_connection_id(event), source=source, dialect=dialect)
        if dialect is Dialect.SOCKET_IO:
            try:
                self._queues.send(Queue.GREETINGS, socket.connection.hex())
            except Dm3Error:
                with suppress(Dm3Error):
                    self._registry.forget(socket)
                raise

    def _take(self, event: Event) -> None:
        socket = self._registry.find(_connection_id(event))
        text = event.get("body")
        if socket is None or event.get("isBase64Encoded") or not isinstance(text, str):
            # Not remembered any more, or binary, which neither dialect has.
            self._close(event)
            return
        dialogue = self._dialogues[socket.dialect]
        try:
            self._gates.frame(socket)
        except LimitExceeded as error:
            self._count(REFUSED)
            self._turn_away(dialogue, socket, text, error)
        else:
            dialogue.take(socket, text)

    def _turn_away(self, dialogue: Dialogue, socket: OpenSocket, text: str, error: Dm3Error) -> None:
        """One answer and the end: answering every frame beyond a limit would cost more than the frames do."""
        dialogue.refuse(socket, text, error)
        self._registry.close(socket)

    def _close(self, event: Event) -> None:
        """End the socket as far as that is possible."""
        try:
            connection_id = _connection_id(event)
            self._registry.close_unknown(connection_id)
            socket = self._registry.find(connection_id)
            if socket is not None:
                self._registry.forget(socket)
        except Dm3Error:
            return
        except Exception as error:  # noqa: BLE001 - the last resort: no event may end in a stack trace
            self._defect(error)

    def _defect(self, error: Exception) -> None:
        """Logged by its type: the texts of foreign exceptions repeat values."""
        self._count(DEFECT)
        _log.error("defect", extra={"fields": {"part": "sockets", "type": type(error).__name__}})


def _dialect(query: Mapping[str, str]) -> Dialect:
    """What will be spoken. Raises InvalidParams for an Engine.IO that this relay does not speak."""
    if "EIO" not in query:
        return Dialect.PLAIN
    if query["EIO"] != "4" or query.get("transport") != "websocket" or "sid" in query:
        raise InvalidParams
    return Dialect.SOCKET_IO


def _connection_id(event: Event) -> str:
    return str(event["requestContext"]["connectionId"])
