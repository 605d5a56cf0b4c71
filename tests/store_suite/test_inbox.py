"""What `InboxStore` promises, on every backend."""

from __future__ import annotations

import os

import pytest

from chalicelib.relay.ports import InboxItem, InboxKey
from chalicelib.store.bodies import S3Bodies
from chalicelib.store.dynamodb_inbox import INLINE_LIMIT_BYTES
from chalicelib.store.table import key, number
from tests.support.stores import EARLIER_S, LATER_S, NOW_S, Backend, everything, item, new_key

HUGE = 10**8


def test_an_empty_inbox_is_one_empty_page(backend: Backend) -> None:
    page = backend.store.inbox.page(new_key(), after=None, limit=10, max_bytes=HUGE, now_s=NOW_S)
    assert (page.items, page.last, page.unreadable) == ((), None, 0)


def test_messages_come_back_unchanged_in_order_of_time_then_id(backend: Backend) -> None:
    account = new_key()
    same_time = [InboxItem(InboxKey(5, bytes([n]) * 16), bytes(range(n)), LATER_S) for n in range(4)]
    other_times = [
        InboxItem(InboxKey(at, b"\xff" * 16), b"", LATER_S) for at in (0, 255, 256, 2**40, NOW_S * 1000)
    ]
    items = same_time + other_times
    for one in items[1::2] + items[::-2]:
        backend.store.inbox.put(account, one)
    assert everything(backend.store.inbox, account) == sorted(items, key=lambda one: one.key)


def test_accounts_do_not_see_each_other(backend: Backend) -> None:
    mine, other = new_key(), new_key()
    backend.store.inbox.put(mine, item(1))
    backend.store.inbox.delete(other, [item(1).key])
    assert everything(backend.store.inbox, other) == []
    assert not backend.store.inbox.exists(other, item(1).key, now_s=NOW_S)
    assert everything(backend.store.inbox, mine) == [item(1)]


def test_a_second_put_leaves_the_first_as_it_is(backend: Backend) -> None:
    account = new_key()
    backend.store.inbox.put(account, item(1, b"first"))
    backend.store.inbox.put(account, item(1, b"second"))
    assert everything(backend.store.inbox, account) == [item(1, b"first")]


def test_what_has_expired_is_never_served_though_it_is_there(backend: Backend) -> None:
    account = new_key()
    old, new = item(1, expires_at_s=NOW_S), item(2)
    backend.store.inbox.put(account, old)
    backend.store.inbox.put(account, new)
    assert everything(backend.store.inbox, account, now_s=EARLIER_S) == [old, new]  # it is there
    assert everything(backend.store.inbox, account) == [new]
    assert backend.store.inbox.exists(account, old.key, now_s=NOW_S - 1)
    assert not backend.store.inbox.exists(account, old.key, now_s=NOW_S)
    assert backend.store.inbox.exists(account, new.key, now_s=NOW_S)


def test_pages_end_at_the_limit_and_say_where_to_go_on(backend: Backend) -> None:
    account = new_key()
    items = [item(n) for n in range(5)]
    for one in items:
        backend.store.inbox.put(account, one)
    inbox = backend.store.inbox
    first = inbox.page(account, after=None, limit=2, max_bytes=HUGE, now_s=NOW_S)
    assert (list(first.items), first.last) == (items[:2], items[1].key)
    second = inbox.page(account, after=first.last, limit=3, max_bytes=HUGE, now_s=NOW_S)
    assert (list(second.items), second.last) == (items[2:], None)
    beyond = inbox.page(account, after=items[4].key, limit=3, max_bytes=HUGE, now_s=NOW_S)
    assert (beyond.items, beyond.last) == ((), None)


def test_pages_end_before_too_many_bytes_but_never_before_the_first_item(backend: Backend) -> None:
    account = new_key()
    items = [item(n, b"x" * size) for n, size in enumerate((40, 60, 1, 500, 10))]
    for one in items:
        backend.store.inbox.put(account, one)
    sizes = []
    after = None
    while True:
        page = backend.store.inbox.page(account, after=after, limit=10, max_bytes=100, now_s=NOW_S)
        sizes.append([len(one.blob) for one in page.items])
        if page.last is None:
            break
        after = page.last
    assert sizes == [[40, 60], [1], [500], [10]]


def test_a_position_between_messages_is_a_position_too(backend: Backend) -> None:
    account = new_key()
    backend.store.inbox.put(account, item(10))
    backend.store.inbox.put(account, item(30))
    before = InboxKey(item(20).key.stored_at_ms, b"\x00" * 16)
    page = backend.store.inbox.page(account, after=before, limit=10, max_bytes=HUGE, now_s=NOW_S)
    assert page.items == (item(30),)


def test_a_page_goes_on_over_the_megabyte_at_which_a_query_ends(backend: Backend) -> None:
    account = new_key()
    items = [item(n, bytes([n]) * 250_000) for n in range(7)]
    for one in items:
        backend.store.inbox.put(account, one)
    page = backend.store.inbox.page(account, after=None, limit=100, max_bytes=HUGE, now_s=NOW_S)
    assert (list(page.items), page.last) == (items, None)


def test_a_long_stretch_of_expired_messages_is_passed_in_bounded_steps(backend: Backend) -> None:
    account = new_key()
    for n in range(150):
        backend.store.inbox.put(account, item(n, expires_at_s=EARLIER_S))
    backend.store.inbox.put(account, item(200))
    if backend.aws is not None:
        backend.aws.meter.reset()
    page = backend.store.inbox.page(account, after=None, limit=1, max_bytes=HUGE, now_s=NOW_S)
    assert (page.items, page.last) == ((item(200),), None)
    if backend.aws is not None:
        assert backend.aws.meter.calls["Query"] <= 5


@pytest.mark.parametrize(
    "size_bytes", [INLINE_LIMIT_BYTES, INLINE_LIMIT_BYTES + 1, 399_999, 450_000, 3_000_000]
)
def test_a_message_of_any_size_is_kept(backend: Backend, size_bytes: int) -> None:
    account = new_key()
    large = item(1, os.urandom(size_bytes))
    backend.store.inbox.put(account, item(0))
    backend.store.inbox.put(account, large)
    backend.store.inbox.put(account, item(2))
    assert everything(backend.store.inbox, account, max_bytes=1000) == [item(0), large, item(2)]
    assert backend.store.inbox.exists(account, large.key, now_s=NOW_S)
    if backend.aws is not None:
        row = backend.aws.dynamodb.get_item(
            TableName=backend.aws.names.inbox, Key=dict(key(account, large.key.to_bytes()))
        )["Item"]
        assert ("body" in row) == (size_bytes > INLINE_LIMIT_BYTES)
        assert row["size_bytes"] == number(size_bytes)


def test_the_largest_inline_limit_stays_below_the_largest_item(backend: Backend) -> None:
    if backend.aws is None:
        pytest.skip("the simulator keeps everything in one place")
    inbox = backend.aws.store(inline_limit_bytes=10**9).inbox
    account = new_key()
    items = [item(1, b"i" * 390_000), item(2, b"b" * 390_001)]
    for one in items:
        inbox.put(account, one)
    assert everything(inbox, account) == items


def test_a_body_that_is_gone_or_altered_stops_nobody(backend: Backend) -> None:
    if backend.aws is None or not isinstance(backend.aws.bodies, S3Bodies):
        pytest.skip("no S3 here: dynalite has none, and the simulator keeps everything in one place")
    account = new_key()
    for n, size in enumerate((1, 400_000, 400_000, 1, 400_000)):
        backend.store.inbox.put(account, item(n, bytes([n]) * size))
    backend.aws.bodies.delete([_body_name(backend, account, 1), _body_name(backend, account, 4)])
    page = backend.store.inbox.page(account, after=None, limit=10, max_bytes=HUGE, now_s=NOW_S)
    assert [one.key for one in page.items] == [item(n).key for n in (0, 2, 3)]
    assert (page.unreadable, page.last) == (2, None)
    short = backend.store.inbox.page(account, after=None, limit=2, max_bytes=HUGE, now_s=NOW_S)
    assert (len(short.items), short.unreadable, short.last) == (1, 1, item(1).key)


def _body_name(backend: Backend, account: bytes, number: int) -> str:
    assert backend.aws is not None
    row = backend.aws.dynamodb.get_item(
        TableName=backend.aws.names.inbox, Key=dict(key(account, item(number).key.to_bytes()))
    )["Item"]
    return row["body"]["S"]


def test_deleting_deletes_what_was_named_and_nothing_else(backend: Backend) -> None:
    account = new_key()
    items = [item(n) for n in range(60)]
    for one in items:
        backend.store.inbox.put(account, one)
    backend.store.inbox.delete(account, [])
    backend.store.inbox.delete(account, [items[0].key])
    backend.store.inbox.delete(account, [items[0].key])
    assert everything(backend.store.inbox, account) == items[1:]
    twice_and_missing = [one.key for one in items[:55]] + [items[3].key, item(999).key]
    backend.store.inbox.delete(account, twice_and_missing)
    assert everything(backend.store.inbox, account) == items[55:]
