"""Clients of AWS as the laptop needs them: one call at a time where that is needed, watched, and mortal.

A worker that is killed on AWS may have come to any line. Here it dies before or after one of its calls to
AWS, which is as good: between two of them it changes nothing that anybody could see.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from threading import Event, local
from typing import Any

Watch = Callable[[str, str, Mapping[str, Any]], None]
"""Is told of each call that succeeded: the service, the operation, and what was asked."""


class Killed(BaseException):
    """Ends the thread of a worker that was killed. No handler of the relay catches it."""


@dataclass(slots=True)
class Life:
    """A worker's life; its thread ends at the next call to AWS after `killed` is set."""

    killed: Event = field(default_factory=Event)


_lives = local()


@contextmanager
def living(life: Life) -> Iterator[None]:
    """What this thread does meanwhile is done by a worker with that life."""
    _lives.life = life
    try:
        yield
    finally:
        del _lives.life


def die_if_killed() -> None:
    """Raises Killed in the thread of a worker that was killed."""
    life: Life | None = getattr(_lives, "life", None)
    if life is not None and life.killed.is_set():
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
    """A client that tells `watch` of each call that succeeded, and in which killed workers die."""

    def __init__(self, inner: object, service: str, watch: Watch) -> None:
        self._inner = inner
        self._service = service
        self._watch = watch

    def __getattr__(self, name: str) -> Any:  # noqa: ANN401 - whatever the client has
        attribute = getattr(self._inner, name)
        if not callable(attribute):
            return attribute

        def watched(*args: object, **kwargs: object) -> object:
            die_if_killed()
            answer = attribute(*args, **kwargs)
            die_if_killed()
            self._watch(self._service, name, kwargs)
            return answer

        return watched


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
