"""Things to do later: put into their queue at their time, however late that is.

A queue keeps what is due within 15 minutes by itself. What is due later is a row, which the function
`minute` moves into its queue: it sends first and deletes then, so that a crash in between sends twice and
loses nothing.
"""

from __future__ import annotations

import logging
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

from chalicelib.names.counting import Counting
from chalicelib.notify.plan import MINUTE_MS
from chalicelib.notify.ports import (
    MOST_DELAY_S,
    SCHEDULE_SHARDS,
    DueRow,
    Queue,
    Queues,
    ScheduleStore,
)
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import Clock
from chalicelib.relay.vault import Vault

MOVED = "DueMoved"
"""Metric: something was put into its queue at its time."""
POSTPONED = "DuePostponed"
"""Metric: something that was due could not be put into its queue, and was put off. With `Queue`."""

RUN_S = 30
"""How long one run goes on; what is left is for the next. The function has 55 s, and pings, too."""
PAGE_ROWS = 50
_AT_ONCE = 10  # connections that a client of AWS keeps
POSTPONED_S = 300
"""How long a row is put off that could not be sent: until then it is in nobody's way."""
KEPT_S = 30 * 86_400
"""How long after its time a row is kept, should nobody move it."""

_log = logging.getLogger("dm3.notify")


class Schedule:
    """Implements `ports.Later`; `run` is the task of the minute."""

    def __init__(
        self, *, store: ScheduleStore, queues: Queues, vault: Vault, clock: Clock, count: Counting
    ) -> None:
        self._store = store
        self._queues = queues
        self._vault = vault
        self._clock = clock
        self._count = count

    def put(self, queue: Queue, text: str, *, delay_s: int, key: bytes) -> None:
        """See `Later.put`. A row comes due at a full minute, up to one too early.

        Two that mean the same full minute and have the same queue and key are therefore one row, though they
        are put at different moments.
        """
        if delay_s <= MOST_DELAY_S:
            self._queues.send(queue, text, delay_s=delay_s)
            return
        due_at_ms = (self._clock.now_ms() + delay_s * 1_000) // MINUTE_MS * MINUTE_MS
        sealed = self._vault.seal(text.encode(), _context(queue, key))
        expires_at_s = due_at_ms // 1_000 + KEPT_S
        self._store.put(DueRow(key[0] % SCHEDULE_SHARDS, due_at_ms, key, queue, sealed, expires_at_s))

    def run(self) -> None:
        """Move what is due, for `RUN_S` seconds at most, from each shard in turn.

        Raises Unavailable at the end if the rows of a shard could not be read or written; the others were
        worked.
        """
        end_ms = self._clock.now_ms() + RUN_S * 1_000
        shards = deque(range(SCHEDULE_SHARDS))
        failed = False
        while shards and self._clock.now_ms() < end_ms:
            shard = shards.popleft()
            try:
                may_have_more = self._move_some(shard)
            except Unavailable:
                failed = True
                continue
            if may_have_more:
                shards.append(shard)
        if failed:
            raise Unavailable

    def _move_some(self, shard: int) -> bool:
        """Move the oldest `PAGE_ROWS` of what is due in `shard`; whether there may be more."""
        rows = self._store.due(shard, now_ms=self._clock.now_ms(), limit=PAGE_ROWS)
        # Most of the time of a row is waiting for the queue and the table.
        with ThreadPoolExecutor(_AT_ONCE) as threads:
            list(threads.map(self._move, rows))
        return len(rows) == PAGE_ROWS

    def _move(self, row: DueRow) -> None:
        if self._send(row):
            self._count(MOVED)
        else:
            self._postpone(row)
        self._store.delete(row)

    def _send(self, row: DueRow) -> bool:
        try:
            text = self._vault.open(row.sealed, _context(row.queue, row.key)).decode()
            self._queues.send(row.queue, text)
        except Exception as error:  # noqa: BLE001 - what cannot be sent must not stand before what can
            fields = {"queue": str(row.queue), "type": type(error).__name__}
            _log.warning("postponed", extra={"fields": fields})
            return False
        return True

    def _postpone(self, row: DueRow) -> None:
        """Write the row anew with a later time, so that it is kept whatever happens before it is deleted."""
        self._count(POSTPONED, Queue=row.queue)
        self._store.put(replace(row, due_at_ms=self._clock.now_ms() + POSTPONED_S * 1_000))


def _context(queue: Queue, key: bytes) -> bytes:
    return b"due" + key + queue.encode()
