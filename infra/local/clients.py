"""Clients of AWS as the laptop needs them: one call at a time where that is needed, watched, and mortal.

A worker that is killed on AWS may have come to any line. Here it dies before or after one of its calls to
AWS, which is as good: between two of them it changes nothing that anybody could see.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from itertools import count
from threading import Event
from typing import Any

Clients = Callable[[str], Any]
"""Makes a client for the service it names."""
Watch = Callable[[str, str, Mapping[str, Any]], None]
"""Is told of each call that succeeded: the service, the operation, and what was asked."""


class Killed(BaseException):
    """Ends the threads of a worker that was killed. No handler of the relay catches it."""


class Life:
    """A worker's life: `kill` ends it at once, `doom` in the middle of what the worker does next."""

    def __init__(self) -> None:
        self._over = Event()
        self._left: count[int] | None = None
        self._last = 0

    @property
    def over(self) -> bool:
        """Whether it has ended."""
        return self._over.is_set()

    def kill(self) -> None:
        """From now on the worker calls nobody any more."""
        self._over.set()

    def doom(self, checks: int) -> None:
        """Let the worker pass `checks` more checks, two of which belong to each call, and end at the next."""
        self._last, self._left = checks, count()

    def check(self) -> None:
        """Raises Killed if it is over."""
        if self._left is not None and next(self._left) >= self._last:
            self._over.set()
        if self._over.is_set():
            raise Killed


class OneAtATime:
    """A client whose operations wait for one another."""

    def __init__(self, inner: object, lock: AbstractContextManager[object]) -> None:
        self._inner = inner
        self._lock = lock

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def locked(*args: object, **kwargs: object) -> object:
            with self._lock:
                return attribute(*args, **kwargs)

        return locked


class Watched:
    """A client that tells `watch` of each call that succeeded."""

    def __init__(self, inner: object, service: str, watch: Watch) -> None:
        self._inner = inner
        self._service = service
        self._watch = watch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def watched(*args: object, **kwargs: object) -> object:
            answer = attribute(*args, **kwargs)
            self._watch(self._service, name, kwargs)
            return answer

        return watched


class Mortal:
    """A client of a worker, which does not survive its worker's end: calls raise Killed, before or after."""

    def __init__(self, inner: object, life: Life) -> None:
        self._inner = inner
        self._life = life

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def mortal(*args: object, **kwargs: object) -> object:
            self._life.check()
            answer = attribute(*args, **kwargs)
            self._life.check()
            return answer

        return mortal


class StreamsWithKeys:
    """moto's client of DynamoDB streams, with binary keys as they are: moto encodes them once too often.

    The images are right, and have the keys among their attributes.
    """

    def __init__(self, inner: Any) -> None:  # noqa: ANN401 - botocore makes its clients at run time
        self._inner = inner

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        return getattr(self._inner, name)

    def get_records(self, **asked: object) -> Any:  # noqa: ANN401 - as the client answers
        """See botocore."""
        answer = self._inner.get_records(**asked)
        for record in answer["Records"]:
            change = record["dynamodb"]
            image = change.get("NewImage") or change.get("OldImage")
            if image:
                change["Keys"] = {name: image[name] for name in change["Keys"]}
        return answer


def mortal(clients: Clients, life: Life) -> Clients:
    """The clients of a worker with that life."""

    def make(service: str) -> Any:  # noqa: ANN401 - as `clients` makes them
        return Mortal(clients(service), life)

    return make
