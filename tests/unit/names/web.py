"""The web as tests of names need it: what each URL answers, and what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from threading import Lock
from typing import TypeAlias

from chalicelib.fetching.ports import Answer
from chalicelib.protocol.errors import Dm3Error, Unavailable

Page: TypeAlias = bytes | int | Dm3Error | Callable[["Asked"], bytes]


@dataclass(frozen=True)
class Asked:
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes | None
    max_bytes: int
    deadline_s: float


class Web:
    """Implements `fetching.ports.Fetcher`. A page is a body, a status, an error, or a function.

    `now_s` is a clock; each request takes the seconds of its page in `slow`, but ends by its deadline.
    """

    def __init__(
        self, pages: Mapping[str, Page] | None = None, *, slow: Mapping[str, float] | None = None
    ) -> None:
        self.pages = dict(pages or {})
        self.slow = dict(slow or {})
        self.asked: list[Asked] = []
        self.now_s = 0.0
        self._lock = Lock()

    def clock(self) -> float:
        return self.now_s

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
        asked = Asked(url, method, headers or {}, body, max_bytes, deadline_s)
        with self._lock:
            self.asked.append(asked)
            self.now_s += min(self.slow.get(url, 0.0), deadline_s)
        if self.slow.get(url, 0.0) >= deadline_s:
            raise Unavailable
        page = self.pages.get(url, 404)
        if isinstance(page, Dm3Error):
            raise page
        if isinstance(page, int):
            return Answer(page, {}, b"{}")
        return Answer(200, {}, page if isinstance(page, bytes) else page(asked))

    @property
    def urls(self) -> list[str]:
        return [asked.url for asked in self.asked]
