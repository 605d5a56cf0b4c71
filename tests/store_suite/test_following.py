"""A reader that follows an inbox with a cursor misses nothing (DESIGN, decision 7).

A message is stamped just before it is written, by servers whose clocks differ, and a slow write may land
after a younger one was read. Time runs `SPEED` times faster here: 60 seconds of server time are two of ours.
"""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Event, Lock

from chalicelib.relay.ports import InboxItem, InboxKey, InboxStore
from tests.support.stores import LATER_S, NOW_S, Backend, everything, new_key

SUBMITTERS = 32
MESSAGES_EACH = 8
SPEED = 30
OVERLAP_MS = 60_000
SLOWEST_MS = 40_000
CLOCKS_APART_MS = 2_000


class Clocks:
    """Server time as each submitter sees it, up to two seconds apart.

    It stands still while a write is `SLOWEST_MS` old, so that a busy machine cannot make a write slower than
    the promise allows.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._began = time.monotonic()
        self._held_ms = 0
        self._writing: dict[bytes, int] = {}

    def stamp(self, submitter: int, message_id: bytes) -> int:
        """The time for a message that is about to be written, in ms since the epoch."""
        with self._lock:
            now_ms = self._now_ms()
            self._writing[message_id] = now_ms
        return now_ms + submitter * CLOCKS_APART_MS // (SUBMITTERS - 1)

    def written(self, message_id: bytes) -> None:
        """The message is in the inbox."""
        with self._lock:
            self._now_ms()
            del self._writing[message_id]

    def _now_ms(self) -> int:
        elapsed_ms = int((time.monotonic() - self._began) * 1000 * SPEED)
        oldest_ms = min(self._writing.values(), default=None)
        now_ms = NOW_S * 1000 + elapsed_ms - self._held_ms
        if oldest_ms is not None and now_ms > oldest_ms + SLOWEST_MS:
            self._held_ms += now_ms - (oldest_ms + SLOWEST_MS)
            now_ms = oldest_ms + SLOWEST_MS
        return now_ms


class Reader:
    """Follows an inbox, each time from `overlap_ms` before the last message it has seen."""

    def __init__(self, inbox: InboxStore, account: bytes, overlap_ms: int) -> None:
        self._inbox = inbox
        self._account = account
        self._overlap_ms = overlap_ms
        self._last: InboxKey | None = None
        self.seen: set[bytes] = set()

    def look(self) -> None:
        """Read from the cursor to the end."""
        found = everything(self._inbox, self._account, after=self._start())
        self.seen |= {one.key.message_id for one in found}
        if found:
            self._last = max(found[-1].key, self._last or found[-1].key)

    def _start(self) -> InboxKey | None:
        if self._last is None or self._overlap_ms == 0:
            return self._last
        return InboxKey(self._last.stored_at_ms - self._overlap_ms, b"\x00" * 16)


def test_a_following_reader_misses_nothing(atomic_backend: Backend) -> None:
    inbox, account, clocks, done = atomic_backend.store.inbox, new_key(), Clocks(), Event()
    careful, careless = Reader(inbox, account, OVERLAP_MS), Reader(inbox, account, 0)

    def submit(submitter: int) -> list[bytes]:
        ids = [bytes([submitter, n]) * 8 for n in range(MESSAGES_EACH)]
        for n, message_id in enumerate(ids):
            stamp_ms = clocks.stamp(submitter, message_id)
            slow_ms = SLOWEST_MS if (submitter + n) % 5 == 0 else 1_000 * ((submitter * 7 + n * 3) % 20)
            time.sleep(slow_ms / 1000 / SPEED)
            inbox.put(account, InboxItem(InboxKey(stamp_ms, message_id), b"sealed", LATER_S))
            clocks.written(message_id)
        return ids

    def follow() -> None:
        while not done.wait(0.1):
            careful.look()
            careless.look()

    with ThreadPoolExecutor(SUBMITTERS + 1) as pool:
        following = pool.submit(follow)
        sent = {message_id for ids in pool.map(submit, range(SUBMITTERS)) for message_id in ids}
        done.set()
        following.result()
    careful.look()
    careless.look()
    stored = everything(inbox, account)
    assert {one.key.message_id for one in stored} == sent == careful.seen
    assert stored[-1].key.stored_at_ms - stored[0].key.stored_at_ms > 2 * OVERLAP_MS
    assert careless.seen < sent, "nothing was late: this run proves nothing"
