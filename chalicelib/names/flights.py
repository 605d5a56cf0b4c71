"""Several threads that want the same thing at once share one reading of it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from concurrent.futures import Future
from threading import Lock
from typing import Generic, TypeVar

Key = TypeVar("Key", bound=Hashable)
Answer = TypeVar("Answer")


class Flights(Generic[Key, Answer]):
    """Readings under way, by key. Thread-safe."""

    def __init__(self) -> None:
        self._lock = Lock()
        self._under_way: dict[Key, Future[Answer]] = {}

    def share(self, key: Key, read: Callable[[], Answer]) -> Answer:
        """What `read` returns or raises, or the reading of another thread that is under way for `key`."""
        with self._lock:
            under_way = self._under_way.get(key)
            if under_way is None:
                flight = self._under_way[key] = Future()
        if under_way is not None:
            return under_way.result()
        try:
            flight.set_result(read())
        except BaseException as error:
            flight.set_exception(error)
            raise
        finally:
            with self._lock:
                del self._under_way[key]
        return flight.result()
