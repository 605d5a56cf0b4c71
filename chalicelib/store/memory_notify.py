"""The rows of notifications in memory: preferences, open sockets, webhook logs, and things to do later."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace

from chalicelib.notify.ports import ConnectionPage, ConnectionRow, DeliveryPage, DeliveryRow, DueRow
from chalicelib.relay.ports import AccountRow, Conflict
from chalicelib.store.memory_guard import Guard


class MemoryPreferences:
    """`PreferenceStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, AccountRow] = {}

    def get(self, owner: bytes) -> AccountRow | None:
        """See `PreferenceStore.get`."""
        with self._guard.operation("preferences.get"):
            return self._rows.get(owner)

    def put(self, row: AccountRow) -> None:
        """See `PreferenceStore.put`."""
        with self._guard.operation("preferences.put"):
            standing = self._rows.get(row.account)
            version = 0 if standing is None else standing.version
            if standing != row and version != row.version - 1:
                raise Conflict
            self._rows[row.account] = row

    def delete(self, owner: bytes) -> None:
        """See `PreferenceStore.delete`."""
        with self._guard.operation("preferences.delete"):
            self._rows.pop(owner, None)


class MemoryConnections:
    """`ConnectionStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, ConnectionRow] = {}
        self._marks: dict[tuple[bytes, bytes], tuple[dict[bytes, int], int]] = {}

    def put(self, row: ConnectionRow) -> None:
        """See `ConnectionStore.put`."""
        with self._guard.operation("connections.put"):
            self._rows[row.connection] = row

    def get(self, connection: bytes, *, now_s: int) -> ConnectionRow | None:
        """See `ConnectionStore.get`."""
        with self._guard.operation("connections.get"):
            row = self._rows.get(connection)
            return row if row is not None and row.expires_at_s > now_s else None

    def of_account(self, owner: bytes, *, now_s: int) -> tuple[ConnectionRow, ...]:
        """See `ConnectionStore.of_account`."""
        with self._guard.operation("connections.of_account"):
            return tuple(row for row in self._sorted(now_s) if row.owner == owner)

    def of_shard(self, shard: int, *, after: bytes | None, limit: int, now_s: int) -> ConnectionPage:
        """See `ConnectionStore.of_shard`."""
        with self._guard.operation("connections.of_shard"):
            rows = [
                row
                for row in self._sorted(now_s)
                if row.owner is not None and row.shard == shard and (after is None or row.connection > after)
            ]
            more = len(rows) > limit
            return ConnectionPage(tuple(rows[:limit]), rows[limit - 1].connection if more else None)

    def _sorted(self, now_s: int) -> list[ConnectionRow]:
        """The live rows as the lists tell them: without the counts."""
        live = (row for row in self._rows.values() if row.expires_at_s > now_s)
        return sorted((replace(row, pings=0, pongs=0) for row in live), key=lambda row: row.connection)

    def pinged(self, connection: bytes) -> int:
        """See `ConnectionStore.pinged`."""
        with self._guard.operation("connections.pinged"):
            row = self._rows.get(connection)
            if row is None:
                return 0
            self._rows[connection] = replace(row, pings=row.pings + 1)
            return row.pings + 1

    def ponged(self, connection: bytes) -> None:
        """See `ConnectionStore.ponged`."""
        with self._guard.operation("connections.ponged"):
            row = self._rows.get(connection)
            if row is not None:
                self._rows[connection] = replace(row, pongs=row.pongs + 1)

    def remove(self, row: ConnectionRow) -> None:
        """See `ConnectionStore.remove`."""
        with self._guard.operation("connections.remove"):
            self._rows.pop(row.connection, None)

    def mark(self, owner: bytes, message_id: bytes, pings: Mapping[bytes, int], *, expires_at_s: int) -> None:
        """See `ConnectionStore.mark`."""
        with self._guard.operation("connections.mark"):
            self._marks[owner, message_id] = (dict(pings), expires_at_s)

    def marks(self, owner: bytes, message_id: bytes, *, now_s: int) -> Mapping[bytes, int]:
        """See `ConnectionStore.marks`."""
        with self._guard.operation("connections.marks"):
            pings, expires_at_s = self._marks.get((owner, message_id), ({}, 0))
            return dict(pings) if expires_at_s > now_s else {}


class MemoryDeliveries:
    """`DeliveryStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[bytes, dict[bytes, DeliveryRow]] = {}

    def get(self, endpoint: bytes, sort: bytes, *, now_s: int) -> DeliveryRow | None:
        """See `DeliveryStore.get`."""
        with self._guard.operation("deliveries.get"):
            return self._live(endpoint, sort, now_s)

    def put(self, row: DeliveryRow, *, now_s: int) -> None:
        """See `DeliveryStore.put`."""
        with self._guard.operation("deliveries.put"):
            log = self._rows.setdefault(row.endpoint, {})
            standing = self._live(row.endpoint, row.sort, now_s)
            version = 0 if standing is None else standing.version
            if log.get(row.sort) != row and version != row.version - 1:
                raise Conflict
            log[row.sort] = row

    def newest(self, endpoint: bytes, *, before: bytes | None, limit: int, now_s: int) -> DeliveryPage:
        """See `DeliveryStore.newest`."""
        with self._guard.operation("deliveries.newest"):
            rows = self._rows.get(endpoint, {})
            sorts = [
                sort
                for sort in sorted(rows, reverse=True)
                if rows[sort].expires_at_s > now_s and (before is None or sort < before)
            ]
            last = sorts[limit - 1] if len(sorts) > limit else None
            return DeliveryPage(tuple(rows[sort] for sort in sorts[:limit]), last)

    def delete_all(self, endpoint: bytes) -> None:
        """See `DeliveryStore.delete_all`."""
        with self._guard.operation("deliveries.delete_all"):
            self._rows.pop(endpoint, None)

    def _live(self, endpoint: bytes, sort: bytes, now_s: int) -> DeliveryRow | None:
        row = self._rows.get(endpoint, {}).get(sort)
        return row if row is not None and row.expires_at_s > now_s else None


class MemorySchedule:
    """`ScheduleStore` in memory."""

    def __init__(self, guard: Guard) -> None:
        self._guard = guard
        self._rows: dict[tuple[int, int, bytes], DueRow] = {}

    def put(self, row: DueRow) -> None:
        """See `ScheduleStore.put`."""
        with self._guard.operation("schedule.put"):
            self._rows[row.shard, row.due_at_ms, row.key] = row

    def due(self, shard: int, *, now_ms: int, limit: int) -> tuple[DueRow, ...]:
        """See `ScheduleStore.due`."""
        with self._guard.operation("schedule.due"):
            rows = (
                row
                for (of, due_at_ms, _), row in sorted(self._rows.items())
                if of == shard and due_at_ms <= now_ms and row.expires_at_s > now_ms // 1_000
            )
            return tuple(rows)[:limit]

    def delete(self, row: DueRow) -> None:
        """See `ScheduleStore.delete`."""
        with self._guard.operation("schedule.delete"):
            self._rows.pop((row.shard, row.due_at_ms, row.key), None)
