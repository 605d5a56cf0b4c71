"""The inbox: pages from every own delivery service, opened and checked; acknowledging; following.

Uses the relay's paged routes (`/inbox/{name}`), which need no acknowledging to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.client.cursor import Progress, is_position, read_cursor, write_cursor
from chalicelib.client.delivery_service import path
from chalicelib.client.doubles import Doubles
from chalicelib.client.identity import Identity
from chalicelib.client.opening import Opener
from chalicelib.client.services import Services
from chalicelib.client.session import Sessions
from chalicelib.client.several import at_each
from chalicelib.client.values import InboxPage, Received, Unreadable
from chalicelib.protocol.errors import Dm3Error, InvalidParams, Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

ACKNOWLEDGED_AT_ONCE = 1_000  # the relay's documented limit
_FOLLOW_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Part:
    """What one delivery service gave."""

    opened: tuple[Received | Unreadable, ...]
    cursor: str
    more: bool


class Mailbox:
    """Reads and acknowledges the mail of one identity."""

    def __init__(self, identity: Identity, services: Services, sessions: Sessions, opener: Opener) -> None:
        self._identity = identity
        self._services = services
        self._sessions = sessions
        self._opener = opener
        self._doubles = Doubles()

    def page(self, cursor: str | None, *, limit: int | None, follow: bool) -> InboxPage:
        """At most `limit` messages from each delivery service. See `Dm3Client.fetch`."""
        positions = read_cursor(cursor)
        parts, unreached = at_each(
            self._identity.delivery_services,
            lambda name: self._part(name, positions.get(name), limit=limit, follow=follow),
        )
        positions.update((name, part.cursor) for name, part in parts.items())
        opened = [item for part in parts.values() for item in part.opened]
        received = [item for item in opened if isinstance(item, Received)]
        received.sort(key=lambda item: item.received_at_ms)
        return InboxPage(
            messages=tuple(item for item in received if not self._doubles.is_double(item)),
            unreadable=tuple(item for item in opened if isinstance(item, Unreadable)),
            cursor=write_cursor(positions),
            more=any(part.more for part in parts.values()),
            unreached=unreached,
        )

    def every(self, cursor: str | None, *, limit: int | None) -> Iterator[Received]:
        """Everything after `cursor`, page by page."""
        progress = Progress()
        while True:
            page = self.page(cursor, limit=limit, follow=False)
            yield from page.messages
            if not page.more:
                return
            progress.step(cursor, page.cursor, found=bool(page.messages or page.unreadable))
            cursor = page.cursor

    def follow(
        self, cursor: str | None, *, poll_s: float, sleep: Callable[[float], None] = time.sleep
    ) -> Iterator[Received]:
        """Everything after `cursor`, and then what comes in, for ever. Outages are waited out."""
        seen: dict[str, None] = {}
        while True:
            try:
                page = self.page(cursor, limit=None, follow=True)
            except Dm3Error as error:
                if not error.retry:
                    raise
                sleep(poll_s)
                continue
            cursor = page.cursor
            for received in page.messages:
                if received.id not in seen:
                    seen[received.id] = None
                    yield received
            while len(seen) > _FOLLOW_REMEMBERED:
                del seen[next(iter(seen))]
            # A service that says there is more, and gives nothing, is not asked without a pause.
            if not (page.more and page.messages):
                sleep(poll_s)

    def acknowledge(self, messages: Iterable[str | Received | Unreadable]) -> int:
        """Delete these messages. See `Dm3Client.acknowledge`."""
        given = [item if isinstance(item, str) else item.id for item in messages]
        by_service: dict[str, list[str]] = {}
        for identifier in self._doubles.acknowledged(given):
            service, separator, stored_id = identifier.partition("/")
            if not separator:
                raise InvalidParams("An id is not one of this client.")
            by_service.setdefault(service, []).append(stored_id)
        if not by_service:
            return 0
        counts, unreached = at_each(by_service, lambda name: self._acknowledge_at(name, by_service[name]))
        if unreached:
            raise unreached[0].reason
        return sum(counts.values())

    def _acknowledge_at(self, name: str, ids: list[str]) -> int:
        service = self._services.find(name)
        where = path("inbox", self._identity.name, "acknowledgements")
        count = 0
        for start in range(0, len(ids), ACKNOWLEDGED_AT_ONCE):
            body: JsonObject = {"ids": list(ids[start : start + ACKNOWLEDGED_AT_ONCE])}
            answer = self._sessions.request(service, "POST", where, body=body)
            count += _whole(answer, "acknowledged")
        return count

    def _part(self, name: str, position: str | None, *, limit: int | None, follow: bool) -> _Part:
        service = self._services.find(name)
        answer = self._sessions.request(
            service,
            "GET",
            path("inbox", self._identity.name),
            cursor=position,
            limit=None if limit is None else str(limit),
            follow="true" if follow else None,
        )
        match answer:
            case {"messages": list(messages), "cursor": cursor, "more": bool(more)} if is_position(cursor):
                opened = tuple(self._opener.open(message, service) for message in messages)
                return _Part(opened, cursor, more)
        raise Unavailable("The delivery service gave an answer that makes no sense.")


def _whole(answer: JsonValue, member: str) -> int:
    value = answer.get(member) if isinstance(answer, dict) else None
    return value if isinstance(value, int) else 0
