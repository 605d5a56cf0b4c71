"""What the rest of the relay needs in order to follow a URL that somebody else chose."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Protocol

LOOP_HEADER: Final = "cdn-loop"
LOOP_VALUE: Final = "dm3-relay"
"""What every request says of itself (RFC 8586): it is made by a relay, because a stranger's name said so.

A relay that is asked so must not make requests of that kind in turn. Names that lead from one to the next
could else keep relays busy with each other, or with themselves, without end.
"""


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered. The names of `headers` are in lower case; `body` is as it was sent.

    All three are whatever the server likes: an attacker's text.
    """

    status: int
    headers: Mapping[str, str]
    body: bytes


class Fetcher(Protocol):
    """Asks a server that somebody else chose. Implemented by `fetching.guarded_fetcher.GuardedFetcher`."""

    def fetch(
        self,
        url: str,
        *,
        method: str = "GET",
        headers: Mapping[str, str] | None = None,
        body: bytes | None = None,
        max_bytes: int,
        deadline_s: float,
    ) -> Answer:
        """The answer of the server at `url`, whatever its status, but never that of another server.

        The body has at most `max_bytes` bytes, and everything together takes at most `deadline_s` seconds.
        Raises `UnsafeLink` for a URL that must not be followed, `TooBig` for a longer answer, and
        `Unavailable` for everything that may be better another time: the server cannot be reached or
        trusted, is too slow, redirects, compresses, or does not speak HTTP.
        """
        ...
