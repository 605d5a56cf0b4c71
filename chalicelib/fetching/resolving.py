"""Turns the name of a host into addresses, once and within a deadline that the system's resolver lacks."""

from __future__ import annotations

import socket
from collections.abc import Callable, Sequence
from ipaddress import ip_address
from queue import Empty, SimpleQueue
from threading import BoundedSemaphore, Thread
from typing import Final, TypeAlias

from chalicelib.fetching.addresses import Address
from chalicelib.fetching.deadline import Deadline
from chalicelib.fetching.failures import FetchFailed, FetchReason

Resolver: TypeAlias = Callable[[str], Sequence[Address]]
"""All addresses of a host. Raises `OSError` if there are none, and may take as long as it likes."""

MAX_RESOLUTIONS: Final = 16


def system_resolver(host: str) -> Sequence[Address]:
    """What the operating system says. Raises `OSError`."""
    # As bytes, or Python would put its own, older IDNA in between.
    found = socket.getaddrinfo(host.encode("ascii"), None, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(ip_address(str(item[4][0])) for item in found))


class BoundedResolver:
    """Runs a `Resolver` in threads of its own, at most `at_once` at a time. Safe for use by several threads.

    `getaddrinfo` cannot be interrupted: one that hangs keeps its thread, and its place, until it returns. So
    hostile names can make other names wait, but never pile threads up.
    """

    def __init__(self, resolver: Resolver = system_resolver, *, at_once: int = MAX_RESOLUTIONS) -> None:
        self._resolver = resolver
        self._places = BoundedSemaphore(at_once)

    def resolve(self, host: str, deadline: Deadline) -> Sequence[Address]:
        """The addresses of `host`. Raises `Unavailable` if there are none in time."""
        if not self._places.acquire(timeout=deadline.remaining_s()):
            raise _busy()
        outcome: SimpleQueue[Sequence[Address]] = SimpleQueue()
        try:
            # A daemon: the end of the process does not wait for a name server.
            Thread(target=self._run, args=(host, outcome), daemon=True).start()
        except RuntimeError:
            self._places.release()
            raise _busy() from None
        try:
            addresses = outcome.get(timeout=deadline.remaining_s())
        except Empty:
            raise _unresolved("The name of a host cannot be looked up in time; try again.") from None
        if not addresses:
            raise _unresolved("A host that a link names cannot be found; try again.")
        return addresses

    def _run(self, host: str, outcome: SimpleQueue[Sequence[Address]]) -> None:
        try:
            outcome.put(self._resolver(host))
        except (OSError, ValueError):
            outcome.put([])
        finally:
            self._places.release()


def _busy() -> FetchFailed:
    return FetchFailed("Too many hosts are being looked up; try again.", reason=FetchReason.BUSY)


def _unresolved(sentence: str) -> FetchFailed:
    return FetchFailed(sentence, reason=FetchReason.UNRESOLVED)
