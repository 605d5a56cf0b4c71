"""API Gateway's WebSocket API on the laptop: WebSockets in, Lambda events out, several at a time.

An ASGI application for scopes of type "websocket", at any path. `$connect` is handed on before the client's
handshake is answered; until then nothing can be posted to the connection, and an answer other than 2xx
refuses the handshake. As on AWS, each message is an invocation of its own: the messages of one connection are
handed on in their order, and worked at the same time, so the second may be answered before the first.
`$disconnect` comes once, at the end, and its answer matters to nobody.

The sizes of frames and messages are watched by the server (`infra.local.server`), which closes with 1009.
"""

from __future__ import annotations

import asyncio
import base64
import logging
import os
from collections.abc import Awaitable, Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Protocol

from infra.local.connection import (
    ABNORMAL,
    Connection,
    Ending,
    Message,
    NotOpen,
    Send,
    SocketLimits,
)
from infra.local.socket_events import Handshake

THREADS = 16
AT_ONCE = 8
"""How many messages of one connection are worked at the same time; the next ones wait in the network."""

AS_ON_AWS = SocketLimits()

Receive = Callable[[], Awaitable[Message]]

_log = logging.getLogger("dm3.local")


class SocketRoutes(Protocol):
    """What the events are handed to, in threads; see `chalicelib.notify.service.Sockets`."""

    def connect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$connect`."""
        ...

    def message(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$default`."""
        ...

    def disconnect(self, event: Mapping[str, Any]) -> Mapping[str, Any]:
        """`$disconnect`."""
        ...


class SocketGateway:
    """The ASGI application, and the open connections. It hands on events from at most `threads` threads.

    `leave` before the server stops: then nothing is told of the connections that it cuts. `close` after it.
    """

    def __init__(
        self, routes: SocketRoutes, *, limits: SocketLimits = AS_ON_AWS, threads: int = THREADS
    ) -> None:
        self.limits = limits
        self._routes = routes
        self._connections: dict[str, Connection] = {}
        self._pool = ThreadPoolExecutor(threads, thread_name_prefix="sockets")
        self._leaving = False

    def connection(self, connection_id: str) -> Connection:
        """The connection of that id. Raises NotOpen."""
        found = self._connections.get(connection_id)
        if found is None:
            raise NotOpen
        return found

    @property
    def connection_ids(self) -> tuple[str, ...]:
        """The connections that are being opened or open."""
        return tuple(self._connections)

    def leave(self) -> None:
        """Hand on no more `$disconnect`: everything is about to end."""
        self._leaving = True

    def close(self) -> None:
        """End the threads, after their last events."""
        self._pool.shutdown()

    async def __call__(self, scope: Message, receive: Receive, send: Send) -> None:
        """One WebSocket, as ASGI calls it."""
        await receive()  # "websocket.connect"
        handshake = Handshake.of(base64.b64encode(os.urandom(11)).decode(), scope)
        connection = Connection(handshake, self.limits)
        self._connections[handshake.connection_id] = connection
        try:
            answer = await self._hand_on(self._routes.connect, handshake.connect_event())
            if not 200 <= answer["statusCode"] < 300:
                await _refuse(send, answer["statusCode"])
                return
            await self._converse(connection, answer, receive, send)
        finally:
            connection.end()
            del self._connections[handshake.connection_id]

    async def _converse(
        self, connection: Connection, answer: Mapping[str, Any], receive: Receive, send: Send
    ) -> None:
        ending = Ending(ABNORMAL)
        try:
            connection.open()  # what is posted from now on is written right behind the answer
            await send({"type": "websocket.accept", "subprotocol": _subprotocol(answer)})
            ending = await self._until_the_end(connection, receive, send)
            connection.end()
            if ending.tell:
                await send({"type": "websocket.close", "code": ending.code, "reason": ending.reason})
        except OSError:  # the client is gone: what is sent to it raises
            _log.debug("socket lost")
        finally:
            connection.end()
            if not self._leaving:
                event = connection.handshake.disconnect_event(ending.code, ending.reason)
                await self._hand_on(self._routes.disconnect, event)

    async def _until_the_end(self, connection: Connection, receive: Receive, send: Send) -> Ending:
        """Read, write and watch the time, until one of the three says that it is over."""
        tasks = [
            asyncio.ensure_future(self._read(connection, receive)),
            asyncio.ensure_future(connection.write(send)),
            asyncio.ensure_future(connection.expire()),
        ]
        try:
            done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
            return next(task for task in tasks if task in done).result()
        finally:
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)

    async def _read(self, connection: Connection, receive: Receive) -> Ending:
        """Hand on messages until the client leaves. What is being worked then goes on."""
        room = asyncio.Semaphore(AT_ONCE)
        while True:
            message = await receive()
            if message["type"] == "websocket.disconnect":
                return Ending(message.get("code") or ABNORMAL, message.get("reason") or "")
            connection.received()
            content = message.get("text")
            event = connection.handshake.message_event(message["bytes"] if content is None else content)
            await room.acquire()
            working = asyncio.ensure_future(self._hand_on(self._routes.message, event))
            working.add_done_callback(lambda _: room.release())

    async def _hand_on(
        self, route: Callable[[Mapping[str, Any]], Mapping[str, Any]], event: Mapping[str, Any]
    ) -> Mapping[str, Any]:
        """The route's answer; 502, as from the gateway, if it raises or answers what is no answer."""
        try:
            answer = await asyncio.get_running_loop().run_in_executor(self._pool, route, event)
            return {**answer, "statusCode": int(answer["statusCode"])}
        except Exception as error:  # noqa: BLE001 - a function that fails is answered by the gateway
            _log.error("socket function failed", extra={"fields": {"type": type(error).__name__}})
            return {"statusCode": 502}


def _subprotocol(answer: Mapping[str, Any]) -> str | None:
    headers: Mapping[str, str] = answer.get("headers") or {}
    chosen = [value for name, value in headers.items() if name.lower() == "sec-websocket-protocol"]
    return chosen[0] if chosen else None


async def _refuse(send: Send, status: int) -> None:
    headers = [(b"content-type", b"application/json"), (b"content-length", b"0")]
    status = status if 400 <= status < 600 else 502
    await send({"type": "websocket.http.response.start", "status": status, "headers": headers})
    await send({"type": "websocket.http.response.body", "body": b""})
