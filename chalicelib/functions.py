"""Functions in the shape in which Chalice registers them and Lambda calls them.

Chalice finds a function in `app.py` by the name that the function itself has.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Protocol

from chalicelib.process import SocketRoute, Wiring, WorkerName


class SocketEvent(Protocol):
    """An event of the WebSocket API, as Chalice wraps it."""

    def to_dict(self) -> dict[str, Any]:
        """The event as Lambda got it."""
        ...


def worker(wiring: Wiring, name: WorkerName) -> Callable[[Mapping[str, Any], object], Any]:
    """The function that hands its events to a worker. What it raises, Lambda sees."""

    def handle(event: Mapping[str, Any], _context: object) -> Any:  # noqa: ANN401 - as the worker answers
        return wiring.work(name, event)

    handle.__name__ = name
    return handle


def websocket(wiring: Wiring, route: SocketRoute) -> Callable[[SocketEvent], Mapping[str, Any]]:
    """The function of a route of the WebSocket API. Never raises."""

    def handle(event: SocketEvent) -> Mapping[str, Any]:
        return wiring.socket(route, event.to_dict())

    handle.__name__ = f"websocket_{route}"
    return handle
