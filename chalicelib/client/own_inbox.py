"""One's own inbox at one delivery service, over REST: pages as they came, and acknowledging by id."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final

from chalicelib.client.cursor import is_position
from chalicelib.client.delivery_service import DeliveryService, path
from chalicelib.client.session import Sessions
from chalicelib.protocol.errors import Unavailable
from chalicelib.protocol.json_types import JsonObject, JsonValue

ACKNOWLEDGED_AT_ONCE: Final = 1_000  # the relay's documented limit


@dataclass(frozen=True, slots=True)
class StoredPage:
    """What one delivery service gave: unopened messages, and the position after them."""

    messages: tuple[JsonValue, ...] = field(repr=False)
    position: str
    more: bool


class OwnInbox:
    """Reads and acknowledges the mail of the account `name`. Safe for use by several threads."""

    def __init__(self, name: str, sessions: Sessions) -> None:
        self._name = name
        self._sessions = sessions

    def read(
        self, service: DeliveryService, position: str | None, *, limit: int | None, follow: bool
    ) -> StoredPage:
        """The oldest messages after `position`. Raises Unavailable for an answer that is no page."""
        answer = self._sessions.request(
            service,
            "GET",
            path("inbox", self._name),
            cursor=position,
            limit=None if limit is None else str(limit),
            follow="true" if follow else None,
        )
        match answer:
            case {"messages": list(messages), "cursor": cursor, "more": bool(more)} if is_position(cursor):
                return StoredPage(tuple(messages), cursor, more)
        raise Unavailable("The delivery service gave an answer that makes no sense.")

    def acknowledge(self, service: DeliveryService, ids: Sequence[str]) -> int:
        """Delete these; how many the service says it was told of."""
        where = path("inbox", self._name, "acknowledgements")
        count = 0
        for start in range(0, len(ids), ACKNOWLEDGED_AT_ONCE):
            body: JsonObject = {"ids": list(ids[start : start + ACKNOWLEDGED_AT_ONCE])}
            count += _whole(self._sessions.request(service, "POST", where, body=body), "acknowledged")
        return count


def _whole(answer: JsonValue, member: str) -> int:
    value = answer.get(member) if isinstance(answer, dict) else None
    return value if isinstance(value, int) else 0
