"""The log of each endpoint: deliveries, sealed, the newest first, kept for 30 days."""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from dataclasses import dataclass
from typing import Final

from chalicelib.notify.events import MessageReceived
from chalicelib.notify.ports import DeliveryRow, DeliveryStore
from chalicelib.notify.webhooks.deliveries import Delivery
from chalicelib.notify.webhooks.due_tries import ENTRY_BYTES
from chalicelib.protocol.errors import InternalError, InvalidParams, NotFound, Unavailable, Undecryptable
from chalicelib.relay.ports import Clock, Conflict
from chalicelib.relay.vault import Vault

KEPT_S: Final = 30 * 86_400
_ATTEMPTS = 5
_ID_PREFIX = "msg_"
_TIME_BYTES = 8
_MAX_CHARS = 512
# Without padding, and every such text is the only one of its bytes.
_ENTRY = re.compile(rf"[A-Za-z0-9_-]{{{ENTRY_BYTES * 4 // 3}}}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Filed:
    """A delivery and where it stands: `endpoint` and `entry` are its keys, `version` counts its writes."""

    endpoint: bytes
    entry: bytes
    version: int
    delivery: Delivery

    @property
    def delivery_id(self) -> str:
        """Its id for the outside, which is also the `webhook-id` of every request that is made for it."""
        return delivery_id(self.entry)


def delivery_id(entry: bytes) -> str:
    """The id of the delivery under the sort key `entry`: without a full stop, as signatures need it."""
    return _ID_PREFIX + urlsafe_b64encode(entry).decode()


def entry_of(delivery_id: str) -> bytes:
    """Inverse of `delivery_id`. Raises NotFound for what is none."""
    text = delivery_id.removeprefix(_ID_PREFIX)
    if delivery_id.startswith(_ID_PREFIX) and _ENTRY.fullmatch(text):
        return urlsafe_b64decode(text)
    raise NotFound("There is no such delivery.")


class DeliveryLog:
    """Reads and writes deliveries.

    Everything raises Unavailable when the store does not answer, and InternalError if a storage key is gone.
    """

    def __init__(self, store: DeliveryStore, vault: Vault, clock: Clock) -> None:
        self._store = store
        self._vault = vault
        self._clock = clock

    def key(self, owner: bytes, endpoint_id: str) -> bytes:
        """Under what the log of an account's endpoint stands: a keyed hash (32 bytes)."""
        return self._vault.index("webhook endpoint", owner, endpoint_id)

    def entry_for(self, endpoint: bytes, event: MessageReceived) -> bytes:
        """The sort key of the one delivery of `event` to `endpoint`."""
        told = self._vault.index("webhook delivery", endpoint, event.key.message_id)
        return entry_at(event.key.stored_at_ms, told)

    def find(self, endpoint: bytes, entry: bytes) -> Filed | None:
        """The delivery under these keys."""
        row = self._store.get(endpoint, entry, now_s=self._now_s())
        return None if row is None else self._filed(row)

    def begin(self, endpoint: bytes, entry: bytes, delivery: Delivery) -> Filed:
        """Write `delivery` unless one stands there already; the one that stands."""
        for _ in range(_ATTEMPTS):
            found = self.find(endpoint, entry)
            if found is not None:
                return found
            filed = Filed(endpoint, entry, 1, delivery)
            if self._put(filed):
                return filed
        raise Unavailable

    def change(self, filed: Filed, change: Callable[[Delivery], Delivery]) -> Filed | None:
        """Replace the delivery by what `change` makes of it; None if it is not there any more.

        `change` is asked again when somebody else wrote in between. Raises Unavailable if that goes on.
        """
        standing: Filed | None = filed
        for _ in range(_ATTEMPTS):
            if standing is None:
                return None
            changed = change(standing.delivery)
            if changed == standing.delivery:
                return standing
            written = Filed(filed.endpoint, filed.entry, standing.version + 1, changed)
            if self._put(written):
                return written
            standing = self.find(filed.endpoint, filed.entry)
        raise Unavailable

    def page(self, endpoint: bytes, cursor: str | None, limit: int) -> tuple[tuple[Filed, ...], str | None]:
        """At most `limit` deliveries, the newest first, and a cursor to the older ones, None at the end.

        Raises InvalidParams for a cursor of another log.
        """
        before = None if cursor is None else self._read_cursor(endpoint, cursor)
        page = self._store.newest(endpoint, before=before, limit=limit, now_s=self._now_s())
        following = None if page.last is None else self._cursor(endpoint, page.last)
        return tuple(map(self._filed, page.rows)), following

    def forget(self, endpoint: bytes) -> None:
        """Delete the whole log."""
        self._store.delete_all(endpoint)

    def _put(self, filed: Filed) -> bool:
        sealed = self._vault.seal(filed.delivery.to_bytes(), _context(filed.endpoint, filed.entry))
        expires_at_s = filed.delivery.last_ms // 1_000 + KEPT_S
        row = DeliveryRow(filed.endpoint, filed.entry, sealed, filed.version, expires_at_s)
        try:
            self._store.put(row, now_s=self._now_s())
        except Conflict:
            return False
        return True

    def _filed(self, row: DeliveryRow) -> Filed:
        try:
            plain = self._vault.open(row.sealed, _context(row.endpoint, row.sort))
        except Undecryptable:
            # The operator took a storage key away too early; nobody who asks can help it.
            raise InternalError from None
        return Filed(row.endpoint, row.sort, row.version, Delivery.from_bytes(plain))

    def _cursor(self, endpoint: bytes, entry: bytes) -> str:
        return urlsafe_b64encode(self._vault.seal(entry, b"webhook cursor" + endpoint)).decode()

    def _read_cursor(self, endpoint: bytes, text: str) -> bytes:
        try:
            if len(text) > _MAX_CHARS:
                raise ValueError("no cursor is so long")
            return self._vault.open(urlsafe_b64decode(text), b"webhook cursor" + endpoint)
        except (Undecryptable, ValueError):
            raise InvalidParams("The cursor is not one of this log.") from None

    def _now_s(self) -> int:
        return self._clock.now_ms() // 1_000


def entry_at(at_ms: int, told: bytes) -> bytes:
    """A sort key: the time of the event, then what tells it from others of that time."""
    return (at_ms.to_bytes(_TIME_BYTES, "big") + told)[:ENTRY_BYTES]


def _context(endpoint: bytes, entry: bytes) -> bytes:
    return b"webhook delivery" + endpoint + entry
