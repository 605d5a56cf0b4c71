"""The inbox: pages from every own delivery service, opened and checked; acknowledging; following.

Uses the relay's paged routes (`/inbox/{name}`), which need no acknowledging to go on.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass

from chalicelib.client.cursor import Progress, read_cursor, write_cursor
from chalicelib.client.doubles import Doubles
from chalicelib.client.identity import Identity
from chalicelib.client.opening import Opener
from chalicelib.client.own_inbox import OwnInbox
from chalicelib.client.services import Services
from chalicelib.client.several import at_each
from chalicelib.client.values import InboxPage, Received, Unreadable
from chalicelib.protocol.errors import Dm3Error, InvalidParams
from chalicelib.protocol.json_types import JsonValue

_FOLLOW_REMEMBERED = 10_000


@dataclass(frozen=True, slots=True)
class _Part:
    """What one delivery service gave."""

    opened: tuple[Received | Unreadable, ...]
    cursor: str
    more: bool


class Mailbox:
    """Reads and acknowledges the mail of one identity."""

    def __init__(self, identity: Identity, services: Services, own: OwnInbox, opener: Opener) -> None:
        self._identity = identity
        self._services = services
        self._own = own
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
        by_service = self.with_doubles(messages)
        if not by_service:
            return 0
        counts, unreached = at_each(by_service, lambda name: self._acknowledge_at(name, by_service[name]))
        if unreached:
            raise unreached[0].reason
        return sum(counts.values())

    def with_doubles(self, messages: Iterable[str | Received | Unreadable]) -> dict[str, list[str]]:
        """What to acknowledge for these, their doubles included: the services' own ids by service.

        Raises InvalidParams for an id that is not one of this client.
        """
        given = [item if isinstance(item, str) else item.id for item in messages]
        by_service: dict[str, list[str]] = {}
        for identifier in self._doubles.acknowledged(given):
            service, separator, stored_id = identifier.partition("/")
            if not separator:
                raise InvalidParams("An id is not one of this client.")
            by_service.setdefault(service, []).append(stored_id)
        return by_service

    def open(self, stored: JsonValue, service: str) -> Received | None:
        """A message that the delivery service called `service` gave.

        None if it cannot be opened, or has come in under another id.
        """
        opened = self._opener.open(stored, service)
        if isinstance(opened, Received) and not self._doubles.is_double(opened):
            return opened
        return None

    def _acknowledge_at(self, name: str, ids: list[str]) -> int:
        return self._own.acknowledge(self._services.find(name), ids)

    def _part(self, name: str, position: str | None, *, limit: int | None, follow: bool) -> _Part:
        service = self._services.find(name)
        page = self._own.read(service, position, limit=limit, follow=follow)
        opened = tuple(self._opener.open(message, service.name) for message in page.messages)
        return _Part(opened, page.position, page.more)
