"""Whether mail waits that nobody has seen: still in the inbox, and shown by no open socket."""

from __future__ import annotations

from chalicelib.notify.ports import ConnectionStore
from chalicelib.notify.wake_up import WakeUp
from chalicelib.relay.ports import Clock, InboxKey, InboxStore

_LAST_ID = b"\xff" * 16
# A look at an inbox reads whole messages, so it takes few of them at a time and ends at some point.
_PAGE_MESSAGES = 10
_PAGE_BYTES = 64 * 1024
_PAGES = 10


class Unseen:
    """Looks into inboxes and at what the sockets have answered."""

    def __init__(self, inbox: InboxStore, connections: ConnectionStore, clock: Clock) -> None:
        self._inbox = inbox
        self._connections = connections
        self._clock = clock

    def waits(self, wake_up: WakeUp, told_until_ms: int) -> bool:
        """Whether there is unseen mail of `wake_up` that was stored after `told_until_ms`.

        Whoever has more mail than is looked at, all of it shown and not acknowledged, is woken for the rest.
        Raises Unavailable.
        """
        if wake_up.message is None:
            return self._any_since(wake_up.owner, max(wake_up.since_ms, told_until_ms))
        message, now_s = wake_up.message, self._clock.now_ms() // 1_000
        return (
            message.stored_at_ms > told_until_ms
            and self._inbox.exists(wake_up.owner, message, now_s=now_s)
            and not self._was_shown(wake_up.owner, message)
        )

    def _any_since(self, owner: bytes, since_ms: int) -> bool:
        after: InboxKey | None = InboxKey(since_ms, _LAST_ID)
        for _ in range(_PAGES):
            page = self._inbox.page(
                owner,
                after=after,
                limit=_PAGE_MESSAGES,
                max_bytes=_PAGE_BYTES,
                now_s=self._clock.now_ms() // 1_000,
            )
            if not all(self._was_shown(owner, item.key) for item in page.items):
                return True
            after = page.last
            if after is None:
                return False
        return True

    def _was_shown(self, owner: bytes, message: InboxKey) -> bool:
        """Whether a socket answered the ping that was sent right behind the message: then it has the message.

        That a post succeeded proves nothing. A socket that was closed since has taken its count with it: its
        owner is rather told twice than not at all.
        """
        now_s = self._clock.now_ms() // 1_000
        for connection, ping in self._connections.marks(owner, message.message_id, now_s=now_s).items():
            row = self._connections.get(connection, now_s=now_s)
            if row is not None and row.pongs >= ping > 0:
                return True
        return False
