from __future__ import annotations

import pytest

from chalicelib.notify.ports import ConnectionRow
from chalicelib.notify.unseen import Unseen
from chalicelib.notify.wake_up import WakeUp
from chalicelib.protocol.errors import Unavailable
from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.store.memory import MemoryStore, Moment
from tests.unit.notify.outbox_world import message, owner
from tests.unit.relay.ports import START_MS, HandClock

OWNER = owner(1)
CONNECTION = b"c" * 32
DAY_S = 86_400


class Inbox:
    """One account's mail and sockets."""

    def __init__(self) -> None:
        self.store = MemoryStore()
        self.clock = HandClock(START_MS)
        self.unseen = Unseen(self.store.inbox, self.store.connections, self.clock)

    def put(self, number: int, *, size_bytes: int = 10, lives_s: int = DAY_S) -> InboxKey:
        key = message(number)
        self.store.inbox.put(OWNER, InboxItem(key, b"." * size_bytes, self.clock.now_s + lives_s))
        return key

    def push(self, key: InboxKey, *, connection: bytes = CONNECTION) -> None:
        """As the worker of the sockets does: post the message and a ping behind it, and note its number."""
        if self.store.connections.get(connection, now_s=self.clock.now_s) is None:
            row = ConnectionRow(connection, b"sealed", self.clock.now_s + DAY_S, owner=OWNER)
            self.store.connections.put(row)
        pings = {connection: self.store.connections.pinged(connection)}
        expires_at_s = self.clock.now_s + DAY_S
        self.store.connections.mark(OWNER, key.message_id, pings, expires_at_s=expires_at_s)

    def pong(self) -> None:
        self.store.connections.ponged(CONNECTION)

    def one(self, key: InboxKey, told_until_ms: int = 0) -> bool:
        return self.unseen.waits(WakeUp(OWNER, key.stored_at_ms - 1, key), told_until_ms)

    def any(self, since_ms: int, told_until_ms: int = 0) -> bool:
        return self.unseen.waits(WakeUp(OWNER, since_ms), told_until_ms)


def test_a_message_waits_until_it_is_acknowledged() -> None:
    inbox = Inbox()
    key = inbox.put(1)
    assert inbox.one(key)
    inbox.store.inbox.delete(OWNER, [key])
    assert not inbox.one(key)


def test_an_expired_message_waits_for_nobody() -> None:
    inbox = Inbox()
    key = inbox.put(1, lives_s=10)
    inbox.clock.pass_s(10)
    assert not inbox.one(key)
    assert not inbox.any(START_MS)


def test_a_message_that_a_wake_up_has_told_of_is_done() -> None:
    inbox = Inbox()
    key = inbox.put(5)
    assert not inbox.one(key, told_until_ms=key.stored_at_ms)
    assert inbox.one(key, told_until_ms=key.stored_at_ms - 1)


def test_a_push_alone_proves_nothing_and_the_answer_to_the_ping_behind_it_does() -> None:
    inbox = Inbox()
    first, second = inbox.put(1), inbox.put(2)
    inbox.push(first)
    inbox.push(second)
    assert inbox.one(first)
    inbox.pong()
    assert not inbox.one(first)
    assert inbox.one(second)
    inbox.pong()
    assert not inbox.one(second)


def test_one_socket_of_several_is_enough_and_one_that_is_gone_proves_nothing() -> None:
    inbox = Inbox()
    key = inbox.put(1)
    inbox.push(key)
    inbox.pong()
    row = inbox.store.connections.get(CONNECTION, now_s=inbox.clock.now_s)
    assert row is not None
    inbox.store.connections.remove(row)
    assert inbox.one(key)
    inbox.store.connections.put(row)
    pings = {b"d" * 32: 1, CONNECTION: 1}
    inbox.store.connections.mark(OWNER, key.message_id, pings, expires_at_s=inbox.clock.now_s + 60)
    assert not inbox.one(key)


def test_a_ping_that_was_never_counted_proves_nothing() -> None:
    inbox = Inbox()
    key = inbox.put(1)
    inbox.push(key)
    expires_at_s = inbox.clock.now_s + 60
    inbox.store.connections.mark(OWNER, key.message_id, {CONNECTION: 0}, expires_at_s=expires_at_s)
    assert inbox.one(key)


def test_any_mail_since_a_moment_is_looked_for_beyond_what_was_shown() -> None:
    inbox = Inbox()
    assert not inbox.any(START_MS)
    keys = [inbox.put(number) for number in range(1, 26)]
    assert inbox.any(START_MS)
    for key in keys:
        inbox.push(key)
        inbox.pong()
    assert not inbox.any(START_MS)
    late = inbox.put(40)
    assert inbox.any(START_MS)
    assert inbox.any(late.stored_at_ms - 1)
    assert not inbox.any(late.stored_at_ms)
    assert not inbox.any(START_MS, told_until_ms=late.stored_at_ms)
    inbox.store.inbox.delete(OWNER, [late])
    assert not inbox.any(START_MS)


def test_a_look_is_bounded_and_then_rather_wakes() -> None:
    inbox = Inbox()
    for number in range(1, 151):
        inbox.push(inbox.put(number))
        inbox.pong()
    pages: list[str] = []
    inbox.store.faults = lambda name, moment: (
        pages.append(name) if (name, moment) == ("inbox.page", Moment.BEFORE) else None
    )
    assert inbox.any(START_MS)
    assert len(pages) == 10


def test_large_messages_are_looked_at_a_few_at_a_time() -> None:
    inbox = Inbox()
    for number in range(1, 4):
        inbox.push(inbox.put(number, size_bytes=60_000))
        inbox.pong()
    assert not inbox.any(START_MS)


@pytest.mark.parametrize("operation", ["inbox.exists", "inbox.page", "connections.marks", "connections.get"])
def test_a_store_that_does_not_answer_is_told(operation: str) -> None:
    inbox = Inbox()
    key = inbox.put(1)
    inbox.push(key)

    def faults(name: str, _moment: Moment) -> None:
        if name == operation:
            raise Unavailable

    inbox.store.faults = faults
    with pytest.raises(Unavailable):
        inbox.any(START_MS) if operation == "inbox.page" else inbox.one(key)
